"""What the audit says of workers where the engine's assumptions do not hold: intervals, ranks, verdicts, alarms."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

import consensus
from consensus import worker_audit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tests.benchmarks import markdown_tables
    from tests.benchmarks import other_families as families
    from tests.benchmarks import other_labels as labels
    from tests.benchmarks.other_families import Fit
else:  # run as a script, its own folder is on the path
    import markdown_tables
    import other_families as families
    import other_labels as labels

from tests.other_crowds import Crowd, Recipe, draw

JUDGED, RANKED = 30, 10  # judgments of workers whose verdicts and ranks count
N_GOLD = 100
SCENARIOS = (
    *("at random", "easy items first", "hard items first", "hard items amid", "labels in turn"),
    "bad workers late",
)
DRIFTERS, LEAST_OF_DRIFTER = 3, 60
"""Workers who turn to guessing half-way, in another copy of each crowd; they judge at least so much."""
WORKING = Recipe(800, 40, difficulty_sd=1.5, careless=0.1, random=0.1, activity_sd=0.5)
START = np.datetime64("2025-03-03T00:00:00", "s")
DAYS = 30
COPYING, COPYING_PER_ITEM = Recipe(n_workers=40), (5, 15)
GOLDEN = Recipe(1500, 30, 4)
HOSTILE = Recipe(n_workers=40, n_labels=2, difficulty_sd=0.0, adversarial=0.6)


def audited(fit: Fit, seed: int, n_crowds: int, n_gold: int = 0) -> pd.DataFrame:
    """One row a worker of every family's crowds: family, crowd, K, what is planted, and what the audit says."""
    parts = []
    for family in families.FAMILIES:
        for number in range(n_crowds):
            crowd = families.crowd(family, seed, number)
            result = fit(crowd.table, crowd.gold(n_gold, number) if n_gold else None)
            parts.append(labels.audited(result, crowd).assign(family=family, crowd=number))
    return pd.concat(parts).reset_index()


def on_public_sets(fit: Fit, sets: Sequence[str], n_gold: int = 0, seed: int = 0) -> pd.DataFrame:
    """The same of public sets; the true accuracy of a worker is their share right of items with truth."""
    parts = []
    for name in sets:
        table, truth = labels.public(name)
        gold = truth.sample(n_gold, random_state=seed) if n_gold else None
        found = consensus.audit(fit(table, gold)).set_index("worker")
        judged = table.drop_duplicates(["item", "worker"], keep="last")
        judged = judged.merge(truth.rename(columns={"label": "true"}), "inner", "item")
        right = (judged["label"] == judged["true"]).groupby(judged["worker"])
        some = pd.DataFrame({"family": name, "accuracy": right.mean(), "share_right": right.mean(), "n": right.size()})
        columns = ["accuracy", "accuracy_low", "accuracy_high", "label_adjusted_accuracy", "verdict"]
        named = found[columns].set_axis(["found", "low", "high", "found_on_own", "verdict"], axis=1)
        parts.append(some.join(named).assign(crowd=name))
    return pd.concat(parts).reset_index()


def intervals(found: pd.DataFrame, true: str = "accuracy", least: int = 1) -> str:
    """How often 95 % intervals hold the ``true`` accuracy, and how well workers are ranked."""
    rows = []
    some = found[found["n"] >= least]
    for family, of in some.groupby("family", sort=False):
        inside = of[true].between(of["low"], of["high"])
        by_crowd = inside.groupby(of["crowd"]).mean()
        busy = of["n"] >= 100
        ranks = [_ranks(one, true) for _, one in of[of["n"] >= RANKED].groupby("crowd")]
        rows.append(
            (
                family,
                f"{len(of):,}",
                f"{100 * inside.mean():.1f}",
                f"{100 * by_crowd.min():.1f}",
                markdown_tables.share(inside[busy].sum(), busy.sum()),
                f"{(of['high'] - of['low']).mean():.3f}",
                f"{(of['found'] - of[true]).mean():+.3f}",
                families.spread((one for one, _ in ranks), 2),
                families.spread((one for _, one in ranks), 2),
            )
        )
    every = some[true].between(some["low"], some["high"])
    mean = every.groupby(some["family"]).mean().mean()
    head = ["", "workers", "inside %", "worst crowd", "100 judgments or more", "width", "mean error"]
    table = markdown_tables.table([*head, "Spearman (worst)", "by label_adjusted_accuracy"], rows)
    return f"{table}\n\nInside: {100 * every.mean():.1f} % of all, {100 * mean:.1f} % in the mean of the rows."


def _ranks(of: pd.DataFrame, true: str) -> tuple[float, float]:
    some = of.dropna(subset=["found"])
    if len(some) < 3:
        return np.nan, np.nan
    by_accuracy, by_own = (float(spearmanr(some[name], some[true]).statistic) for name in ("found", "found_on_own"))
    return by_accuracy, by_own


