"""What is said of repeats: that there are many, whose they are, and which column would explain them."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs import identities
from consensus.inputs.counted import counted
from consensus.inputs.identities import LEAST, MOST_OF_ONE, MOSTLY, OTHERS, Repeated
from consensus.inputs.notices import Notice
from consensus.inputs.ordering import RepeatRule
from consensus.inputs.understood import one_line, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.config import ReadConfig
    from consensus.formats.tables.explaining_column import Explanation
    from consensus.inputs.judgments import Judgments, Reject

    Coded = tuple[NDArray[np.int32], pa.StringArray]

NO_WORKER = "the worker is missing"  # why such a row is a reject
MANY = 0.05  # share of the judgments that give way to repeats, above which it is told
FEW = 10  # such judgments, up to which it is no error
TOO_MANY = 0.5  # above which it is an error, unless the user said what becomes of repeats


class Identities:
    """Which workers stand for many people, as the user or an export said, or as is plain; and what is said of it."""

    def __init__(
        self, settings: ReadConfig, items: Coded, workers: Coded, label: NDArray[np.int32], many: Sequence[str] = ()
    ) -> None:
        (item, _), (worker, worker_ids) = items, workers
        self.notices: list[Notice] = []
        codes = identities.named(settings.anonymous, worker_ids)
        for name, code in zip(settings.anonymous, codes.tolist(), strict=True):
            if code < 0:
                message = f"--anonymous {shlex.quote(one_line(name))}: no worker is called that"
                self.notices.append(Notice("option_without_effect", message, {"n_rows": 0}))
        codes = np.concatenate([codes, identities.named(many, worker_ids)])
        chosen = set(codes[codes >= 0].tolist())
        guess = "repeats" not in settings.model_fields_set
        for one in identities.nobodies(worker_ids, item, worker, label) if guess else ():
            if one.code not in chosen and one.n > 1:
                self.notices.append(identities.notice(one, apart=one.most > 1))
                chosen |= {one.code} if one.most > 1 else set()
        self.names = tuple(worker_ids[code].as_py() for code in sorted(chosen))
        """Workers who stand for many people."""
        kept = np.zeros(len(worker_ids), np.bool_)
        kept[sorted(chosen)] = True
        self.rule = RepeatRule(settings.repeats, kept if chosen else None)
        """Which of the repeats count."""

    def missing(self, rejects: Sequence[Reject], n_read: int) -> list[Notice]:
        """Say that many rows are rejects for want of a worker, and how they would count."""
        n = sum(one.reason == NO_WORKER for one in rejects)
        if n <= max(MANY * n_read, FEW):
            return []
        message = (
            f"{n:,} of {n_read:,} rows name no worker and are not used; with --anonymous '' each of them counts as the "
            "judgment of another person"
        )
        return [Notice("shared_identity", message, {"n_judgments": n}, ("--anonymous", ""))]

    def note(self, judgments: Judgments) -> list[str]:
        """How many judgments are nobody's."""
        if not self.names:
            return []
        codes = identities.named(self.names, judgments.worker_ids)
        n = int(np.isin(judgments.worker, codes).sum())
        names = ", ".join(map(quoted, self.names))
        return [
            f"{counted(n, f'judgment by {names} counts', f'judgments by {names} count')} as those of different people; "
            "none of them is audited"
        ]


def checked(
    judgments: Judgments, settings: ReadConfig, explained: Callable[[], Explanation | None], may_refuse: bool = True
) -> Judgments:
    """The judgments, with what is to be said of their repeats.

    Raises
    ------
    JudgmentError
        Most judgments give way to repeats, the user did not say what becomes of these, and it ``may_refuse``.
    """
    counts = judgments.repeats
    if counts is None:
        return judgments
    found: list[Notice] = []
    ids = judgments.worker_ids, judgments.item_ids
    worker, item = ids[0][counts.worst_worker].as_py(), ids[1][counts.worst_item].as_py()
    own = counts.n_of_worker / counts.n_given
    others = (counts.n - counts.n_of_worker) / max(counts.n_given_by_others, 1)
    many_people = counts.n_of_worker >= LEAST and counts.most >= MOST_OF_ONE
    if many_people and own > MOSTLY and others < OTHERS * own:
        one = Repeated(worker, counts.worst_worker, counts.n_given, counts.most)
        found.append(identities.notice(one, apart=False))
    n_given = judgments.tally.used + counts.n
    if counts.n > MANY * n_given:
        why = explained()
        rows = (
            f"{counts.n:,} of {n_given:,} judgments ({counts.n / n_given:.0%}) repeat the same item and worker, most "
            f"of them worker {quoted(worker)} ({counts.n_of_worker:,}) and item {quoted(item)} ({counts.n_of_item:,})"
        )
        out = [one.message for one in found] if why is None else [why.message]
        way_out = "; ".join(out) or "check which column is read as the item (--item)"
        too_many = counts.n > max(TOO_MANY * n_given, FEW) and may_refuse
        if too_many and "repeats" not in settings.model_fields_set:
            place = judgments.sources[0].file if judgments.sources else "data frame"
            raise JudgmentError(f"{rows}; {way_out}; or choose with --repeats last, first or keep", place)
        values = {"n_judgments": counts.n, "share": counts.n / n_given}
        found.append(Notice("many_repeats", f"{rows}; {way_out}", values, () if why is None else why.options))
    return replace(judgments, cautions=(*judgments.cautions, *found))
