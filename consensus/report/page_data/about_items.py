"""About single items: who said what, and how far each judgment pushed the label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.escalation import STATUSES
from consensus.explanation import explain
from consensus.found.readings import disputed_columns
from consensus.found.result import named
from consensus.report.page_data.plain_records import plain, records

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.escalation import Escalation
    from consensus.explanation import Push
    from consensus.found.result import Consensus

    Records = list[dict[str, Any]]

MOST_ITEMS = 2_000
MOST_JUDGMENTS = 8_000  # of all items that are shown
MOST_DISPUTED = 40  # items on which readings disagree
MOST_OTHER = 25  # items whose majority says something else
URGENT = 0.4  # of the items shown, where not all are: those at the top of the escalations


def item_facts(result: Consensus, found: Escalation, most: int = MOST_ITEMS) -> list[dict[str, Any]]:
    """Some items with every judgment's push: all where they are few; else the most urgent ones, and others evenly.

    ``id``, ``label``, ``runner_up``, ``confidence``, ``status``, ``gold``, ``log_odds`` of label and runner-up (nats)
    and its parts: ``prior``, ``models``, ``readings``, ``calibration`` and ``votes``, each a list of who, said, push,
    and the label that would win without (or None).
    """
    items = chosen_items(result, found, most)
    status = found.status(result)[items].tolist()
    return [
        {
            "id": one.item,
            "label": one.label,
            "runner_up": one.runner_up,
            "confidence": plain(one.confidence),
            "status": STATUSES[state],
            "gold": one.gold,
            "log_odds": plain(one.log_odds, 4),
            "prior": plain(one.prior, 4),
            "models": [_pushed(push) for push in one.models],
            "readings": [_pushed(push) for push in one.readings],
            "calibration": [_pushed(push) for push in one.calibration],
            "votes": [_pushed(push) for push in one.votes],
        }
        for one, state in zip(explain(result, items), status, strict=True)
    ]


def disputed_records(result: Consensus) -> list[dict[str, Any]]:
    """Items to which readings give different labels, the least certain first, as in readings.csv; some of many."""
    if result.readings is None:
        return []
    columns = disputed_columns(result)
    return records(columns, columns, range(min(MOST_DISPUTED, len(columns["confidence"]))))


def majority_records(result: Consensus, most: int = MOST_OTHER) -> tuple[Records, int]:
    """Items whose label is another one than their majority's, the surest first; and how many there are.

    Ties of the majority, and gold items, are left out.
    """
    majority = result.votes[0]
    other = (majority >= 0) & (result.consensus_label >= 0) & (majority != result.consensus_label)
    if result.gold is not None:
        other[result.gold.items] = False
    items = np.flatnonzero(other)
    surest = items[np.argsort(-result.confidence[items], kind="stable")][:most]
    columns = {**result.told_columns(surest), "majority_label": named(majority[surest], result.judgments.labels)}
    wanted = ("item", "label", "confidence", "n_judgments", "majority_label")
    return records(columns, wanted), len(items)


def chosen_items(result: Consensus, found: Escalation, most: int = MOST_ITEMS) -> NDArray[np.int64]:
    """Codes of the items that are shown, in order."""
    n = result.judgments.n_items
    most = max(min(most, int(MOST_JUDGMENTS / max(result.judgments.n_judgments / max(n, 1), 1.0))), 1)
    if n <= most:
        return np.arange(n)
    urgent = found.items[: int(URGENT * most)]
    evenly = np.linspace(0, n - 1, most - len(urgent)).astype(np.int64)
    return np.union1d(urgent, evenly)


def _pushed(push: Push) -> list[Any]:
    return [push.who, push.said, plain(push.push, 4), push.flips]