def verdicts(found: pd.DataFrame) -> str:
    """Precision and recall of who is to be stopped, and what honest and careless workers are called."""
    rows = []
    for family, of_family in found[found["n"] >= JUDGED].groupby("family", sort=False):
        for K, of in [("2", of_family[of_family["K"] == 2]), ("3 and more", of_family[of_family["K"] > 2])]:
            accused, odd = families.condemned(of), families.condemned(of, ("careless", "biased"))
            worst = accused.groupby(of["crowd"]).mean().max()
            bad = of[of["stop"]]["verdict"].isin(families.CONDEMNED)
            hits = int(bad.sum())
            anybody = families.condemned(of, ("honest", "careless", "biased"), -1.0)
            rows.append(
                (
                    f"{family}, {K} labels",
                    f"{len(bad) + len(accused) + len(odd):,}",
                    markdown_tables.share(hits, hits + accused.sum() + odd.sum()),
                    markdown_tables.share(hits, len(bad)),
                    families.told_share(accused),
                    f"{100 * worst:.0f}",
                    families.told_share(odd),
                    markdown_tables.share(hits, hits + anybody.sum()),
                    families.told_share(families.condemned(of, clear=-1.0)),
                )
            )
    head = ["", "workers", "to be stopped: precision %", "recall %", "honest condemned %", "worst crowd"]
    head += ["careless or biased condemned %", "with those near chance: precision %", "honest condemned %"]
    return markdown_tables.table(head, rows)


def verdicts_held(found: pd.DataFrame) -> str:
    """How many are what they are called: expert and careless by their odds beside the median's, good if not bad."""
    rows = []
    for family, of in found[found["n"] >= JUDGED].groupby("family", sort=False):
        odds = of["accuracy"] / (1.0 - of["accuracy"]).clip(1e-9)
        median = odds.groupby(of["crowd"]).transform("median")
        holds = {"expert": odds >= 2.5 * median, "careless": odds <= median / 2.5}
        if of["stop"].notna().all():
            holds["good"] = ~of["stop"].astype(bool)
        cells = []
        for verdict, is_so in holds.items():
            called = of["verdict"] == verdict
            cells.append(f"{markdown_tables.share((called & is_so).sum(), called.sum())} ({called.sum()})")
        rows.append((family, *cells))
    return markdown_tables.table(["are so, of those called", "expert", "careless", "good"], rows)


def timed(crowd: Crowd, scenario: str, seed: int) -> pd.DataFrame:
    """The crowd's judgments with times; nobody changes, but what they meet may."""
    rng = np.random.default_rng([seed, 6])
    table, items = crowd.table, crowd.items.loc[crowd.table["item"]]
    rank = (crowd.items["difficulty"].rank() / len(crowd.items))[table["item"]].to_numpy()
    label = table["item"].map(crowd.truth.set_index("item")["label"]).rank(method="dense").to_numpy()
    bad = table["worker"].map(crowd.workers["kind"] != "honest").to_numpy()
    u = rng.random(len(items))
    place = {
        "at random": u,
        "easy items first": rank + 0.1 * u,
        "hard items first": 0.1 * u - rank,
        "hard items amid": np.where(u < 0.5, rank, 2.0 - rank) + 0.1 * u,
        "labels in turn": label + u,
        "bad workers late": np.where(bad, 0.5 + u / 2, u),
    }[scenario]
    seconds = pd.Series(place).rank(method="first") / len(place) * DAYS * 86_400
    return table.assign(timestamp=START + seconds.to_numpy().astype("timedelta64[s]"))


def changed(table: pd.DataFrame, workers: Sequence[str], seed: int) -> pd.DataFrame:
    """The same where some workers turn to guessing after half of their judgments."""
    rng = np.random.default_rng([seed, 7])
    middle = table.groupby("worker")["timestamp"].transform("median")
    guesses = table["worker"].isin(workers) & (table["timestamp"] > middle)
    options = np.sort(table["label"].unique())
    return table.assign(label=np.where(guesses, rng.choice(options, len(table)), table["label"]))


def drift(seed: int, n_crowds: int) -> str:
    """Steady workers who are said to drift, and drifters who are found, by what changes around them."""
    rows = []
    for scenario in SCENARIOS:
        flagged = steady = found = planted = everyone = 0
        for number in range(n_crowds):
            crowd = draw(replace(WORKING, n_labels=families.LABELS[number % 3]), seed + number)
            table = timed(crowd, scenario, seed + number)
            drifts, all_of_them = _drifts(table)
            steady, flagged, everyone = steady + len(crowd.workers), flagged + len(drifts), everyone + all_of_them
            busy = crowd.workers.query(f"kind == 'honest' and n >= {LEAST_OF_DRIFTER}").index[:DRIFTERS]
            again, _ = _drifts(changed(table, list(busy), seed + number))
            planted, found = planted + len(busy), found + len(set(busy) & again)
        share = f"{markdown_tables.share(flagged, steady)} ({flagged} of {steady:,})"
        rows.append((scenario, share, f"{found} of {planted}", f"{everyone} of {n_crowds}"))
    return markdown_tables.table(["order of the work", "steady, flagged %", "drifters found", "everyone drifts"], rows)


