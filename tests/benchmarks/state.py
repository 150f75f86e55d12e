"""Updates of a state: how far warm fits are from fits from nothing, and how long they take beside a run.

``python -m tests.benchmarks.state --seeds 10 11 12 --events 30`` draws sequences of events (new judgments, corrections,
retractions of judgments, workers and files, gold that is new or corrected, votes of models) and holds each update
against a run of what then counts: the full one bit for bit, the warm one by its labels and posteriors.

``python -m tests.benchmarks.state --judgments 1000000`` times ``consensus update`` with 1,000 new judgments beside
``consensus run`` of all of them, in turn, each in a process of its own.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import RunConfig
from consensus.errors import ConsensusWarning
from consensus.runs import run
from consensus.simulation import simulate
from consensus.state import State, updating

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.found.result import Consensus

MOST_LABELS, MOST_MOVED = 0.001, 0.01
"""Of a warm fit against one from nothing: share of the items with another label, and how far posteriors of items that
nothing came to may be."""
KINDS = ("new", "new", "new", "corrected", "corrected", "judgments back", "worker back", "file back", "gold", "votes")
Row = tuple[str, str, str]


@dataclass
class Outcome:
    """What came of a sequence of events."""

    n_warm: int = 0
    full_differs: list[str] = field(default_factory=list)
    """Events after which a full update was not that of a run of all."""
    labels: list[float] = field(default_factory=list)
    """Of each warm fit, the share of items with another label than from nothing; 0 for a single item."""
    moved: list[float] = field(default_factory=list)
    """Of each warm fit, how far a posterior of an untouched item is from that from nothing, at most."""

    @property
    def labels_worst(self) -> float:
        """The worst share."""
        return max(self.labels, default=0.0)

    @property
    def moved_worst(self) -> float:
        """The farthest."""
        return max(self.moved, default=0.0)


@dataclass
class World:
    """What counts, in plain Python: the reference."""

    files: dict[str, list[Row]] = field(default_factory=dict)
    gold: dict[str, str] = field(default_factory=dict)
    votes: list[Row] = field(default_factory=list)


def sequence(folder: Path, seed: int, n_events: int, n_items: int = 5_000) -> Outcome:
    """Let ``n_events`` random events come to a state, and hold each update against a run."""
    rng = np.random.default_rng(seed)
    drawn = simulate(n_items, max(n_items // 50, 20), 3, 5, seed=seed, spammers=0.1)
    table = drawn.judgments_table().sample(frac=1.0, random_state=seed)
    rows: list[Row] = list(table[["item", "worker", "label"]].itertuples(index=False, name=None))
    truth = dict(drawn.truth_table()[["item", "label"]].itertuples(index=False, name=None))
    waiting = rows[int(0.8 * len(rows)) :]
    world = World({"first.csv": rows[: len(rows) - len(waiting)]})
    world.gold = {item: truth[item] for item in sorted(truth)[:60]}
    state = State.create(folder / "state", RunConfig.of(None, model="dawid_skene", repeats="last"))
    _put(folder / "first.csv", world.files["first.csv"], ("item", "worker", "label"))
    state.append(folder / "first.csv", gold=world.gold)
    state.update()
    found = Outcome()
    labels = sorted(set(truth.values()))
    for n in range(n_events):
        kinds = KINDS if n > 2 * n_events // 3 else KINDS[:-1]
        touched = _event(str(rng.choice(kinds)), n, rng, folder, state, world, waiting, labels)
        shutil.rmtree(folder / "copy", ignore_errors=True)
        shutil.copytree(folder / "state", folder / "copy")
        updated = state.update()
        reference = run(_files(folder, world), model="dawid_skene", repeats="last", **_beside(folder, world))
        full = State.open(folder / "copy").update(full=True).run
        for name in ("labels", "workers", "confusions", "escalations", "posteriors"):
            if not full.table(name).equals(reference.table(name)):
                found.full_differs.append(f"event {n}: {name}")
        if not updated.full:
            found.n_warm += 1
            share, moved = _distance(updated.run.result, reference.result, touched)
            found.labels.append(share)
            found.moved.append(moved)
    return found


def _event(
    kind: str,
    n: int,
    rng: np.random.Generator,
    folder: Path,
    state: State,
    world: World,
    waiting: list[Row],
    labels: Sequence[str],
) -> set[str]:
    """Let an event come to the state and to the world; the items that it touches."""
    every = [(name, row) for name, some in world.files.items() for row in some]
    if kind in {"new", "corrected"}:
        some = [waiting.pop() for _ in range(min(len(waiting), int(rng.integers(20, 120))))]
        if kind == "corrected" or not some:
            chosen = rng.choice(len(every), 50, replace=False)
            some = [(*every[one][1][:2], str(rng.choice(labels))) for one in chosen.tolist()]
        name = f"event{n}.csv"
        world.files[name] = some
        state.append(_put(folder / name, some, ("item", "worker", "label")))
        return {row[0] for row in some}
    if kind == "judgments back":
        pairs = {every[one][1][:2] for one in rng.choice(len(every), 20, replace=False).tolist()}
        state.append(retract=[{"item": item, "worker": worker} for item, worker in sorted(pairs)])
        world.files = {name: [row for row in some if row[:2] not in pairs] for name, some in world.files.items()}
        return {item for item, _ in pairs}
    if kind == "worker back":
        worker = every[int(rng.integers(len(every)))][1][1]
        state.append(retract={"worker": [worker]})
        world.files = {name: [row for row in some if row[1] != worker] for name, some in world.files.items()}
        return {row[0] for _, row in every if row[1] == worker}
    if kind == "file back" and len(world.files) > 1:
        name = str(rng.choice(sorted(world.files)[:-1]))
        state.append(retract={"file": [str(folder / name)]})
        gone = world.files.pop(name)
        return {row[0] for row in gone}
    if kind == "votes":
        items = sorted({row[0] for _, row in every})
        world.votes = [(item, "gpt", str(rng.choice(labels))) for item in items]
        state.append(model_votes=_put(folder / f"votes{n}.csv", world.votes, ("item", "model", "label")))
        return set(items)
    items = sorted({row[0] for _, row in every})
    more = {items[one]: str(rng.choice(labels)) for one in rng.choice(len(items), 5, replace=False).tolist()}
    state.append(gold=more)
    world.gold = {item: label for item, label in world.gold.items() if item not in more} | more
    return set(more)


def _files(folder: Path, world: World) -> list[Path]:
    """What counts, as files in the order in which it came."""
    (folder / "now").mkdir(exist_ok=True)
    header = ("item", "worker", "label")
    return [_put(folder / "now" / name, some, header) for name, some in world.files.items() if some]


def _beside(folder: Path, world: World) -> dict[str, Any]:
    votes = {"model_votes": _put(folder / "now" / "votes.csv", world.votes, ("item", "model", "label"))}
    return {"gold": world.gold, **(votes if world.votes else {})}


def _put(path: Path, some: Sequence[Sequence[str]], header: Sequence[str]) -> Path:
    path.write_text("\n".join([",".join(header), *map(",".join, some)]) + "\n", encoding="utf-8")
    return path


def _distance(warm: Consensus, full: Consensus, touched: set[str]) -> tuple[float, float]:
    differ = int((warm.consensus_label != full.consensus_label).sum())
    untouched = np.array([item not in touched for item in full.judgments.item_ids.to_pylist()], np.bool_)
    moved = np.abs(warm.posterior - full.posterior).max(axis=1)[untouched]
    return (0.0 if differ <= 1 else differ / len(untouched)), float(moved.max(initial=0.0))


def timed(n_judgments: int, folder: Path, rounds: int, seed: int) -> list[str]:
    """Wall and CPU seconds of an update with 1,000 new judgments and of a run of all, the best of some ``rounds``."""
    from tests.benchmarks import measured

    drawn = simulate(n_judgments // 5, max(n_judgments // 500, 20), 3, 5, seed=seed)
    table = drawn.judgments_table().sample(frac=1.0, random_state=seed)
    table.iloc[1000:].to_csv(folder / "old.csv", index=False)
    table.iloc[:1000].to_csv(folder / "new.csv", index=False)
    del table, drawn
    command = [sys.executable, "-m", "consensus"]
    common = ["--no-report", "--quiet", "--model", "dawid_skene"]
    measured.run([*command, "run", folder / "old.csv", "--state", folder / "kept", "-o", folder / "out", *common])
    lines, best = [], {"run": np.inf, "update": np.inf}
    for n in range(rounds):
        both = [folder / "old.csv", folder / "new.csv"]
        whole = measured.run([*command, "run", *both, "-o", folder / "plain", "--overwrite", *common])
        shutil.rmtree(folder / "state", ignore_errors=True)
        shutil.copytree(folder / "kept", folder / "state")
        update = measured.run([*command, "update", folder / "state", folder / "new.csv", "--quiet"])
        for name, one in (("run", whole), ("update", update)):
            lines.append(f"{name} {n}: {one.seconds:.1f} s, {one.cpu_seconds:.1f} s of CPU, {one.peak_mb:,.0f} MB")
            best[name] = min(best[name], one.cpu_seconds)
    share = best["update"] / best["run"]
    lines.append(f"{n_judgments:,} judgments, 1,000 new: an update takes {share:.0%} of the CPU of a run")
    return lines


def main() -> None:
    """Print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[])
    parser.add_argument("--events", type=int, default=30)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--judgments", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    updating.SMALL = 0
    warnings.simplefilter("ignore", ConsensusWarning)
    for seed in given.seeds:
        with TemporaryDirectory() as folder:
            found = sequence(Path(folder), seed, given.events, given.items)
        sys.stdout.write(
            f"seed {seed}: {given.events} events, {found.n_warm} warm; full differs {len(found.full_differs)} times "
            f"{found.full_differs[:3]}; labels {np.mean(found.labels or [0]):.4%}, worst {found.labels_worst:.4%}; "
            f"posteriors of untouched items {np.mean(found.moved or [0]):.5f}, worst {found.moved_worst:.5f}\n"
        )
        sys.stdout.flush()
    if given.judgments:
        with TemporaryDirectory() as folder:
            for line in timed(given.judgments, Path(folder), given.rounds, 1):
                sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
