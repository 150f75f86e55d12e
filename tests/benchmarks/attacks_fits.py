"""One crowd under attack: what majority vote, crowd-kit and ours make of it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import consensus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.benchmarks import peers
else:  # run as a script, its own folder is on the path
    sys.path.append(str(Path(__file__).resolve().parents[2]))
    import peers

from tests.attack_crowds import Crowd, Recipe, draw

BESIDE = "sybils, newcomers"
"""Sybils, beside whom honest newcomers do a quarter of the other judgments."""
ATTACKS = ("spammers", "constant", "colluders", "adversaries", "gold_aware", "sybils", BESIDE, "sleepers")
STOPPED = ("spammer", "adversarial", "gold_aware")
"""Verdicts that condemn a worker."""
JUDGED = 30
"""Honest workers with so many judgments are to be spared."""
ALARMS = (
    *("switch_risk", "newcomers_disagree", "gold_contradicts", "overconfident", "beyond_gold", "near_chance"),
    *("readings_disagree", "worker_weighted_differs", "moved_labels", "against_majority"),
)
"""Codes of the warnings that say that labels may be wrong; ``unaudited`` says only that nobody looked."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Which crowd: all but ``seed`` name a cell of the table."""

    attack: str
    n_labels: int
    gold: float
    hostile: float
    seed: int
    n_items: int = 600

    @property
    def recipe(self) -> Recipe:
        beside = (1.0 - self.hostile) / 4 if self.attack == BESIDE else 0.0
        attack: Any = "sybils" if self.attack == BESIDE else self.attack
        return Recipe(attack, self.hostile, self.n_labels, self.gold, beside, self.n_items)


def ran(table: pd.DataFrame, gold: Mapping[str, str]) -> consensus.Run:
    """The engine with its default settings, as ``consensus run``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", consensus.ConsensusWarning)
        return consensus.run(table, gold=dict(gold) or None)


def score(labels: Mapping[str, str], crowd: Crowd, n_labels: int) -> float:
    """Per cent right of the items without gold; one that has no label counts as a guess."""
    right = [
        float(labels[item] == label) if item in labels else 1.0 / n_labels
        for item, label in crowd.truth.items()
        if item not in crowd.gold
    ]
    return 100.0 * float(np.mean(right))


def majority(crowd: Crowd) -> float:
    """Per cent right of the items without gold by majority vote; tied labels share the credit."""
    votes = pd.crosstab(crowd.table["item"], crowd.table["label"])
    tops = votes.eq(votes.max(axis=1), axis=0)
    credit = tops.div(tops.sum(axis=1), axis=0)
    own = [(item, label) for item, label in crowd.truth.items() if item not in crowd.gold]
    found = [float(np.asarray(credit.at[item, label])) if label in credit else 0.0 for item, label in own]
    return 100.0 * float(np.mean(found))


def labelled(table: pd.DataFrame) -> dict[str, str]:
    """The label of every item."""
    return dict(zip(table["item"].astype(str), table["label"].astype(str), strict=True))


@cache
def clean(cell: Cell) -> float:
    """Per cent right in the crowd of ``cell`` without its attack, by ours; the attack itself does not matter."""
    crowd = draw(cell.recipe, cell.seed)
    return score(labelled(ran(crowd.clean, crowd.gold).labels), crowd, cell.n_labels)


def measured(cell: Cell, number: int = 0, ask: Callable[[int, Crowd], None] | None = None) -> dict[str, Any]:
    """The figures of one crowd, a row of the table; ``ask`` hands the crowd with its ``number`` to the peer."""
    crowd = draw(cell.recipe, cell.seed)
    if ask is not None:
        ask(number, crowd)
    run = ran(crowd.table, crowd.gold)
    labels, workers = run.labels, run.workers
    accepted = labels[labels["status"] == "accepted"]
    hostile = workers["worker"].astype(str).isin(crowd.hostile)
    spared = ~hostile & (workers["n_judgments"] >= JUDGED)
    stopped = workers["verdict"].isin(STOPPED)
    same = "sybils" if cell.attack != BESIDE else BESIDE  # the honest judgments are the same in all other attacks
    without = Cell(same, cell.n_labels, cell.gold, cell.hostile, cell.seed, cell.n_items)
    return {
        "attack": cell.attack,
        "labels": cell.n_labels,
        "gold": cell.gold,
        "hostile": cell.hostile,
        "seed": cell.seed,
        "majority": majority(crowd),
        "crowd_kit": np.nan,
        "ours": score(labelled(labels), crowd, cell.n_labels),
        "clean": clean(without) if crowd.hostile else np.nan,
        "n_items": len(crowd.truth) - len(crowd.gold),
        "accepted": len(accepted),
        "wrong": int((accepted["label"].astype(str) != accepted["item"].astype(str).map(crowd.truth)).sum()),
        "n_hostile": int(hostile.sum()),
        "named": int((stopped & hostile).sum()),
        "n_honest": int(spared.sum()),
        "condemned": int((stopped & spared).sum()),
        "codes": " ".join(sorted({one["code"] for one in run.summary["warnings"]})),
    }


@dataclass(slots=True)
class Peer:
    """crowd-kit's Dawid-Skene in a process that stays; it works while ours do."""

    folder: Path
    process: subprocess.Popen[str]
    asked: dict[int, Crowd] = field(default_factory=dict)

    def ask(self, number: int, crowd: Crowd) -> None:
        """Hand over a crowd; do not wait."""
        code = {name: int(name[1:]) for name in (*crowd.truth, *crowd.truth.values(), *crowd.table["label"])}
        item, label = crowd.table["item"].map(code), crowd.table["label"].map(code)
        worker = pd.factorize(crowd.table["worker"])[0]
        gold = np.array([(code[i], code[k]) for i, k in crowd.gold.items()], np.int64).reshape(-1, 2)
        np.savez(self.folder / f"{number}.npz", judgments=np.column_stack([item, worker, label]), gold=gold)
        self.asked[number] = crowd
        assert self.process.stdin is not None
        self.process.stdin.write(f"{number}\n")
        self.process.stdin.flush()

    def answers(self, told: Callable[[int, int], None]) -> dict[int, float]:
        """Per cent right of every crowd, once the peer is ready with all; ``told`` how many of how many it is."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        found = {}
        for line in self.process.stdout:
            number = int(line)
            labels = np.load(self.folder / f"{number}.npy")
            crowd = self.asked[number]
            named = {f"i{i}": f"c{k}" for i, k in enumerate(labels.tolist())}
            found[number] = score(named, crowd, 1)
            told(len(found), len(self.asked))
        if len(found) < len(self.asked):
            raise SystemExit("crowd-kit failed; what it said stands above")
        return found


@contextmanager
def crowd_kit(python: Path) -> Iterator[Peer]:
    """The peer, whose interpreter is ``python``."""
    with tempfile.TemporaryDirectory() as name:
        command = [str(python), "-W", "ignore", str(peers.HERE / "peer_attacks.py"), name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            peers.check_version(python, "crowd-kit", process.stdout.readline().strip())
            try:
                yield Peer(Path(name), process)
            finally:
                process.kill()
