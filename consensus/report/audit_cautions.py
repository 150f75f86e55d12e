"""The warnings about what the audit found: gold that is probably wrong, bad workers, and who changed over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.found.cautions import Caution
from consensus.inputs.counted import counted
from consensus.report.terms import CONDEMNED
from consensus.worker_audit import VERDICTS, suspect_gold
from consensus.worker_audit.accuracy import against_gold
from consensus.worker_audit.accuracy.one_label_verdicts import on_gold
from consensus.worker_audit.accuracy.units_of_workers import told
from consensus.worker_audit.over_time.drift import change_words

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.worker_audit import WorkerAudit

N_NAMED = 5  # workers of a kind, or items
N_DATED = 3  # workers who changed, each with what was and is


def cautions(audit: WorkerAudit) -> list[Caution]:
    """One line for each kind of finding, however many workers or items; none where there is nothing to say."""
    return [
        *_wrong_gold(audit),
        *_bad_workers(audit.of_members),
        *_contradicted(audit.of_members),
        *_changed(audit.of_members),
    ]


def _wrong_gold(audit: WorkerAudit) -> list[Caution]:
    items, n_gold = suspect_gold(audit.result)
    if not len(items):
        return []
    item_ids = audit.result.judgments.item_ids
    are = "is" if len(items) == 1 else "are"
    return [
        Caution(
            "wrong_gold",
            f"{len(items):,} of {counted(n_gold, 'gold item')} {are} probably wrong, because good workers contradict "
            f"{'it' if len(items) == 1 else 'them'}: {_named(items, item_ids)}; look at consensus audit --table gold, "
            "and correct the gold",
            {"n_items": float(len(items)), "n_gold": float(n_gold)},
        )
    ]


def _bad_workers(audit: WorkerAudit) -> list[Caution]:
    judgments, verdict = audit.result.judgments, audit.verdicts.verdict
    told, values, n = [], {}, 0
    by_work = np.argsort(-judgments.per_worker, kind="stable")
    for name in CONDEMNED:
        own = by_work[(verdict == VERDICTS.index(name))[by_work] & judgments.is_person[by_work]]
        values[name] = float(len(own))
        n += int(judgments.per_worker[own].sum())
        if len(own):
            told.append(f"{len(own):,} {name} ({_named(own, judgments.worker_ids)})")
    if not told:
        return []
    n_bad, share = sum(values.values()), n / judgments.n_judgments
    return [
        Caution(
            "bad_workers",
            f"{n_bad:,.0f} of {counted(int(judgments.is_person.sum()), 'worker')}, with {share:.0%} of the judgments, "
            f"answer badly: {', '.join(told)}; read the reasons in workers.csv (consensus audit), stop those who "
            "answer at random or against the truth, and talk to the careless",
            {**values, "n_judgments": float(n)},
        )
    ]


def _contradicted(audit: WorkerAudit) -> list[Caution]:
    """Whose verdict gold contradicts; silent where the fit has said so of many workers."""
    result = audit.result
    own = against_gold.contradicted(result, audit.accuracy, audit.verdicts)
    own = own[result.judgments.is_person[own]]
    if not len(own) or any(one.code == "gold_contradicts" for one in result.warnings):
        return []
    n, right = on_gold(result)
    n_gold, n_right = float(n[own].sum()), float(right[own].sum())
    share = result.judgments.per_worker[own].sum() / result.judgments.n_judgments
    return [
        Caution(
            "gold_contradicts",
            f"gold contradicts what the other judgments say of {counted(len(own), 'worker')} "
            f"({_named(own, result.judgments.worker_ids)}): they are right on {told(n_right)} of {told(n_gold)} gold "
            "judgments, and no verdict on them stands; look at them with consensus audit, and at the gold",
            {"n_workers": float(len(own)), "share": float(share), "n_gold": n_gold, "n_right": n_right},
        )
    ]


def _changed(audit: WorkerAudit) -> list[Caution]:
    judgments, found = audit.result.judgments, audit.drifts
    own = np.flatnonzero(found.changed & judgments.is_person)
    if not len(own):
        return []
    own = own[np.argsort((found.after - found.before)[own], kind="stable")]
    n_worse = int((found.after < found.before)[own].sum())
    ids, first = judgments.worker_ids, own[:N_DATED].tolist()
    told = [f'"{ids[w].as_py()}" ({change_words(found.before[w], found.after[w], found.when[w])})' for w in first]
    return [
        Caution(
            "workers_changed",
            f"{counted(len(own), 'worker')} changed over time, {n_worse:,} for the worse: "
            f"{', '.join(told)}{_more(len(own) - N_DATED)}; ask them what happened then (consensus audit --table "
            "drift lists all)",
            {"n_workers": float(len(own)), "n_worse": float(n_worse)},
        )
    ]


def _named(codes: NDArray[np.int64], ids: pa.StringArray) -> str:
    """The first few ids between quotes, and how many more."""
    return ", ".join(f'"{ids[int(code)].as_py()}"' for code in codes[:N_NAMED]) + _more(len(codes) - N_NAMED)


def _more(n: int) -> str:
    return f" and {n:,} more" if n > 0 else ""
