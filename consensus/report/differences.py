"""What is different between two runs: labels and statuses, and whose judgments did it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.explanation import explain
from consensus.inputs.vocabulary import positions
from consensus.report import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.explanation import Explanation
    from consensus.found.result import Columns, Consensus
    from consensus.inputs.earlier_run import Previous

MOST_EXPLAINED = 500  # flipped items whose judgments are weighed
NOTEWORTHY = 0.05  # nats
NAMED = 3  # who did it, for each item
PRIOR = "how common labels are"


@dataclass(frozen=True, slots=True)
class Cause:
    """What moved an item from its label before to the one now."""

    who: str
    how: str
    """new, gone, rated anew, another label, model, or prior."""
    push: float
    """Nats towards the label now, against that before, more than before."""


def table(old: Previous, new: Previous) -> Columns:
    """Items with another label, status or number of judgments, or that only one run knows; flipped labels first.

    Those of a kind are sorted by item: the tables may come in any order.

    item, change (label, status, judgments, new, gone), label_before, label, status_before, status,
    n_judgments_before, n_judgments.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    old, new = old.beside(new.item, new.label), new.beside(old.item, old.label)
    at = new.rows(old.item)
    added = np.flatnonzero(old.rows(new.item) < 0)
    items = pa.concat_arrays([old.item, new.item.take(pa.array(added))])
    before = np.concatenate([np.arange(len(old.item)), np.full(len(added), -1)])
    now = np.concatenate([at, added])
    columns = {}
    for name in ("label", "status"):
        columns[f"{name}_before"] = _taken(getattr(old, name), before)
        columns[name] = _taken(getattr(new, name), now)
    n_before, n_now = _counts(old, before), _counts(new, now)
    kinds = ("label", "status", "judgments", "new", "gone")
    kind = np.full(len(items), -1)
    kind[n_before != n_now] = kinds.index("judgments")
    kind[_differ(columns["status_before"], columns["status"])] = kinds.index("status")
    kind[_differ(columns["label_before"], columns["label"])] = kinds.index("label")
    kind[before < 0] = kinds.index("new")
    kind[now < 0] = kinds.index("gone")
    sorted_rows = pc.array_sort_indices(items.cast(pa.binary())).to_numpy()
    rows = sorted_rows[kind[sorted_rows] >= 0]
    rows = pa.array(rows[np.argsort(kind[rows], kind="stable")])
    found: Columns = {"item": items.take(rows), "change": pa.array(kinds, pa.string()).take(pa.array(kind).take(rows))}
    found |= {name: column.take(rows) for name, column in columns.items()}
    return found | {"n_judgments_before": n_before[rows.to_numpy()], "n_judgments": n_now[rows.to_numpy()]}


def causes(flipped: Sequence[tuple[str, str, str]], new: Consensus, old: Consensus | None) -> dict[str, list[Cause]]:
    """What moved each of some items (item, label before, label now), the strongest first; of 500 at most.

    Without the ``old`` fit: everything that the new one has to say for the label now.
    """
    now = _explained(flipped, new)
    before = {} if old is None else _explained(flipped, old)
    found = {}
    for item, one in now.items():
        was = before.get(item)
        parts = _parts(one)
        if was is None:
            causes = [Cause(who, how, push) for (who, how, _), push in parts.items()]
        else:
            causes = list(_compared(parts, _parts(was)))
        found[item] = sorted((one for one in causes if abs(one.push) >= NOTEWORTHY), key=lambda one: -one.push)
    return found


def by_worker(causes: dict[str, list[Cause]]) -> list[dict[str, Any]]:
    """Who did most: how many of the flips each spoke for, and the logarithm of the odds in all; the most first."""
    flips, log_odds = Counter[str](), defaultdict[str, float](float)
    for found in causes.values():
        for one in found:
            if one.push > 0 and one.who != PRIOR:
                flips[one.who] += 1
                log_odds[one.who] += one.push
    order = sorted(log_odds, key=lambda who: (-log_odds[who], who))
    return [{"who": who, "flips": flips[who], "log_odds": log_odds[who]} for who in order]


def in_words(found: list[Cause]) -> str:
    """Such as ``w7 new x 8.2; w3 rated anew x 2.2``: by how much each changed the odds of the new label."""
    return "; ".join(
        f"{one.who if one.who == PRIOR else f'{one.who} {one.how}'} {words.odds(one.push)}"
        for one in found[:NAMED]
        if one.push > 0
    )


def _explained(flipped: Sequence[tuple[str, str, str]], result: Consensus) -> dict[str, Explanation]:
    """The explanation of each item between its two labels, where the fit knows the item and both of them."""
    import pyarrow as pa

    judgments = result.judgments
    if result.terms is None:
        return {}
    some = list(flipped)[:MOST_EXPLAINED]
    code = positions(pa.array([item for item, _, _ in some], pa.string()), judgments.item_ids)
    label = {name: k for k, name in enumerate(judgments.labels)}
    pairs = np.array([(label.get(now, -1), label.get(before, -1)) for _, before, now in some]).reshape(-1, 2)
    known = np.flatnonzero((code >= 0) & (pairs >= 0).all(axis=1))
    return {one.item: one for one in explain(result, code[known], pairs[known])}


def _parts(one: Explanation) -> dict[tuple[str, str, int], float]:
    """Pushes by who, what was said, and which of several times; with the prior."""
    found: dict[tuple[str, str, int], float] = {(PRIOR, "prior", 0): one.prior}
    for pushes in (one.votes, one.models, one.readings, one.calibration):
        for push in pushes:
            time = 0
            while (push.who, push.said, time) in found:
                time += 1
            found[push.who, push.said, time] = push.push
    return found


def _compared(now: dict[tuple[str, str, int], float], was: dict[tuple[str, str, int], float]) -> list[Cause]:
    gone = {who for who, _, _ in was.keys() - now.keys()}
    found = []
    for key, push in now.items():
        if key in was:
            found.append(Cause(key[0], "prior" if key[0] == PRIOR else "rated anew", push - was[key]))
        else:
            found.append(Cause(key[0], "says another label" if key[0] in gone else "new", push))
    found += [Cause(key[0], "gone", -push) for key, push in was.items() if key not in now]
    return found


def _taken(column: pa.StringArray, rows: NDArray[np.int64]) -> pa.StringArray:
    import pyarrow as pa

    return column.take(pa.array(rows, mask=rows < 0))


def _counts(run: Previous, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.where(rows < 0, 0, np.append(run.n_judgments, 0)[rows])


def _differ(a: pa.StringArray, b: pa.StringArray) -> NDArray[np.bool_]:
    import pyarrow.compute as pc

    one, other = a.fill_null("\N{NULL}"), b.fill_null("\N{NULL}")
    return np.asarray(pc.not_equal(one, other).to_numpy(zero_copy_only=False), np.bool_)
