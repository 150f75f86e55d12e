"""Rate workers with crowd-kit and cleanlab. Runs in the peers' environment, without consensus.

    python tests/benchmarks/peer_workers.py FILE OUT

FILE is a CSV of item, worker, label, without repeats. Writes a CSV of worker and a column for each way to rate one;
prints JSON on stdout: versions, and why a method did not run.

``DawidSkene diagonal`` is sum_k prior[k] errors[k, k]; ``DawidSkene agreement`` the mean probability of the worker's
labels under its posterior; ``Wawa``, ``OneCoinDawidSkene`` and ``MMSR`` are their skills_, ``GLAD`` its alphas_.
cleanlab wants the probabilities of a model; there is none for ids without content, so it gets the shares of the votes.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from typing import TYPE_CHECKING, Any

import pandas as pd
from cleanlab import multiannotator
from crowdkit.aggregation import GLAD, MMSR, DawidSkene, OneCoinDawidSkene, Wawa

if TYPE_CHECKING:
    from collections.abc import Callable

Ratings = dict[str, Any]
PEERS = ("crowd-kit", "cleanlab")


def dawid_skene(table: pd.DataFrame) -> Ratings:
    model = DawidSkene().fit(table)
    errors, priors = model.errors_, model.priors_  # errors_.loc[worker, observed][true]
    observed = errors.index.get_level_values("label")
    right = pd.Series([errors[label].iloc[at] * priors[label] for at, label in enumerate(observed)], errors.index)
    long = model.probas_.rename_axis(index="task", columns="label").stack()
    said = long.reindex(pd.MultiIndex.from_frame(table[["task", "label"]])).to_numpy()
    return {
        "crowd-kit DawidSkene diagonal": right.groupby(level="worker").sum(),
        "crowd-kit DawidSkene agreement": pd.Series(said).groupby(table["worker"].to_numpy()).mean(),
    }


def cleanlab(table: pd.DataFrame) -> Ratings:
    code = table["label"].astype("category").cat.codes
    dense = table.assign(code=code).pivot_table(index="task", columns="worker", values="code")
    votes = pd.crosstab(table["task"], table["label"], normalize="index").to_numpy()
    found = multiannotator.get_label_quality_multiannotator(dense, votes, verbose=False)
    return {"cleanlab annotator quality": found["annotator_stats"]["annotator_quality"]}


METHODS: dict[str, Callable[[pd.DataFrame], Ratings]] = {
    "crowd-kit DawidSkene": dawid_skene,
    "crowd-kit OneCoinDawidSkene": lambda table: {
        "crowd-kit OneCoinDawidSkene": OneCoinDawidSkene().fit(table).skills_
    },
    "crowd-kit Wawa": lambda table: {"crowd-kit Wawa": Wawa().fit(table).skills_},
    "crowd-kit MMSR": lambda table: {"crowd-kit MMSR": MMSR().fit(table).skills_},
    "crowd-kit GLAD": lambda table: {"crowd-kit GLAD": GLAD().fit(table).alphas_},
    "cleanlab": cleanlab,
}


def main(judgments: str, out: str) -> None:
    table = pd.read_csv(judgments, dtype=str, keep_default_na=False)
    table = table.rename(columns={"item": "task"})[["task", "worker", "label"]]
    ratings: Ratings = {}
    refused = {}
    for name, method in METHODS.items():
        try:
            ratings |= method(table)
        except Exception as error:  # whatever a peer refuses is told, and the others go on
            refused[name] = f"{type(error).__name__}: {error}"
    pd.DataFrame(ratings).rename_axis("worker").to_csv(out)
    versions = {name: importlib.metadata.version(name) for name in PEERS}
    sys.stdout.write(json.dumps({"versions": versions, "refused": refused}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
