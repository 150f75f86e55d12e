"""Replay of judgments that exist already: what a policy would have asked for, and what it would have known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from consensus.config import FitConfig
from consensus.errors import ConfigError, JudgmentError
from consensus.formats import read_gold, read_model_votes
from consensus.found.result import BETWEEN
from consensus.inputs.counted import counted
from consensus.inputs.gold import Gold
from consensus.inputs.model_votes import ModelVotes
from consensus.inputs.vocabulary import positions
from consensus.models.base import fit
from consensus.models.preparing import prepared

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

    from consensus.found.result import Consensus
    from consensus.inputs.judgments import Judgments

    Codes = NDArray[np.int64]

ANYBODY = -1


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What is known at one point of a replay."""

    result: Consensus
    """Fitted to the judgments that are there; its items, workers and labels are those of all judgments."""
    n_judgments: int
    """So many are there."""
    left: NDArray[np.int64]
    """(I,) judgments of each item that are still withheld, by item code."""


class Replay:
    """Judgments that exist already, handed out as they are asked for: to try a policy on data of one's own.

    Some judgments of each item are there at the beginning, the others are withheld. An iterator: each step has a fitted
    ``result`` to decide by, and what is asked for after it is there in the next::

        replay = consensus.Replay("judgments.csv", start=2, seed=1)
        for step in replay:
            replay.ask(consensus.escalate(step.result, target=0.9))

    It ends when nothing was asked for that was withheld.

    Parameters
    ----------
    judgments
        From ``consensus.read``, or anything that it reads.
    config
        Settings of the fits.
    start
        Judgments of each item that are there at the beginning, or all where there are fewer. With none, models must
        have voted.
    seed
        Of the order in which the judgments of each item come. Nothing else matters to the order, not that of the rows.
    gold, model_votes
        Known from the beginning; as in ``fit``.
    **fit_settings
        Fields of ``FitConfig``, such as ``rho=0.3``. As this ``seed`` is the replay's, that of the fits is in
        ``config``.

    Attributes
    ----------
    judgments : Judgments
        All of them, with the codes of items, workers and labels that every step has too.

    Raises
    ------
    ConfigError
        ``start`` or ``seed`` is out of range, or a setting of the fits is.
    JudgmentError
        The judgments can't be used, as in ``fit``.

    Examples
    --------
    >>> replay = consensus.Replay(judgments, start=2)
    >>> [step.n_judgments for step in replay]
    [24]
    """

    judgments: Judgments

    def __init__(
        self,
        judgments: Any,
        config: FitConfig | None = None,
        *,
        start: int = 2,
        seed: int = 0,
        gold: Any = None,
        model_votes: Any = None,
        **fit_settings: Any,
    ) -> None:
        least = 1 if model_votes is None else 0
        if not isinstance(start, int) or start < least:
            raise ConfigError(
                f"start = {start!r}: of each item at least {least} must be there at the beginning"
                + ("; with model_votes, 0 will do" if least else "")
            )
        if not isinstance(seed, int) or seed < 0:
            raise ConfigError(f"seed = {seed!r}: input should be 0 or more")
        self._config = FitConfig.of(config, **fit_settings)
        self._gold = gold if gold is None or isinstance(gold, Gold) else read_gold(gold)
        voted = model_votes is None or isinstance(model_votes, ModelVotes)
        self._votes = model_votes if voted else read_model_votes(model_votes)
        self.judgments, _, _ = prepared(judgments, self._gold, self._config, self._votes)
        self._rank = np.random.default_rng(seed).permutation(self.judgments.n_judgments)
        self._there = np.zeros(self.judgments.n_judgments, np.bool_)
        self._give(self.judgments.item, np.full(self.judgments.n_items, start))
        self._asked, self._ended = True, False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Step:
        if self._ended or not self._asked:
            self._ended = True
            raise StopIteration
        self._asked = False
        there = self.judgments.subset(self._there)
        result = fit(there, self._config, gold=self._gold, model_votes=self._votes)
        return Step(result, there.n_judgments, self.left)

    @property
    def left(self) -> NDArray[np.int64]:
        """(I,) judgments of each item that are withheld, by item code."""
        return np.bincount(self.judgments.item[~self._there], minlength=self.judgments.n_items).astype(np.int64)

    @property
    def withheld(self) -> pd.DataFrame:
        """Whose judgments are withheld, one row each: item, worker. The labels are not told."""
        import pandas as pd
        import pyarrow as pa

        from consensus.found.result import as_text

        held, of = np.flatnonzero(~self._there), self.judgments
        columns = {"item": (of.item_ids, of.item), "worker": (of.worker_ids, of.worker)}
        return pd.DataFrame({name: as_text(ids.take(pa.array(codes[held]))) for name, (ids, codes) in columns.items()})

    def withheld_workers(self, items: Codes) -> tuple[Codes, NDArray[np.int32]]:
        """Whose judgments of ``items`` (n,), by code, are withheld.

        Returns, for each of those judgments, the position in ``items`` that it belongs to, and its worker's code;
        ordered by position, then worker.
        """
        own, judgment = self.judgments.of_items(items)
        held = ~self._there[judgment]
        return own[held], self.judgments.worker[judgment[held]]

    def ask(self, items: pd.DataFrame | Sequence[str]) -> int:
        """Have withheld judgments there at the next step, and tell how many they are.

        Parameters
        ----------
        items
            Ids of items, for one judgment each (an id that stands there twice, for two); or a table as ``escalate``
            makes it: ``item``, and where they are there ``judgments`` (how many; else one) and ``suggested_workers``
            (ids joined by " | "; missing is anybody). If a worker's judgment of the item is not withheld, the next one
            in order comes in its place.

        Items of which nothing is left are passed over.

        Raises
        ------
        JudgmentError
            An item is unknown, a number of judgments is missing or negative, or a table has no items.
        """
        import pandas as pd

        if not isinstance(items, pd.DataFrame):
            return self.ask_codes(self._codes(items))
        if "item" not in items:
            named = ", ".join(f'"{name}"' for name in items.columns)
            raise JudgmentError(f'asked with a table that has no column "item"; its columns are {named or "none"}')
        code = self._codes(items["item"])
        many = np.ones(len(code))
        if "judgments" in items:
            many = pd.to_numeric(items["judgments"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
        wrong = np.flatnonzero(~((many >= 0) & (many < np.inf)))
        if len(wrong):
            raise JudgmentError(
                f'asked for {items["judgments"].iloc[wrong[0]]} judgments of item "{items["item"].iloc[wrong[0]]}"; '
                "say how many, 0 or more"
            )
        n = many.astype(np.int64)
        worker = np.full(n.sum(), ANYBODY)
        if "suggested_workers" in items:
            position = {name: w for w, name in enumerate(self.judgments.worker_ids.to_pylist())}
            for begin, most, names in zip(np.cumsum(n) - n, n, items["suggested_workers"], strict=True):
                known = [position.get(name, ANYBODY) for name in ([] if pd.isna(names) else names.split(BETWEEN))]
                worker[begin : begin + min(most, len(known))] = known[:most]
        return self.ask_codes(np.repeat(code, n), worker)

    def ask_codes(self, items: ArrayLike, workers: ArrayLike | None = None) -> int:
        """The same by codes: ``items`` (n,), one judgment each, by ``workers`` (n,), where -1 is anybody.

        Raises
        ------
        JudgmentError
            A code is out of range, or the two differ in length.
        """
        item = np.asarray(items, np.int64)
        self._check("item", item, 0, self.judgments.n_items)
        wanted = np.bincount(item, minlength=self.judgments.n_items)
        given = np.zeros_like(wanted)
        if workers is not None:
            worker = np.asarray(workers, np.int64)
            self._check("worker", worker, ANYBODY, self.judgments.n_workers)
            if len(worker) != len(item):
                raise JudgmentError(
                    f"asked for {counted(len(item), 'item')} by {counted(len(worker), 'worker')}; give "
                    "one worker an item"
                )
            given = self._give_by(item[worker >= 0], worker[worker >= 0])
        given = given + self._give(self.judgments.item, wanted - given)
        self._asked = self._asked or bool(given.any())
        return int(given.sum())

    def _codes(self, ids: pd.Series[Any] | Sequence[str]) -> Codes:
        """Codes of the items of these ids."""
        names = [str(name) for name in ids]
        codes = positions(names, self.judgments.item_ids)
        unknown = np.flatnonzero(codes < 0)
        if len(unknown):
            like = f', which look like "{self.judgments.item_ids[0].as_py()}"' if self.judgments.n_items else ""
            raise JudgmentError(
                f'asked for item "{names[unknown[0]]}", which is not among the '
                f"{counted(self.judgments.n_items, 'item')}{like}"
            )
        return codes

    @staticmethod
    def _check(kind: str, codes: Codes, least: int, end: int) -> None:
        wrong = codes[(codes < least) | (codes >= end)]
        if len(wrong):
            raise JudgmentError(f"asked for {kind} {wrong[0]}; codes of {kind}s go from {least} to {end - 1}")

    def _give(self, group: NDArray[np.integer], wanted: Codes) -> Codes:
        """Of each group of judgments (J,), -1 is none, hand out the first ``wanted`` (G,) withheld; how many (G,)."""
        some = np.flatnonzero(~self._there & (group >= 0))
        some = some[wanted[group[some]] > 0]
        order = some[np.lexsort((self._rank[some], group[some]))]
        n_each = np.bincount(group[order], minlength=len(wanted))
        place = np.arange(len(order)) - (np.cumsum(n_each) - n_each)[group[order]]
        chosen = order[place < wanted[group[order]]]
        self._there[chosen] = True
        return np.bincount(group[chosen], minlength=len(wanted))

    def _give_by(self, item: Codes, worker: Codes) -> Codes:
        """Hand out judgments of items by these workers (n,), where they are withheld; how many of each item (I,)."""
        of, W = self.judgments, max(self.judgments.n_workers, 1)
        before = self._there.copy()
        pair, wanted = np.unique(item * W + worker, return_counts=True)
        if len(pair):
            key = of.item.astype(np.int64) * W + of.worker
            at = np.minimum(np.searchsorted(pair, key), len(pair) - 1)
            self._give(np.where(pair[at] == key, at, -1), wanted)
        return np.bincount(of.item[self._there & ~before], minlength=of.n_items)
