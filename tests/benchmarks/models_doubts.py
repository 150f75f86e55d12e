"""Models that repeat the majority of people, and families of models that share mistakes: what is found and saved.

    python tests/benchmarks/models_doubts.py [--draws N] [--first SEED] [--what found echo families honest real]

Crowds are those of ``tests.other_crowds``: items differ in difficulty, and people err together on the hard ones. Found:
every kind of model is tested beside each crowd. Echo: labels accepted at 95 % beside one model that repeats people,
against people alone. Families: judges that err together and are declared as families of their own; honest: judges that
do not. Real plays the workers of public sets (CONSENSUS_DATASETS) as models. Prints Markdown tables, the worst draw in
brackets beside the mean; what is wrong among accepted labels is of those of all draws together.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import consensus
from consensus.backends import Threads
from consensus.config import FitConfig
from consensus.formats import read_model_votes
from consensus.models.preparing import prepared
from consensus.models.problem import posed
from tests.other_crowds import Crowd, Recipe, draw, mean_logit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from consensus.inputs.model_votes import ModelFindings
    from tests.benchmarks import markdown_tables
    from tests.benchmarks.accuracy import DATASETS
else:  # run as a script, its own folder is on the path
    import markdown_tables
    from accuracy import DATASETS

N_ITEMS, ACCURACY, SURE = 1500, 0.75, 0.95
SETS = ("bluebird", "cf_amt", "face", "rte", "sentiment", "sp", "web", "zencrowd_us")
ECHOES = {"majority + 3 %": (1.0, 0.03), "majority + 15 %": (1.0, 0.15), "80 % memorised": (0.8, 0.0),
          "half memorised": (0.5, 0.0), "30 % memorised": (0.3, 0.0)}  # fmt: skip
HONEST = ("own mistakes", "same hard items", "same lure", "98 % right", "55 % right")
PANELS = {  # judges, share wrong together, labels, people an item
    "5 judges, 15 %": (5, 0.15, 3, 3),
    "5 judges, 15 %, K = 2": (5, 0.15, 2, 3),
    "10 judges, 20 %": (10, 0.20, 3, 5),
    "3 judges, 8 %": (3, 0.08, 3, 3),
}
ALONE = 0.03  # share of a judge's other mistakes
HONEST_PANELS = ("independent", "share hard items")


def crowd(n_labels: int, per_item: int, sd: float, seed: int) -> Crowd:
    """People of three in four right."""
    return draw(Recipe(N_ITEMS, 60, n_labels, per_item, ACCURACY, difficulty_sd=sd), seed)


class Items:
    """What models of a crowd see."""

    def __init__(self, crowd: Crowd, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 31])
        self.crowd, self.K = crowd, crowd.recipe.n_labels
        self.names = crowd.truth["item"].to_numpy()
        self.truth = crowd.truth["label"].str[1:].astype(int).to_numpy()
        self.lure = crowd.items["lure"].str[1:].astype(int).to_numpy()
        table = crowd.table.assign(code=crowd.table["label"].str[1:].astype(int))
        n = pd.crosstab(table["item"], table["code"]).reindex(index=self.names, columns=range(self.K), fill_value=0)
        counts = n.to_numpy() + self.rng.random(n.shape) / 2  # ties by chance
        self.majority = counts.argmax(axis=1)

    def another(self, label: NDArray[np.integer]) -> NDArray[np.int64]:
        """An even other label."""
        return np.asarray((label + self.rng.integers(1, self.K, len(label))) % self.K)

    def honest(self, kind: str, accuracy: float = 0.85) -> NDArray[np.int64]:
        """A model that looks at the items itself."""
        accuracy = {"98 % right": 0.98, "55 % right": 0.55}.get(kind, accuracy)
        rate = np.full(len(self.truth), 1 - accuracy)
        if kind in {"same hard items", "same lure", "share hard items"}:
            logit = mean_logit(replace(self.crowd.recipe, accuracy=accuracy, skill_sd=0.0))
            rate = 1 / (1 + np.exp(logit - self.crowd.items["difficulty"].to_numpy()))
        wrong = self.another(self.truth)
        if kind == "same lure":
            wrong = np.where(self.rng.random(len(wrong)) < rate, self.lure, wrong)
        return np.where(self.rng.random(len(wrong)) < rate, wrong, self.truth)

    def echo(self, memorised: float, noise: float) -> NDArray[np.int64]:
        """One that repeats the majority on a share of the items, and looks at the others; then noise."""
        said = np.where(self.rng.random(len(self.truth)) < memorised, self.majority, self.honest("own mistakes"))
        return np.where(self.rng.random(len(said)) < noise, self.rng.integers(0, self.K, len(said)), said)

    def panel(self, n: int, together: float) -> list[NDArray[np.int64]]:
        """Judges that give the same wrong label on a share of the items, and err alone on a few."""
        shared = self.rng.random(len(self.truth)) < together
        wrong, found = self.another(self.truth), []
        for _ in range(n):
            own = np.where(self.rng.random(len(wrong)) < ALONE, self.another(self.truth), self.truth)
            found.append(np.where(shared, wrong, own))
        return found

    def votes(self, said: dict[str, NDArray[np.int64]]) -> pd.DataFrame:
        """Every model a family of its own."""
        parts = [
            pd.DataFrame({"item": self.names, "model": name, "label": [f"l{k}" for k in label], "family": name})
            for name, label in said.items()
        ]
        return pd.concat(parts, ignore_index=True)


def tested(judgments: Any, votes: pd.DataFrame) -> ModelFindings:
    """What is found about the models, without the fit beside them."""
    settings = FitConfig()
    known, gold, aligned = prepared(consensus.read(judgments), None, settings, read_model_votes(votes))
    findings = posed(known, aligned, gold, settings, Threads(1))[1]
    assert findings is not None
    return findings


def scores(result: consensus.Consensus, truth: pd.DataFrame) -> tuple[float, float, float, float]:
    """Error, share accepted, wrong among them, expected: per cent."""
    labels = result.labels.set_index("item").loc[truth["item"]]
    wrong = (labels["label"].to_numpy() != truth["label"].to_numpy()).astype(float)
    confidence = labels["confidence"].to_numpy()
    sure = confidence >= SURE
    expected = 1 - confidence[sure].mean() if sure.any() else 0.0
    return tuple(float(100 * x) for x in (wrong.mean(), sure.mean(), wrong[sure].mean() if sure.any() else 0, expected))  # type: ignore[return-value]


def mean_and_worst(values: Iterable[float], worst: Any = max, digits: int = 1) -> str:
    """Such as ``4.6 (6.0)``."""
    values = list(values)
    return f"{np.mean(values):.{digits}f} ({worst(values):.{digits}f})"


def pooled(figures: Sequence[tuple[float, ...]]) -> str:
    """Wrong among the accepted labels of all draws, and of the worst."""
    _, accepted, wrong, _ = np.array(figures).T
    return f"{(accepted * wrong).sum() / max(accepted.sum(), 1e-9):.1f} ({wrong.max():.1f})"


def found_table(seeds: range) -> str:
    """LR and e of every kind of model beside crowds, how often the echo counts, and how often it is told."""
    rows = []
    for K, n, sd in (
        (3, 3, 1.0),
        (3, 5, 1.0),
        (3, 7, 1.0),
        (2, 3, 1.0),
        (2, 5, 1.0),
        (3, 3, 0.0),
        (3, 5, 0.0),
        (3, 3, 2.0),
        (3, 2, 1.0),
    ):
        kinds: dict[str, list[tuple[float, float, bool]]] = {}
        for seed in seeds:
            people = crowd(K, n, sd, seed)
            items = Items(people, seed)
            said = {name: items.echo(*shape) for name, shape in ECHOES.items()}
            said |= {name: items.honest(name) for name in HONEST}
            for name, label in said.items():  # each alone: nothing else tells how far people err together
                told = tested(people.table, items.votes({name: label})).echoes
                kinds.setdefault(name, []).append((told.evidence[0], told.share[0], told.accused[0]))
        for name in (*ECHOES, *HONEST):
            LR, e, accused = np.array(kinds[name], float).T
            shown = f"{np.median(LR):.1f} [{LR.min():.1f}, {LR.max():.1f}]"
            rows.append((f"K = {K}, {n} people, sd {sd:g}", name, shown,
                         f"{e.mean():.2f}", f"{(e > 0).sum()}", f"{accused.sum():.0f} of {len(LR)}"))  # fmt: skip
    return markdown_tables.table(["crowd", "model", "LR: median [range]", "e", "counts", "told"], rows)


def echo_table(seeds: range) -> str:
    """Labels beside one echo, and by people alone."""
    rows = []
    for K, n in ((3, 3), (3, 5), (3, 7), (2, 3), (2, 5)):
        found: dict[str, list[tuple[float, ...]]] = {}
        for seed in seeds:
            people = crowd(K, n, 1.0, seed)
            items, judgments = Items(people, seed), consensus.read(people.table)
            found.setdefault("people alone", []).append(
                scores(consensus.fit(judgments, model="dawid_skene"), people.truth)
            )
            for name, shape in list(ECHOES.items())[:4]:
                result = consensus.fit(judgments, model_votes=items.votes({name: items.echo(*shape)}))
                found.setdefault(name, []).append(scores(result, people.truth))
        for name, figures in found.items():
            error, accepted, _, expected = zip(*figures, strict=True)
            rows.append((f"K = {K}, {n} people: {name}", mean_and_worst(error), mean_and_worst(accepted, min),
                         pooled(figures), mean_and_worst(expected)))  # fmt: skip
    return markdown_tables.table(["echo", "error %", "accepted %", "wrong among them %", "expected %"], rows)


def families_table(seeds: range) -> str:
    """Judges declared as families of their own: merged or not, error and what is accepted."""
    rows = []
    for name, (n_judges, together, K, n) in PANELS.items():
        figures, merged = list[tuple[float, ...]](), 0
        for seed in seeds:
            people = crowd(K, n, 1.0, seed)
            items = Items(people, seed)
            said = {f"j{m}": label for m, label in enumerate(items.panel(n_judges, together))}
            result = consensus.fit(people.table, model_votes=items.votes(said))
            assert result.models is not None
            merged += [len(one) for one in result.models.shared.merged] == [n_judges]
            figures.append(scores(result, people.truth))
        error, accepted, _, expected = zip(*figures, strict=True)
        rows.append((name, f"{merged} of {len(seeds)}", mean_and_worst(error), mean_and_worst(accepted, min),
                     pooled(figures), mean_and_worst(expected)))  # fmt: skip
    return markdown_tables.table(
        ["panel", "merged as one", "error %", "accepted %", "wrong among them %", "expected %"], rows
    )


def honest_table(seeds: range) -> str:
    """Honest panels of five: how often any two families are merged."""
    rows = []
    for K, n, sd in ((3, 3, 1.0), (3, 2, 1.0), (5, 3, 1.0), (2, 3, 1.0), (3, 3, 2.0), (2, 5, 2.0), (3, 3, 0.0)):
        for kind in HONEST_PANELS:
            merged = 0
            for seed in seeds:
                people = crowd(K, n, sd, seed)
                items = Items(people, seed)
                merged += bool(
                    tested(people.table, items.votes({f"j{m}": items.honest(kind) for m in range(5)})).shared.merged
                )
            rows.append((f"K = {K}, {n} people, sd {sd:g}: {kind}", f"{merged} of {len(seeds)}"))
    return markdown_tables.table(["five honest judges", "merged"], rows)


def real_table() -> str:
    """The busiest seven workers of every public set, each in turn a model beside the others."""
    rows = []
    for name in SETS:
        table = pd.read_csv(DATASETS / name / "judgments.csv", dtype=str, keep_default_na=False)
        busiest = table["worker"].value_counts().index[:7]
        told = []
        for worker in busiest:
            own = table[table["worker"] == worker].rename(columns={"worker": "model"})
            found = tested(
                table[table["worker"] != worker][["item", "worker", "label"]], own[["item", "model", "label"]]
            ).echoes
            told.append((float(np.nan_to_num(found.evidence[0])), float(found.share[0]), bool(found.accused[0])))
        LR, e, accused = zip(*told, strict=True)
        rows.append((name, f"{np.median(LR):.1f} ({max(LR):.1f})", f"{max(e):.2f}", f"{sum(one > 10 for one in LR)}",
                     f"{sum(accused)} of {len(told)}"))  # fmt: skip
    return markdown_tables.table(["workers played as models", "LR: median (most)", "most e", "LR > 10", "told"], rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    tables = {"found": found_table, "echo": echo_table, "families": families_table, "honest": honest_table}
    parser.add_argument("--what", nargs="+", choices=[*tables, "real"], default=[*tables, "real"])
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.draws)
    for what in options.what:
        sys.stdout.write((real_table() if what == "real" else tables[what](seeds)) + "\n\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
