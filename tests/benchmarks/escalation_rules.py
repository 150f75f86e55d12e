"""Whether the promise of accepted items is kept, and the judgments that are foretold are used. By replay."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from consensus import Replay
from consensus.config import EscalateConfig
from consensus.escalation import statuses
from consensus.escalation.look_ahead import look_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from consensus import Consensus
    from tests.benchmarks import escalation_curves as curves
    from tests.benchmarks import markdown_tables
    from tests.benchmarks.escalation_replay import PROCESSES
else:  # run as a script, its own folder is on the path
    import escalation_curves as curves
    import markdown_tables
    from escalation_replay import PROCESSES

T = TypeVar("T")

TARGET = 0.95
STOP_SETS, N_GOLD, CAP = ("sentiment", "rte", "cf_amt"), 100, 5
STARTS, NEEDED_CAP, FEW = (2, 3), 7, 7.0
LOWER_CAP = 5  # of sets with fewer judgments an item


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a replay ended, by the rule of acceptance."""

    right: float
    """Share of the accepted items without gold that are right."""
    accepted: float
    """Share of the items without gold that are accepted."""
    per_item: float
    """Judgments an item, of all."""
    gold_right: float
    """The same of the accepted gold items, by what they are without their gold; NaN without gold."""
    rho: float


