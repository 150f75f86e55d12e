"""Crowds whose items are easy or hard for everybody, as they come over time: steady ones, and ones where some change.

Skills are logit-normal and items have a difficulty that all workers share, so that judgments of an item err together:
another family than that of ``consensus.simulate``. Half of the wrong answers to an item are its own tempting label.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import consensus
from consensus import worker_audit

if TYPE_CHECKING:
    from consensus.inputs.judgments import Judgments
    from tests.benchmarks import markdown_tables
else:  # run as a script, its own folder is on the path
    import markdown_tables

SCENARIOS = {
    "even": "items in random order",
    "easy first": "items in order of difficulty",
    "hard first": "items against the order of difficulty",
    "blocks": "six blocks, by turns of easy and hard items",
    "by label": "items in order of their true label",
    "joining": "workers come and go, the later ones worse",
}
N_CROWDS, FIRST = 8, 16  # crowds a scenario, and the first of their seeds: those before were tuned on
N_WORKERS, N_ITEMS, PER_ITEM = 60, 1_200, 5
MOST_SMALLER = 3  # times, in a try-out: else nobody has enough judgments
SKILL, SKILL_SPREAD, LABEL_SPREAD, DIFFICULTY = 1.8, 0.7, 0.4, 1.0  # logits
ACTIVITY = 0.7  # deviations of the logarithm of how much a worker judges
TEMPTING = 0.5  # of the wrong answers
STAY = 0.5  # of the whole time, that those who come and go are there
BLOCKS, BLOCK = 6, 1.2  # blocks, and how much easier or harder than the mean they are
WORSE = 1.5  # logits by which the last of those who join is worse than the first
START, DAYS = np.datetime64("2025-03-03T00:00:00", "us"), 30
N_CHANGING = 4  # workers of a crowd
BAD = ("careless", "spammer", "adversarial")
CHANGES = ((2.0, False), (3.5, False), (2.0, True), (3.5, True))  # logits they lose; whether over half of the time


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """Judgments with times, and who changed."""

    judgments: Judgments
    changing: tuple[str, ...]
    """Ids of the workers who become worse."""


def crowd(scenario: str, seed: int, *, changing: bool = False, scale: int = 1) -> Crowd:
    """One crowd of a scenario; all its workers are steady unless some are ``changing``."""
    rng = np.random.default_rng([seed, list(SCENARIOS).index(scenario), changing])
    smaller = min(scale, MOST_SMALLER)
    n_workers, n_items, K = N_WORKERS // smaller, N_ITEMS // smaller, 2 + seed % 4
    truth = rng.integers(0, K, n_items)
    difficulty, place = rng.normal(0.0, DIFFICULTY, n_items), rng.permutation(n_items)
    if scenario == "blocks":
        difficulty += np.where(place * BLOCKS // n_items % 2 == 0, -BLOCK, BLOCK)
    if scenario in {"easy first", "hard first", "by label"}:
        by = {"easy first": difficulty, "hard first": -difficulty, "by label": truth}[scenario]
        place[np.lexsort((rng.random(n_items), by))] = np.arange(n_items)
    when = (place + rng.uniform(0.0, 0.02 * n_items, n_items)) / n_items  # 0 to 1, about
    joined = rng.uniform(0.0, 1.0 - STAY, n_workers) if scenario == "joining" else np.zeros(n_workers)
    stay = STAY if scenario == "joining" else 2.0
    skill = rng.normal(SKILL, SKILL_SPREAD, n_workers) - WORSE * joined / (1.0 - STAY)
    by_label = rng.normal(0.0, LABEL_SPREAD, (n_workers, K))
    activity = np.exp(rng.normal(0.0, ACTIVITY, n_workers))
    tempting = (truth + rng.integers(1, K, n_items)) % K
    loss, slow = np.zeros(n_workers), np.zeros(n_workers, np.bool_)
    if changing:
        for n, w in enumerate(np.argsort(-activity)[: 2 * N_CHANGING : 2]):  # who judges enough for it to show
            loss[w], slow[w] = CHANGES[n]
            skill[w] = SKILL + 0.5
    turn = rng.uniform(0.35, 0.65, n_workers)
    rows = []
    for i in range(n_items):
        there = (joined <= when[i]) & (when[i] <= joined + stay + 0.05)
        chance = np.where(there, activity, 1e-9)
        judges = rng.choice(n_workers, PER_ITEM, replace=False, p=chance / chance.sum())
        for w in judges.tolist():
            gone = np.clip((when[i] - turn[w] + 0.25) * 2.0, 0.0, 1.0) if slow[w] else float(when[i] >= turn[w])
            logit = skill[w] + by_label[w, truth[i]] - difficulty[i] - loss[w] * gone
            label = truth[i]
            if rng.random() > 1.0 / (1.0 + np.exp(-logit)):
                other = (truth[i] + rng.integers(1, K)) % K
                label = tempting[i] if rng.random() < TEMPTING else other
            rows.append((f"i{i:05}", f"w{w:03}", f"l{label}", when[i] + rng.uniform(0.0, 0.01)))
    table = pd.DataFrame(rows, columns=["item", "worker", "label", "when"])
    seconds = (table.pop("when") * DAYS * 86_400).round().astype(np.int64)
    table["timestamp"] = START + (seconds.to_numpy() * 1_000_000).astype("timedelta64[us]")
    return Crowd(consensus.read(table), tuple(f"w{w:03}" for w in np.flatnonzero(loss)))


@dataclass(frozen=True, slots=True)
class Flagged:
    """How many workers of some crowds are said to drift."""

    false: int = 0
    """Steady ones."""
    false_alone: int = 0
    """Steady ones who would be if they were not held against the other judges of their items."""
    found: int = 0
    """Changing ones."""
    found_alone: int = 0
    n_steady: int = 0
    n_changing: int = 0
    everyone: int = 0
    """Crowds that are said to have changed."""
    steady_by_all: int = 0
    """Steady ones called careless, spammer or adversarial, if nobody's change counted."""
    steady_now: int = 0
    """The same by the verdicts as they are."""
    changing_by_all: int = 0
    changing_now: int = 0

    def __add__(self, other: Flagged) -> Flagged:
        sums: list[int] = [a + b for a, b in zip(astuple(self), astuple(other), strict=True)]
        return Flagged(*sums)


