"""The accepted items that gold does not speak for: how many, why, in numbers and in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.escalation import unaudited
from consensus.found.cautions import Caution
from consensus.found.counting import mean, some

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.counting import Counting
    from consensus.found.result import Consensus

    Flags = NDArray[np.bool_]

MOST_NAMED = 3  # workers
MISSED = 0.05  # probability that gold misses a part by chance, below which it is warned of
DOUBT = 0.05  # that is left where gold shows how many are right


def told(result: Consensus, why: NDArray[np.int32], right: Flags, counting: Counting | None) -> dict[str, Any]:
    """The accepted items beyond the reach of gold: those whose ``why`` (I,) is not -1 (``escalation.unaudited``).

    How many there are by ``workers`` whom gold has not checked (``with_others``: some also by those whom it has), in a
    ``group`` that it has not met, or with a ``label`` that no gold item gets. Of these workers: their
    ``judgments_on_gold``, the gold items of which they gave most judgments, how many of these the label is wrong of by
    what gold said of them, ``right`` (G,), and the busiest workers. ``counting`` is that of all items; ``weight`` is
    there where they have one.
    """
    judgments, gold, reach = result.judgments, result.gold, result.reach
    assert gold is not None
    assert reach is not None
    chosen = np.flatnonzero(why >= 0)
    weighed = some(counting, chosen)
    worker = judgments.worker[judgments.of_items(np.flatnonzero(why == unaudited.WORKERS))[1]]
    strange = ~reach.workers[worker]
    n_each = np.bincount(worker[strange], minlength=judgments.n_workers)
    own, at = judgments.of_items(gold.items)
    by_them = (n_each > 0)[judgments.worker[at]]
    theirs = right[~reach.by_workers[gold.items] & (np.bincount(own, by_them, minlength=len(right)) > 0)]
    busiest = np.argsort(-n_each, kind="stable")[:MOST_NAMED]
    return {
        "accepted": len(chosen),
        "expected_error": mean(1.0 - result.confidence[chosen], weighed),
        **({} if weighed is None or judgments.weight is None else {"weight": weighed.total}),
        **{name: int((why == code).sum()) for code, name in enumerate(unaudited.WHY)},
        "with_others": not strange.all(),
        "judgments_on_gold": int(by_them.sum()),
        "gold_items": len(theirs),
        "gold_errors": int((~theirs).sum()),
        "busiest": [judgments.worker_ids[w].as_py() for w in busiest.tolist() if n_each[w]],
    }


def within(beyond: dict[str, Any]) -> str:
    """What the other accepted items are."""
    return "that gold can check" if beyond["group"] or beyond["label"] else "by workers whom gold has checked"


def phrase(beyond: dict[str, Any]) -> str:
    """Such as ``366 by workers whom no gold has seen``."""
    seen = "gold has hardly seen" if beyond["judgments_on_gold"] else "no gold has seen"
    measured = f" ({beyond['gold_errors']:,} of their {beyond['gold_items']:,} gold items wrong)"
    parts = {
        "workers": f"{'mostly ' * beyond['with_others']}by workers whom {seen}{measured * (beyond['gold_items'] > 0)}",
        "group": "in groups that gold has not met",
        "label": "with labels that no gold item gets",
    }
    return " and ".join(f"{beyond[name]:,} {text}" for name, text in parts.items() if beyond[name])


def caution(quality: dict[str, Any]) -> Caution | None:
    """Say so, and what to do, where gold would hardly have missed as many items by chance."""
    beyond = quality.get("beyond_gold")
    if beyond is None:
        return None
    n, total, target = beyond["accepted"], beyond["accepted"] + quality["accepted"], quality["target"]
    if (1.0 - n / total) ** quality["gold"]["all"]["items"] >= MISSED:
        return None
    needed = math.ceil(math.log(DOUBT) / math.log(target))
    such = ", ".join(f'"{name}"' for name in beyond["busiest"])
    return Caution(
        "beyond_gold",
        f"gold can't check {n:,} of the {total:,} accepted items, "
        f"{phrase(beyond)}; give gold for some of them, drawn at "
        f"random ({needed:,} of which none is wrong would show that "
        f"{100 * target:.3g}% are right)" + (f", such as items by {such}" if such else ""),
        {"n_items": n, "n_accepted": total},
    )
