"""Kill updates at random moments: the state opens, and no judgment is lost or doubled.

``python -m tests.benchmarks.state_kills --kills 40 --seed 0``: each update brings a file of its own. Half of them are
killed (SIGKILL) at any moment, half while they write, which is seen by a new file in the state. Then the state must
open, hold each file that came before once, and the new one once or not at all; brought again, it counts once. In the
end a full update must give the labels of a run of all files.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from consensus.config import RunConfig
from consensus.errors import ConsensusError
from consensus.runs import run
from consensus.simulation import simulate
from consensus.state import State

LONGEST = 300.0
"""Seconds that an update may take."""


@dataclass
class Killed:
    """What became of the updates."""

    n_killed: int = 0
    n_counted: int = 0
    """Of these, whose judgments counted."""
    n_done: int = 0
    """That ended before they could be killed."""
    wrong: list[str] = field(default_factory=list)


def killed(n_kills: int, seed: int, folder: Path, n_items: int = 2_000) -> Killed:
    """Kill ``n_kills`` updates, every second one while it writes."""
    rng = random.Random(seed)
    table = simulate(n_items, 30, 3, 5, seed=seed).judgments_table().sample(frac=1.0, random_state=seed)
    step = len(table) // (n_kills + 1)
    files = [folder / f"j{n:03d}.csv" for n in range(n_kills + 1)]
    for n, file in enumerate(files):
        table.iloc[n * step : (n + 1) * step].to_csv(file, index=False)
    state = State.create(folder / "state", RunConfig(), options={"output": _output(folder)})
    state.append(files[0])
    begun = time.monotonic()
    subprocess.run(_command(folder), check=True, timeout=LONGEST)
    took = time.monotonic() - begun
    found = Killed()
    for n, file in enumerate(files[1:]):
        before = set(_names(folder))
        process = subprocess.Popen(_command(folder, file), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if n % 2:
            while process.poll() is None and not set(_names(folder)) - before:
                time.sleep(0.0005)
            time.sleep(rng.uniform(0, took / 4))
        else:
            time.sleep(rng.uniform(0, took))
        process.kill()
        process.wait(timeout=LONGEST)
        found.n_done += process.returncode == 0
        found.n_killed += process.returncode != 0
        try:
            state = State.open(folder / "state")
            _ = None if state.manifest.fit is None else state.last()
        except ConsensusError as error:
            found.wrong.append(f"kill {n}: {error}")
            continue
        came = [Path(event.file).name for event in state.manifest.events]
        known = [one.name for one in files[: n + 1]]
        if came not in (known, [*known, file.name]):
            found.wrong.append(f"kill {n}: the state holds {came}")
        if process.returncode != 0:
            found.n_counted += file.name in came
        state.append(file)
    subprocess.run([*_command(folder), "--full"], check=True, timeout=LONGEST)
    made = run(files)
    state = State.open(folder / "state")
    if not state.last().labels.equals(made.labels):
        found.wrong.append("in the end labels are not those of a run of all files")
    n_rows = state.last().result.judgments.tally.read
    if n_rows != step * len(files):
        found.wrong.append(f"in the end there are {n_rows:,} judgments, and {step * len(files):,} came")
    named = {event.part for event in state.manifest.events}
    left = [
        one.name for one in (folder / "state" / "parts").iterdir() if one.name.split(".")[0].split("-")[0] not in named
    ]
    found.wrong += [f"left: {name}" for name in left]
    return found


def _output(folder: Path) -> dict[str, object]:
    page = {"title": None, "item_url": None}
    more = {"ending": ".csv", "also": [], "raw_cells": False, "report": False, "page": page}
    return {"folder": str(folder / "out"), **more}


def _names(folder: Path) -> list[str]:
    return [path.name for part in ("parts", "fit") for path in (folder / "state" / part).iterdir()]


def _command(folder: Path, *files: Path) -> list[str]:
    return [sys.executable, "-m", "consensus", "update", str(folder / "state"), *map(str, files), "--quiet"]


def main() -> None:
    """Print what became of the updates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = killed(given.kills, given.seed, Path(folder))
    sys.stdout.write(
        f"{found.n_killed} killed, the judgments of {found.n_counted} counted; {found.n_done} were done before\n"
    )
    sys.stdout.write(
        ("\n".join(found.wrong) or "the state opened each time, and no judgment was lost or doubled") + "\n"
    )


if __name__ == "__main__":
    main()
