"""Labels where the engine's assumptions do not hold: shared difficulty, topics, few judgments, rings, seeds."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

import consensus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consensus.found.result import Consensus
    from tests.benchmarks import markdown_tables, peers
    from tests.benchmarks import other_families as families
    from tests.benchmarks.accuracy import DATASETS
    from tests.benchmarks.other_families import Fit
else:  # run as a script, its own folder is on the path
    import markdown_tables
    import other_families as families
    import peers
    from accuracy import DATASETS

from tests.other_crowds import Crowd, Recipe, draw

N_GOLD = 100
BATCHES = Recipe(n_workers=40, accuracy=0.9, layout="topics")
CONNECTED = Recipe(n_workers=60, accuracy=0.9, layout="topics")
WANDERING = Recipe(n_workers=40, n_labels=2, accuracy=0.9, activity_sd=0.5, layout="hits", hit_size=100)
RING = Recipe(n_workers=40, n_labels=2, accuracy=0.75, skill_sd=0.5, activity_sd=0.5, ring=0.3)
HONEST = Recipe(n_workers=40)
SHARES = {"even": None, "95 : 5": 0.95, "99 : 1": 0.99}
CAPS = (2, 3)
USUAL = ("clean", "40 % adversaries, gold", "95 : 5", "two-coin", "ten labels", "50 items", "three workers")


def labels(fit: Fit, seed: int, n_crowds: int) -> str:
    """How right labels are, and how honest their confidence, by family; the worst crowd beside the mean."""
    rows, told = [], []
    for family in families.FAMILIES:
        found, fired = [], []
        for number in range(n_crowds):
            crowd = families.crowd(family, seed, number)
            result = fit(crowd.table, None)
            mine, votes = (families.scores(one, crowd.truth) for one in (result, families.majority(crowd.table)))
            gain = 100 * (mine.accuracy - votes.accuracy)
            assert mine.log_loss is not None
            assert mine.ece is not None
            assert votes.log_loss is not None
            found.append((100 * mine.accuracy, gain, mine.log_loss, 100 * mine.ece, votes.log_loss))
            fired.append(families.codes(result))
        accuracy, gain_of, log_loss, ece, of_votes = zip(*found, strict=True)
        worst = families.spread(log_loss, 3, max), families.spread(ece, 1, max), families.spread(of_votes, 3, max)
        rows.append((family, families.spread(accuracy), families.spread(gain_of), *worst))
        names = sorted(set().union(*fired) - {"unaudited"})
        some = ", ".join(f"{name} in {sum(name in one for one in fired)}" for name in names)
        told.append(f"{family}: {some or 'no warning'}.")
    head = ["mean (worst crowd)", "accuracy %", "above majority vote", "log loss", "ECE %", "log loss of majority vote"]
    return f"{markdown_tables.table(head, rows)}\n\nWarnings in {n_crowds} crowds each. {' '.join(told)}"


def topic_recipes() -> Iterator[tuple[str, Recipe]]:
    """Crowds whose workers see mostly one label."""
    for K in (2, 3):
        for purity in (0.9, 0.97, 1.0):
            yield f"batches, K={K}, purity {purity:g}", replace(BATCHES, n_labels=K, purity=purity)
    for K in (2, 3, 5):
        for own in (0.9, 0.97, 1.0):
            yield f"connected, K={K}, own {own:g}", replace(CONNECTED, n_labels=K, own=own)


def topics(fit: Fit, seed: int, n_crowds: int, bad: bool = False, n_gold: int = 0) -> str:
    """Labels beside the majority's, honest workers who are condemned, bad ones who are found."""
    rows = []
    for name, recipe in topic_recipes():
        if bad:
            recipe = replace(recipe, one_label=0.05, random=0.1, adversarial=0.05)
        crowds = [draw(recipe, seed + number) for number in range(n_crowds)]
        rows.append((name, *_topic(fit, crowds, n_gold)))
    head = ["", "accuracy %", "majority vote", "worst above it", "honest condemned %", "to be stopped: found %"]
    return markdown_tables.table([*head, "holds"], rows)


def _topic(fit: Fit, crowds: Sequence[Crowd], n_gold: int) -> tuple[object, ...]:
    right, votes, workers = [], [], []
    for number, crowd in enumerate(crowds):
        gold = crowd.gold(n_gold, number) if n_gold else None
        result = fit(crowd.table, gold)
        right.append(100 * families.scores(result, crowd.truth).accuracy)
        votes.append(100 * families.scores(families.majority(crowd.table, gold), crowd.truth).accuracy)
        workers.append(audited(result, crowd))
    found = pd.concat(workers)
    gain = np.subtract(right, votes)
    bad = found[found["stop"]]
    accused = families.condemned(found)
    holds = gain.mean() >= -0.5 and accused.mean() <= 0.01
    return (
        f"{np.mean(right):.1f}",
        f"{np.mean(votes):.1f}",
        f"{gain.min():+.1f}",
        families.told_share(accused),
        markdown_tables.share(bad["verdict"].isin(families.CONDEMNED).sum(), len(bad)),
        "yes" if holds else "no",
    )


