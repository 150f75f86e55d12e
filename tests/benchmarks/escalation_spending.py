"""What a budget buys at once, in rounds and batch by batch; and what decisions cost after as many judgments."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from consensus import Replay, escalate
from consensus.escalation.look_ahead import look_ahead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from consensus import Consensus
    from tests.benchmarks import escalation_curves as curves
    from tests.benchmarks import escalation_policies as policies
    from tests.benchmarks import markdown_tables
    from tests.benchmarks.escalation_replay import BATCH, RHO
    from tests.benchmarks.escalation_rules import TARGET, mean_and_error, over_seeds
else:  # run as a script, its own folder is on the path
    import escalation_curves as curves
    import escalation_policies as policies
    import markdown_tables
    from escalation_replay import BATCH, RHO
    from escalation_rules import TARGET, mean_and_error, over_seeds

SET = "sentiment"
BUDGET, BUDGET_START = 0.5, 3  # judgments an item
ONE_LIST, ROUNDS, SEQUENTIAL = "one list", 3, "batches of 5 %"
COSTS_REDUNDANCY = 5
COST = np.array([[0.0, 1.0], [5.0, 0.0]])  # [true, decided]
COST_POLICIES = (policies.UNIFORM, "least confidence", policies.OURS, "ours, costs given")


def spent(crowd: curves.Crowd, seed: int) -> tuple[float, ...]:
    """Accuracy at the start, and after the budget: uniform, one list, rounds, batches."""
    of = crowd.judgments
    total = round(BUDGET * of.n_items)
    rng = np.random.default_rng([seed, 7])
    tie = rng.random(of.n_items)

    def lists(sizes: Sequence[int]) -> float:
        replay = _started(crowd, seed)
        for size in sizes:
            table = escalate(next(replay).result, target=TARGET, budget=size)
            replay.ask(table[["item", "judgments"]])
        return curves.accuracy(next(replay).result, crowd.truth)

    def batches() -> float:
        replay = _started(crowd, seed)
        size, asked = max(round(BATCH * of.n_items), 1), 0
        while asked < total:
            step = next(replay)
            items = policies.most_urgent(policies.ours(step.result), step.left, min(size, total - asked), tie)
            asked += replay.ask_codes(items)
        return curves.accuracy(next(replay).result, crowd.truth)

    replay = _started(crowd, seed)
    first = curves.accuracy(next(replay).result, crowd.truth)
    replay.ask_codes(rng.permutation(of.n_items)[:total])
    uniform = curves.accuracy(next(replay).result, crowd.truth)
    rounds = [total // ROUNDS + (n < total % ROUNDS) for n in range(ROUNDS)]
    return first, uniform, lists([total]), lists(rounds), batches()


def _started(crowd: curves.Crowd, seed: int) -> Replay:
    return Replay(crowd.judgments, start=BUDGET_START, seed=seed, threads=1, model="dawid_skene")


def budgets(seeds: Sequence[int], scale: int) -> str:
    """Gains over uniform, as shares of the gain of asking batch by batch."""
    found = np.array(over_seeds(spent, SET, seeds, scale))
    gains = found[:, 2:] - found[:, 1:2]
    mean, error = mean_and_error(found.tolist())
    gain, gain_error = mean_and_error(gains.tolist())
    n = len(seeds)
    names = ("three an item", policies.UNIFORM, ONE_LIST, f"{ROUNDS} lists", SEQUENTIAL)
    rows = []
    for k, name in enumerate(names):
        row = [name, f"{100 * mean[k]:.2f} ±{100 * error[k]:.2f}"]
        if k >= 2:
            row += [f"{100 * gain[k - 2]:.2f} ±{100 * gain_error[k - 2]:.2f}", _share(gains[:, k - 2], gains[:, -1])]
        rows.append(row + [""] * (4 - len(row)))
    told = (
        f"{SET}, {n} seeds. Batches: the items of the highest priority, one judgment each, refitted after each batch."
    )
    return (
        told
        + "\n\n"
        + markdown_tables.table(["", "accuracy %", "gain over uniform, points", "share of the batches'"], rows)
    )


def _share(gain: NDArray[np.float64], whole: NDArray[np.float64]) -> str:
    """Ratio of the mean gains, and its jackknife error."""
    S = len(gain)
    if gain is whole or S < 2:
        return f"{gain.mean() / whole.mean():.2f}"
    without = np.array([np.delete(gain, s).mean() / np.delete(whole, s).mean() for s in range(S)])
    error = np.sqrt((S - 1) / S * ((without - without.mean()) ** 2).sum())
    return f"{gain.mean() / whole.mean():.2f} ±{error:.2f}"


def realised(crowd: curves.Crowd, seed: int, policy: str, rho: float | None = RHO) -> tuple[float, float]:
    """Mean cost of the decisions, and their accuracy, after as many judgments as fixed redundancy takes."""
    of, truth = crowd.judgments, crowd.truth
    rng = np.random.default_rng([seed, 9])
    tie, size, most = rng.random(of.n_items), max(round(BATCH * of.n_items), 1), crowd.fixed(COSTS_REDUNDANCY)
    replay = Replay(of, start=2, seed=seed, rho=rho, threads=1, model="dawid_skene")
    known = np.flatnonzero(truth >= 0)
    cost = right = np.nan
    for step in replay:
        decided = np.argmin(step.result.beliefs.dense(known) @ COST, axis=1)
        cost, right = float(COST[truth[known], decided].mean()), float((decided == truth[known]).mean())
        wanted = min(size, most - step.n_judgments)
        replay.ask_codes(policies.most_urgent(_cost_score(step.result, policy), step.left, wanted, tie))
    return cost, right


def _cost_score(result: Consensus, policy: str) -> NDArray[np.float64]:
    items = np.arange(result.judgments.n_items)
    if policy == policies.UNIFORM:
        return policies.uniform(result)
    if policy == policies.OURS:
        return policies.ours(result)
    if policy == COST_POLICIES[1]:
        return 1.0 - result.peaks.confidence
    return look_ahead(result, items, policies.WITHOUT_CAP, costs=COST).priority


def costs(seeds: Sequence[int], scale: int) -> str:
    """Realised costs of the policies."""
    rows = []
    for policy in COST_POLICIES:
        found = over_seeds(partial(realised, policy=policy), SET, seeds, scale)
        mean, error = mean_and_error(found)
        rows.append((policy, f"{mean[0]:.3f} ±{error[0]:.3f}", f"{100 * mean[1]:.1f}"))
    told = (
        f'{SET}, {COSTS_REDUNDANCY} judgments an item: "1" taken for "0" costs {COST[1, 0]:g}, "0" for "1" '
        f"{COST[0, 1]:g}; decisions by least expected cost."
    )
    return told + "\n\n" + markdown_tables.table(["", "realised cost", "decisions right %"], rows)
