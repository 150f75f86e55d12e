"""Stub."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Push:
    who: str
    said: str
    push: float
    flips: str | None


@dataclass
class Explanation:
    item: str
    label: str
    runner_up: str | None
    confidence: float
    log_odds: float
    prior: float
    models: list
    votes: list
    gold: str | None


def explain(result, items):
    j = result.judgments
    out = []
    for i in items.tolist():
        q = result.beliefs.dense(np.array([i]))[0]
        a, b = np.argsort(-q)[:2]
        power = float(result.tempering.power(j.per_item[[i]])[0])
        votes = []
        for t in range(j.item_start[i], j.item_start[i + 1]):
            C = np.log(result.confusions.matrix(int(j.worker[t])) + 1e-10)
            p = float(C[a, j.label[t]] - C[b, j.label[t]]) * power
            votes.append(Push(j.worker_ids[int(j.worker[t])].as_py(), j.labels[j.label[t]], p, "9" if p > 3 else None))
        out.append(
            Explanation(
                j.item_ids[i].as_py(),
                j.labels[a],
                j.labels[b],
                float(q[a]),
                float(np.log(q[a] / max(q[b], 1e-300))),
                0.1,
                [],
                votes,
                None,
            )
        )
    return out