def audited(result: Consensus, crowd: Crowd) -> pd.DataFrame:
    """One row a worker who judged: what is planted, and what the audit says."""
    columns = ["accuracy", "accuracy_low", "accuracy_high", "label_adjusted_accuracy", "verdict"]
    found = consensus.audit(result).set_index("worker")[columns]
    found.columns = pd.Index(["found", "low", "high", "found_on_own", "verdict"])
    return crowd.workers.join(found).assign(K=crowd.recipe.n_labels)


def wandering(fit: Fit, seed: int, n_crowds: int, grouped: Fit | None = None) -> str:
    """Workers who wander between HITs of one label; ``grouped`` is told which judgments are of one HIT."""
    rows = []
    for name, one in (("", fit), ("HITs are told", grouped)):
        if one is not None:
            crowds = [draw(WANDERING, seed + number) for number in range(n_crowds)]
            rows.append((f"wandering, K={WANDERING.n_labels} {name}".strip(), *_topic(one, crowds, 0)))
    head = ["", "accuracy %", "majority vote", "worst above it", "honest condemned %", "to be stopped: found %"]
    return markdown_tables.table([*head, "holds"], rows)


def uneven(fit: Fit, seed: int, n_crowds: int) -> str:
    """Even and uneven labels, three and five judgments an item: what cures are not to change."""
    rows = []
    for name, largest in SHARES.items():
        for per_item in (3, 5):
            recipe = replace(HONEST, n_labels=2, largest=largest, per_item=per_item)
            found = []
            for number in range(n_crowds):
                crowd = draw(recipe, seed + number)
                mine = families.scores(fit(crowd.table, None), crowd.truth)
                votes = families.scores(families.majority(crowd.table), crowd.truth)
                found.append((100 * mine.accuracy, 100 * votes.accuracy, mine.log_loss))
            right, of_votes, log_loss = np.array(found, float).mean(axis=0)
            rows.append((f"{name}, {per_item} an item", f"{right:.2f}", f"{of_votes:.2f}", f"{log_loss:.4f}"))
    return markdown_tables.table(["", "accuracy %", "majority vote", "log loss"], rows)