def drawn_gold(crowd: curves.Crowd, seed: int, n_gold: int) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Codes of as many items, ascending, and their truth as gold."""
    of, truth = crowd.judgments, crowd.truth
    drawn = np.sort(np.random.default_rng([seed, 5]).choice(np.flatnonzero(truth >= 0), n_gold, replace=False))
    ids = of.item_ids.to_pylist()
    table = pd.DataFrame({"item": [ids[i] for i in drawn], "label": [of.labels[truth[i]] for i in drawn]})
    return drawn, table.astype(str)


def stopped(crowd: curves.Crowd, seed: int, n_gold: int) -> Stopped:
    """Ask for one judgment more of every item that is not settled, round by round, to the end."""
    of, truth = crowd.judgments, crowd.truth
    drawn, gold = drawn_gold(crowd, seed, n_gold)
    config = EscalateConfig(target=TARGET, max_judgments=CAP)
    replay = Replay(of, start=2, seed=seed, gold=gold if n_gold else None, threads=1, model="dawid_skene")
    for step in replay:
        result, n = step.result, step.result.judgments.per_item
        status = statuses(result, config).to_numpy()
        settled, wanted = status == "accepted", status == "escalate"
        right = result.consensus_label == truth
        if result.gold is not None and result.gold_posterior is not None:
            z, items = result.gold_posterior, result.gold.items
            settled[items] = (z.max(axis=1) >= TARGET) & (n[items] >= config.min_judgments)
            wanted[items] = ~settled[items] & (n[items] < CAP)
            right[items] = z.argmax(axis=1) == truth[items]
        last = result
        replay.ask_codes(np.flatnonzero(wanted))
    counts = truth >= 0
    counts[drawn] = False
    return Stopped(
        right=share(right[counts & settled]),
        accepted=share(settled[counts]),
        per_item=last.judgments.n_judgments / of.n_items,
        gold_right=share(right[drawn][settled[drawn]]) if n_gold else np.nan,
        rho=last.rho,
    )


def stopping(seeds: Sequence[int], scale: int) -> str:
    """The promise beside what was kept, without and with gold."""
    rows = []
    for n_gold in (0, max(N_GOLD // scale, 1)):
        for name in STOP_SETS:
            found = over_seeds(partial(stopped, n_gold=n_gold), name, seeds, scale)
            mean, error = mean_and_error([astuple(one) for one in found])
            figures = [f"{100 * m:.1f} ±{100 * e:.1f}" for m, e in zip(mean[:2], error[:2], strict=True)]
            on_gold = f"{100 * mean[3]:.1f}" if n_gold else ""
            rows.append((name, n_gold, *figures, f"{mean[2]:.2f}", on_gold, f"{mean[4]:.2f}"))
    head = ["", "gold items", "accepted: right %", "accepted %", "judgments an item", "accepted gold: right %", "rho"]
    return markdown_tables.table(head, rows)


@dataclass(frozen=True, slots=True)
class Foretold:
    """Judgments needed, of the items that are unsettled at the start and have enough judgments withheld."""

    unsettled: float
    """Share of all items."""
    predicted: float
    """Mean at the start."""
    used: float
    """Mean until the item was settled or had as many as it may have."""
    inside: float
    """Share of the items whose number used was in the range."""
    correction: float
    """After one round: (used by then + needed now) / predicted."""
    p_settled: float
    """Mean of what was predicted."""
    settled: float
    """Share that was settled."""


def foretold(crowd: curves.Crowd, seed: int, start: int, n_gold: int = 0) -> Foretold:
    """Ask for one judgment more of every item that is not settled, round by round, to the end.

    Gold items, of which there are at most half of those with truth, are asked for like the others, and not counted.
    """
    of = crowd.judgments
    cap = NEEDED_CAP if of.per_item.mean() >= FEW else LOWER_CAP
    config = EscalateConfig(target=TARGET, max_judgments=cap)
    everything = np.arange(of.n_items)
    drawn, gold = drawn_gold(crowd, seed, min(n_gold, int((crowd.truth >= 0).sum()) // 2))
    replay = Replay(of, start=start, seed=seed, gold=gold if len(drawn) else None, threads=1, model="dawid_skene")
    totals: list[float] = []  # used and still needed, after each round
    for n_rounds, step in enumerate(replay):
        n = step.result.judgments.per_item
        settled = _settled(step.result, config)
        ahead = look_ahead(step.result, everything, config)
        if not n_rounds:
            first, n_first = ahead, n
            chosen = ~settled & (of.per_item >= cap)
            chosen[drawn] = False
        totals.append(float((n - n_first + np.where(settled, 0.0, ahead.needed))[chosen].sum()))
        wanted = ~settled & (n < cap)
        if step.result.gold_posterior is not None:
            wanted[drawn] = (step.result.gold_posterior.max(axis=1) < TARGET) & (n[drawn] < cap)
        replay.ask_codes(np.flatnonzero(wanted))
    used = (n - n_first)[chosen]
    return Foretold(
        unsettled=float(chosen.mean()),
        predicted=float(first.needed[chosen].mean()),
        used=float(used.mean()),
        inside=float(((used >= first.low[chosen]) & (used <= first.high[chosen])).mean()),
        correction=totals[min(1, len(totals) - 1)] / totals[0],
        p_settled=float(first.settled[chosen].mean()),
        settled=float(settled[chosen].mean()),
    )


def _settled(result: Consensus, config: EscalateConfig) -> NDArray[np.bool_]:
    return np.asarray((result.peaks.confidence >= config.target) & (result.judgments.per_item >= config.min_judgments))


def needed(sets: Sequence[str], seeds: Sequence[int], scale: int) -> str:
    """What was foretold beside what was used; and corrected after a round. Without gold and with."""
    rows, most, least = [], 0.0, 1.0
    for name in sets:
        for start, n_gold in (*((start, 0) for start in STARTS), (STARTS[-1], max(N_GOLD // scale, 1))):
            found = over_seeds(partial(foretold, start=start, n_gold=n_gold), name, seeds, scale)
            of = Foretold(*mean_and_error([astuple(one) for one in found])[0])
            corrected = float(np.mean([one.predicted * one.correction for one in found]))
            if start == STARTS[-1]:
                most, least = max(most, abs(of.p_settled - of.settled)), min(least, of.inside)
            rows.append(
                (
                    f"{name}, from {start}",
                    n_gold,
                    f"{100 * of.unsettled:.0f}",
                    *(f"{one:.2f}" for one in (of.predicted, of.used, of.predicted / of.used)),
                    f"{100 * of.inside:.0f}",
                    *(f"{one:.2f}" for one in (of.correction, corrected, corrected / of.used)),
                    *(f"{100 * one:.0f}" for one in (of.p_settled, of.settled)),
                )
            )
    head = [
        *("", "gold items", "unsettled items %", "predicted", "used", "predicted / used", "inside the range %"),
        *("correction", "corrected", "corrected / used", "foretold: settled %", "settled %"),
    ]
    told = (
        f"From {STARTS[-1]}, worst: settled {100 * most:.0f} points off what was foretold, {100 * least:.0f} % inside "
        "the range."
    )
    return told + "\n\n" + markdown_tables.table(head, rows)


def over_seeds(run: Callable[[curves.Crowd, int], T], name: str, seeds: Sequence[int], scale: int) -> list[T]:
    """What a replay finds for each seed, in processes."""
    with ProcessPoolExecutor(PROCESSES) as pool:
        return list(pool.map(partial(_one, run, name, scale), seeds))


def _one(run: Callable[[curves.Crowd, int], T], name: str, scale: int, seed: int) -> T:
    return run(curves.crowd(name, seed, curves.MOST_ITEMS // scale), seed)


def share(of: NDArray[np.bool_]) -> float:
    """How many are true; NaN of nothing."""
    return float(of.mean()) if len(of) else np.nan


def mean_and_error(figures: Sequence[Sequence[float]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean over the seeds, in rows, and its standard error (NaN with one seed)."""
    x = np.array(figures, np.float64)
    error = x.std(axis=0, ddof=1) / np.sqrt(len(x)) if len(x) > 1 else np.full(x.shape[1], np.nan)
    return x.mean(axis=0), np.asarray(error)