def _drifts(table: pd.DataFrame) -> tuple[set[str], bool]:
    found = worker_audit.drifting(consensus.fit(consensus.read(table[[*families.PLAIN, "timestamp"]])))
    drifts = found["drifts"].fillna(False).astype(bool)
    return set(found["worker"][drifts & (found["scope"] == "worker")]), bool(drifts[found["scope"] == "everyone"].any())


def copying(seed: int, n_crowds: int) -> str:
    """Honest workers who are said to copy, where they share hard items; and a ring of five of forty who copy."""
    rows = []
    for (family, sd), per_item in itertools.product(families.SPREADS.items(), COPYING_PER_ITEM):
        accused = hits = strangers = alarms = 0
        for number in range(n_crowds):
            recipe = replace(COPYING, n_labels=families.LABELS[number % 3], difficulty_sd=sd, per_item=per_item)
            honest, ringed = draw(recipe, seed + number), draw(_ringed(recipe), seed + number)
            named = _copiers(honest.table)
            accused, alarms = accused + len(named), alarms + bool(named)
            members = set(ringed.workers.index[ringed.workers["kind"] == "ring"])
            named = _copiers(ringed.table)
            hits, strangers = hits + len(members & named), strangers + len(named - members)
        told = f"{hits} of {5 * n_crowds}"
        rows.append((f"{family}, {per_item} an item", f"{alarms} of {n_crowds}", accused, told, strangers))
    head = ["", "honest crowds with an alarm", "workers named there", "of rings of five, named", "honest named beside"]
    return markdown_tables.table(head, rows)


def _ringed(recipe: Recipe) -> Recipe:
    return replace(recipe, ring=5 / recipe.n_workers, ring_right=1.0 / recipe.n_labels)


def _copiers(table: pd.DataFrame) -> set[str]:
    judged = consensus.read(table[families.PLAIN])
    pairs = worker_audit.copies(worker_audit.fit_without_copies(judged, collusion="report"))
    return {*pairs["worker_a"], *pairs["worker_b"]}


def wrong_gold(seed: int, n_crowds: int, n_gold: int = 200, n_wrong: int = 10) -> str:
    """Wrong gold that is suspected, and right gold that is."""
    rows = []
    for family, sd in families.SPREADS.items():
        counts: list[tuple[int, int]] = []
        for number in range(n_crowds):
            crowd = draw(replace(GOLDEN, difficulty_sd=sd), seed + number)
            counts.append(_suspects(crowd, seed + number, n_gold, n_wrong))
        hits, false = np.mean(counts, axis=0)
        rows.append((family, f"{hits:.2f}", f"{false:.2f}", max(one for _, one in counts)))
    return markdown_tables.table(["", f"found of {n_wrong}", "false alarms", "most of them"], rows)


def _suspects(crowd: Crowd, seed: int, n_gold: int, n_wrong: int) -> tuple[int, int]:
    rng = np.random.default_rng([seed, 8])
    gold = crowd.gold(n_gold, seed)
    wrong = rng.choice(n_gold, n_wrong, replace=False)
    shift: NDArray[np.int64] = rng.integers(1, crowd.recipe.n_labels, n_wrong)
    code = gold["label"].iloc[wrong].str[1:].astype(int).to_numpy()
    gold.loc[wrong, "label"] = [f"l{k}" for k in (code + shift) % crowd.recipe.n_labels]
    table = worker_audit.gold(consensus.fit(consensus.read(crowd.table), gold=gold))
    suspects, planted = set(table["item"][table["suspect"]]), set(gold["item"].iloc[wrong])
    return len(suspects & planted), len(suspects - planted)


def hostile(seed: int, n_crowds: int) -> str:
    """Most of the workers are adversaries: is it said, and do five gold items turn it round."""
    rows = []
    for family, sd in families.SPREADS.items():
        for share in (0.4, 0.5, 0.6):
            crowds = [draw(replace(HOSTILE, difficulty_sd=sd, adversarial=share), seed + n) for n in range(n_crowds)]
            plain = [families.ours(crowd.table) for crowd in crowds]
            warned = sum("switch_risk" in families.codes(result) for result in plain)
            right = []
            for n, (crowd, result) in enumerate(zip(crowds, plain, strict=True)):
                with_gold = [families.ours(crowd.table, crowd.gold(size, seed + n)) for size in (5, 20)]
                right.append([families.scores(one, crowd.truth).accuracy for one in (result, *with_gold)])
            figures = [families.spread(100 * np.array(column)) for column in zip(*right, strict=True)]
            rows.append((f"{family}, {100 * share:.0f} % adversaries", f"{warned} of {n_crowds}", *figures))
    return markdown_tables.table(
        ["two labels", "switch_risk", "accuracy % (worst)", "with 5 gold", "with 20 gold"], rows
    )