def flagged(drawn: Crowd) -> Flagged:
    """Who is said to drift, in one crowd."""
    result = consensus.fit(drawn.judgments)
    audit = worker_audit.WorkerAudit(result)
    found = audit.drifts
    by_all = replace(result, judgments=replace(drawn.judgments, timestamp=None))
    bad, bad_by_all = (consensus.audit(one)["verdict"].isin(BAD).to_numpy() for one in (audit, by_all))
    changing = np.isin(drawn.judgments.worker_ids.to_pylist(), drawn.changing)
    alone = found.changed | found.with_others
    return Flagged(
        false=int((found.changed & ~changing).sum()),
        false_alone=int((alone & ~changing).sum()),
        found=int((found.changed & changing).sum()),
        found_alone=int((alone & changing).sum()),
        n_steady=int((~changing).sum()),
        n_changing=int(changing.sum()),
        everyone=int(found.crowd.changed),
        steady_by_all=int((bad_by_all & ~changing).sum()),
        steady_now=int((bad & ~changing).sum()),
        changing_by_all=int((bad_by_all & changing).sum()),
        changing_now=int((bad & changing).sum()),
    )


def told(seed: int, scale: int) -> str:
    """Steady workers by scenario; then crowds in which four workers change."""
    tables = []
    for changing in (False, True):
        rows: list[tuple[object, ...]] = []
        total = Flagged()
        for scenario, about in SCENARIOS.items():
            seeds = range(FIRST + seed, FIRST + seed + max(N_CROWDS // scale, 1))
            found = sum((flagged(crowd(scenario, n, changing=changing, scale=scale)) for n in seeds), Flagged())
            total += found
            rows.append(_row(f"{scenario}: {about}", found, changing))
        tables.append(markdown_tables.table(HEAD if changing else HEAD[:7], [*rows, _row("all", total, changing)]))
    return "\n\n".join(tables)


HEAD = (
    "crowds",
    "steady workers",
    "who drift",
    "if not held against others",
    "crowds that drift",
    "called bad by all judgments",
    "called bad by now",
    "changing workers",
    "who drift",
    "if not held against others",
    "kept, %",
    "called bad by all judgments",
    "called bad by now",
)


def _row(name: str, found: Flagged, changing: bool) -> tuple[object, ...]:
    steady: tuple[object, ...] = (name, f"{found.n_steady:,}", found.false, found.false_alone, found.everyone)
    steady += (found.steady_by_all, found.steady_now)
    kept = markdown_tables.share(found.found, found.found_alone)
    if not changing:
        return steady
    bad = (found.changing_by_all, found.changing_now)
    return (*steady, found.n_changing, found.found, found.found_alone, kept, *bad)