def public(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Judgments and truth of a public set."""
    files = (DATASETS / name / file for file in ("judgments.csv", "truth.csv"))
    judged, truth = (pd.read_csv(file, dtype=str, keep_default_na=False) for file in files)
    return judged, truth[["item", "label"]]


def thinned(table: pd.DataFrame, cap: int, seed: int) -> pd.DataFrame:
    """At most ``cap`` judgments of each item, drawn at random."""
    return table.sample(frac=1.0, random_state=seed).groupby("item").head(cap)


def sparse(fit: Fit, sets: Sequence[str], seed: int, n_draws: int) -> str:
    """Two and three judgments an item: public sets, and 95 : 5."""
    rows: list[tuple[object, ...]] = []
    for cap in CAPS:
        means = []
        for name in sets:
            table, truth = public(name)
            found = [_both(fit, thinned(table, cap, seed + n), truth) for n in range(n_draws)]
            means.append(np.mean(found, axis=0))
            rows.append((f"{name}, {cap} an item", *_figures(means[-1])))
        rows.append((f"mean, {cap} an item", *_figures(np.mean(means, axis=0))))
    crowds = [draw(replace(HONEST, n_labels=2, largest=0.95, per_item=3), seed + n) for n in range(n_draws)]
    found = [_both(fit, crowd.table, crowd.truth) for crowd in crowds]
    rows.append(("95 : 5, simulated, 3 an item", *_figures(np.mean(found, axis=0))))
    return markdown_tables.table(["", "accuracy %", "majority vote", "log loss"], rows)


def _both(fit: Fit, table: pd.DataFrame, truth: pd.DataFrame) -> tuple[float, float, float]:
    mine, votes = (families.scores(one, truth) for one in (fit(table, None), families.majority(table)))
    assert mine.log_loss is not None
    return 100 * mine.accuracy, 100 * votes.accuracy, mine.log_loss


def _figures(mean: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[str, ...]:
    return f"{mean[0]:.2f}", f"{mean[1]:.2f}", f"{mean[2]:.3f}"


def ring(fit: Fit, seed: int, n_crowds: int, ran: Fit, code: str = "readings_disagree") -> str:
    """A copying ring, and honest crowds beside it: labels, ranks of workers, who is named, where a warning speaks up.

    By ``fit`` alone, and as ``consensus run`` does it (``ran``), where groups that are sure count as one.
    """
    rows = []
    for (name, recipe), (how, made) in itertools.product(
        (("ring", RING), ("honest", HONEST)), (("fit alone", fit), ("run", ran))
    ):
        found, fired, hits, members, strangers = [], 0, 0, 0, 0
        for number in range(n_crowds):
            K = recipe.n_labels if name == "ring" else families.LABELS[number % 3]
            crowd = draw(replace(recipe, n_labels=K), seed + number)
            result = made(crowd.table, None)
            workers = audited(result, crowd)
            right, votes, _ = _both(lambda *_, result=result: result, crowd.table, crowd.truth)
            rank = spearmanr(workers["found"], workers["accuracy"]).statistic
            found.append((right, votes, right - votes, rank, 100 * families.condemned(workers).mean()))
            fired += code in families.codes(result)
            named, copied = families.alike(result), set(crowd.workers.index[crowd.workers["kind"] == "ring"])
            hits, members, strangers = (
                hits + len(named & copied),
                members + len(copied),
                strangers + len(named - copied),
            )
        columns = [list(column) for column in zip(*found, strict=True)]
        figures = [families.spread(column) for column in columns[:3]]
        figures += [families.spread(columns[3], 2), families.spread(columns[4], 1, max)]
        told = ("", "") if made is fit else (f"{hits} of {members}", f"{strangers}")
        rows.append((f"{name}, {how}", *figures, f"{fired} of {n_crowds}", *told))
    head = ["mean (worst crowd)", "accuracy %", "majority vote", "above it", "rank correlation", "honest condemned %"]
    return markdown_tables.table([*head, code, "of the ring, named", "others named"], rows)


def alike(fit: Fit, other: Fit, seed: int, n_crowds: int) -> str:
    """Crowds on which two ways are to be alike: accuracy of both, and the difference."""
    rows = []
    for name in USUAL:
        found = []
        for number in range(n_crowds):
            drawn, n_gold = _usual(name, seed + number)
            truth = drawn.truth_table()
            gold = drawn.truth_table(n_gold, seed + number) if n_gold else None
            table = drawn.judgments_table()
            found.append([100 * families.scores(one(table, gold), truth).accuracy for one in (fit, other)])
        mean = np.mean(found, axis=0)
        rows.append((name, *(f"{one:.2f}" for one in mean), f"{mean[0] - mean[1]:+.2f}"))
    return markdown_tables.table(["", "accuracy %", "of the other", "difference"], rows)


def _usual(name: str, seed: int) -> tuple[consensus.simulation.Simulation, int]:
    """A crowd of the engine's own family, and how many gold items it has."""
    if name == "two-coin":
        rng = np.random.default_rng(seed)
        of_first, of_second = rng.uniform(0.85, 0.98, 30), rng.uniform(0.5, 0.75, 30)
        rows = [[[a, 1 - a], [1 - b, b]] for a, b in zip(of_first, of_second, strict=True)]
        return consensus.simulate(600, confusion=rows, per_item=5, seed=seed), 0
    settings: dict[str, tuple[tuple[int, int, int, float], dict[str, Any]]] = {
        "clean": ((600, 30, 3, 5), {}),
        "40 % adversaries, gold": ((600, 30, 3, 5), {"adversaries": 0.4}),
        "95 : 5": ((600, 30, 2, 5), {"prior": [0.95, 0.05]}),
        "ten labels": ((600, 30, 10, 5), {}),
        "50 items": ((50, 10, 3, 5), {}),
        "three workers": ((600, 3, 3, 3), {}),
    }
    sizes, rest = settings[name]
    return consensus.simulate(*sizes, seed=seed, **rest), N_GOLD if "gold" in name else 0


def seeds(sets: Sequence[str], n_seeds: int, n_crowds: int = 3) -> str:
    """How far results depend on the seed alone: public sets, crowds of 400 items by 4, digits."""
    tables = {name: public(name)[0] for name in sets}
    for number in range(n_crowds):
        recipe = Recipe(400, 40, families.LABELS[number % 3], 4, difficulty_sd=1.0)
        tables[f"400 x 4, K={recipe.n_labels}"] = draw(recipe, number).table
    tables["digits"] = pd.read_csv(peers.ROOT / "data" / "digits" / "judgments.csv", dtype=str, keep_default_na=False)
    rows = []
    for name, table in tables.items():
        judgments = consensus.read(table)
        found = [consensus.fit(judgments, seed=seed) for seed in range(n_seeds)]
        accepted = [int((one.peaks.confidence >= 0.95).sum()) for one in found]
        outcomes = len({one.posteriors.drop(columns="item").to_numpy().tobytes() for one in found})
        rhos = sorted({round(one.rho, 2) for one in found})
        rows.append((name, outcomes, f"{min(accepted)} to {max(accepted)}", " ".join(f"{rho:.2f}" for rho in rhos)))
    return markdown_tables.table([f"{n_seeds} seeds", "different outcomes", "confidence .95 or more", "rho"], rows)
