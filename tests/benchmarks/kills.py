"""Kill runs at random moments: the old output stays whole, and the next run leaves nothing of a dead one.

``python -m tests.benchmarks.kills --kills 100 --seed 0``: half of the runs are killed at any moment (SIGKILL), half
while the folder is written, which is seen by its ``.partial``. Then the output must be that of one whole run, old or
new; and in the end, after a run that is left alone, nothing else may lie beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from consensus.simulation import simulate

LONGEST = 120.0
"""Seconds that a run may take."""


@dataclass
class Killed:
    """What became of the runs."""

    n_killed: int = 0
    n_writing: int = 0
    """Of these, while the folder was written."""
    n_done: int = 0
    """That ended before they could be killed."""
    wrong: list[str] = field(default_factory=list)


def digest(out: Path) -> str:
    """Of all files in a folder."""
    made = hashlib.sha256()
    for path in sorted(out.iterdir()):
        made.update(path.name.encode() + path.read_bytes())
    return made.hexdigest()


def partials(folder: Path) -> list[Path]:
    """What is being written, or was, beside an output."""
    return [one for one in folder.iterdir() if one.name.endswith((".partial", ".old"))]


def killed(n_kills: int, seed: int, folder: Path, number: int = signal.SIGKILL, n_items: int = 3_000) -> Killed:
    """Kill ``n_kills`` runs by a signal of this ``number``, every second one while it writes."""
    rng = random.Random(seed)
    out, whole = folder / "out", []
    for n, target in enumerate(("0.9", "0.8")):
        drawn = simulate(n_items, 30, 3, 5, seed=seed + n).judgments_table()
        drawn.to_csv(folder / f"j{n}.csv", index=False)
        begun = time.monotonic()
        subprocess.run(_command(folder, n, target), check=True, timeout=LONGEST)
        took = time.monotonic() - begun
        whole.append(digest(out))
    found = Killed()
    for n in range(n_kills):
        process = subprocess.Popen(
            _command(folder, n % 2, ("0.9", "0.8")[n % 2]), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        before = set(partials(folder))
        wants_writing = n % 2 == 1
        if wants_writing:
            while process.poll() is None and not set(partials(folder)) - before:
                time.sleep(0.0005)
            time.sleep(rng.uniform(0, 0.05))
        else:
            time.sleep(rng.uniform(0, took))
        left = set(partials(folder)) - before
        process.send_signal(number)
        _, said = process.communicate(timeout=LONGEST)
        if process.returncode == 0:
            found.n_done += 1
        else:
            found.n_killed += 1
            found.n_writing += bool(left)
        if not out.is_dir() or digest(out) not in whole:
            found.wrong.append(f"kill {n}: the output is not that of a whole run")
        if number != signal.SIGKILL:
            found.wrong += [f"kill {n}: {one}" for one in _badly_stopped(process.returncode, said, number, folder)]
    subprocess.run(_command(folder, 0, "0.9"), check=True, timeout=LONGEST)
    if digest(out) != whole[0]:
        found.wrong.append("a run that was left alone gives something else")
    found.wrong += [f"left: {one.name}" for one in partials(folder)]
    return found


def _badly_stopped(status: int, said: str, number: int, folder: Path) -> list[str]:
    """What is wrong with a run that was asked to stop; before Python listens, it ends by the signal itself."""
    if status in (0, -number):
        return []
    wrong = [] if status == 128 + number else [f"exit code {status}"]
    wrong += [] if said.count("\n") == 1 and "stopped by" in said else [f"said {said!r}"]
    return wrong + [f"left {one.name}" for one in partials(folder)]


def _command(folder: Path, n: int, target: str) -> list[str]:
    name = [sys.executable, "-m", "consensus", "run", str(folder / f"j{n}.csv"), "--output", str(folder / "out")]
    return [*name, "--overwrite", "--quiet", "--no-report", "--posteriors", "--target", target]


def main() -> None:
    """Print what became of the runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--signal", default="KILL", choices=("KILL", "INT", "TERM", "HUP"))
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = killed(given.kills, given.seed, Path(folder), getattr(signal, f"SIG{given.signal}"))
    sys.stdout.write(
        f"{found.n_killed} killed, {found.n_writing} of them while writing; {found.n_done} were done before\n"
    )
    sys.stdout.write(
        ("\n".join(found.wrong) or "the old or the new output was whole each time, and nothing was left") + "\n"
    )


if __name__ == "__main__":
    main()
