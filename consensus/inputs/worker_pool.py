"""Workers who can be asked for judgments: how many each will do, for what price, with which skills."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs import formulas
from consensus.inputs.judgments import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments, Source

MOST_NAMED = 8  # workers in a message


@dataclass(frozen=True, slots=True)
class Pool:
    """Workers who can be asked, one row each; nobody stands there twice."""

    worker: tuple[str, ...]
    available: tuple[float, ...]
    """Judgments that each will do; infinite where nothing is said."""
    price: tuple[float, ...]
    """Of a judgment; NaN where nothing is said."""
    skills: tuple[frozenset[str], ...]
    file: str = "workers"
    """What holds them all."""
    sources: tuple[Source, ...] = ()

    def align(self, judgments: Judgments, skill: str | None = None) -> AlignedPool:
        """The workers of ``judgments`` who can be asked, of those with ``skill`` where one is named.

        Others are left out: nothing is known of how they judge.

        Raises
        ------
        JudgmentError
            None of them is in the data, or nobody has the skill, or some prices are missing; or two names are one
            worker of the data, and what is said of them differs.
        """
        renaming, ids = judgments.renaming, judgments.worker_ids
        code = formulas.matched(self.worker, lambda texts: renaming.positions(texts, ids, "workers")).tolist()
        known = [(row, w) for row, w in enumerate(code) if w >= 0]
        names = renaming.spelled(self.worker)
        self._refuse_contradictions(known, names)
        if not known:
            some = judgments.worker_ids.slice(0, MOST_NAMED).to_pylist()
            more = f" and {judgments.n_workers - len(some):,} more" if judgments.n_workers > len(some) else ""
            whose = f"whose workers are {listed(some)}{more}" if some else "which has no judgments by people"
            n = len(self.worker)
            none = "its worker is not" if n == 1 else f"none of the {n:,} workers is"
            raise JudgmentError(f"{none} in the data, {whose}; nothing is known of how others judge", self.file)
        strangers = tuple(sorted((name for name, w in zip(names, code, strict=True) if w < 0), key=str.encode))
        if skill is not None:
            tags = sorted(frozenset().union(*self.skills))
            known = [(row, w) for row, w in known if skill in self.skills[row]]
            if not known:
                raise JudgmentError(
                    f'no worker in the data has the skill "{skill}"; the skills are {listed(tags)}', self.file
                )
        rows, workers = (np.array(side) for side in zip(*known, strict=True))
        price = np.array(self.price)[rows]
        if np.isnan(price).any() and not np.isnan(price).all():
            missing = names[rows[np.flatnonzero(np.isnan(price))[0]]]
            raise JudgmentError(f'no price of worker "{missing}"; give one for every worker, or for none', self.file)
        W = judgments.n_workers
        named, available, prices = np.zeros(W, np.bool_), np.zeros(W), np.ones(W)
        named[workers] = True
        available[workers] = np.array(self.available)[rows]
        if not np.isnan(price).any():
            prices[workers] = price
        return AlignedPool(named, available, prices, not np.isnan(price).any(), len(self.worker), strangers)

    def _refuse_contradictions(self, known: Sequence[tuple[int, int]], names: Sequence[str]) -> None:
        """Rows that are one worker of the data say the same of them: else the order of rows would decide.

        ``known`` are the row and the worker's code of each that is in the data.

        Raises
        ------
        JudgmentError
            Two of them do not.
        """
        first: dict[int, int] = {}
        for row, w in known:
            other = first.setdefault(w, row)
            said = [(self.available[n], str(self.price[n]), self.skills[n]) for n in (other, row)]  # NaN is not NaN
            if said[0] != said[1]:
                raise JudgmentError(
                    f'"{names[other]}" and "{names[row]}" are one worker in the data, and what is said of them '
                    "differs; keep one row",
                    self.file,
                )


@dataclass(frozen=True, slots=True, eq=False)
class AlignedPool:
    """The workers of the data who can be asked (W,)."""

    named: NDArray[np.bool_]
    available: NDArray[np.float64]
    """0 of those who are not named."""
    price: NDArray[np.float64]
    """1 where nothing is said."""
    has_prices: bool
    n_listed: int
    """Workers in the table."""
    strangers: tuple[str, ...]
    """Those of them who are not in the data; they are not asked."""

    @property
    def able(self) -> NDArray[np.bool_]:
        """(W,) who can be asked for a judgment."""
        return self.named & (self.available > 0)

    def activity(self, judgments: Judgments) -> NDArray[np.float64]:
        """(W,) how much each is expected to do, beside the others."""
        return np.where(self.able, np.maximum(judgments.per_worker, 1.0), 0.0)

    def left(self, judgments: Judgments) -> NDArray[np.int64]:
        """(I,) how many of them have not judged each item."""
        able = self.able
        judged = np.bincount(judgments.item[able[judgments.worker]], minlength=judgments.n_items)
        return np.maximum(int(able.sum()) - judged, 0)

    def after(self, workers: NDArray[np.int64]) -> AlignedPool:
        """The same once ``workers`` (n,) have given a judgment each."""
        return replace(self, available=self.available - np.bincount(workers, minlength=len(self.available)))
