"""Kill runs at random moments: the old output stays whole, and the next run leaves nothing of a dead one.

``python -m tests.benchmarks.kills --kills 100 --seed 0 [--what chunks-answers] [--signal TERM]``: half of the runs are
killed at any moment (SIGKILL), half while the folder is written, which is seen by its ``.partial``. Then the output
must be that of one whole run, old or new; and in the end, after a run that is left alone, nothing else may lie beside
it. With ``--pairs``, two runs write into one folder at once instead: each ends well or says one line, and the output is
that of one of them.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from consensus.errors import SETTINGS
from consensus.simulation import simulate
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 240.0
"""Seconds that a run may take."""
SHAPES = ROOT / "data" / "shapes"
OF_SHAPES = ("chunks", "run", str(SHAPES / "manifest.csv"), "--classes", str(SHAPES / "classes.csv"), "--crops", "4")


@dataclass(frozen=True)
class Job:
    """Two commands that write different things into one folder."""

    prepare: Callable[[Path, int, int], None]
    """Writes what they read into a folder, by a seed, and so many items."""
    commands: tuple[tuple[str, ...], tuple[str, ...]]
    """``{}`` is the folder; its ``out`` is written."""
    writing: float = 0.05
    """Seconds that it writes, about."""


def _judgments(folder: Path, seed: int, n_items: int) -> None:
    for n in range(2):
        drawn = simulate(n_items, 30, 3, 5, seed=seed + n).judgments_table()
        drawn.to_csv(folder / f"j{n}.csv", index=False)


def _nothing(*_: object) -> None:
    pass


def _answers(folder: Path, *_: int) -> None:
    """A run, and two tables of answers that take each other back."""
    subprocess.run(_command(folder, (*OF_SHAPES, "-o", "{}/out", "--no-report")), check=True, timeout=LONGEST)
    with (SHAPES / "answers.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    labels = sorted({one["label"] for one in rows})
    for n in range(2):
        with (folder / f"a{n}.csv").open("w", newline="") as file:
            out = csv.writer(file)
            out.writerow(("item", "worker", "label"))
            for one in rows:
                label = labels[(labels.index(one["label"]) + n) % len(labels)]
                out.writerow((one["item"], one["worker"], label))


WRITE = ("--no-report", "--overwrite", "-o", "{}/out")
JOBS = {
    "run": Job(
        _judgments,
        (
            ("run", "{}/j0.csv", "--posteriors", "--target", "0.9", *WRITE),
            ("run", "{}/j1.csv", "--posteriors", "--target", "0.8", *WRITE),
        ),
    ),
    "chunks-run": Job(
        _nothing, ((*OF_SHAPES, "--clicks", "20", *WRITE), (*OF_SHAPES, "--clicks", "10", *WRITE)), writing=0.7
    ),
    "chunks-answers": Job(
        _answers,
        (("chunks", "answers", "{}/out", "{}/a0.csv"), ("chunks", "answers", "{}/out", "{}/a1.csv")),
        writing=0.7,
    ),
}


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
    for path in sorted(out.rglob("*")):
        made.update(str(path.relative_to(out)).encode() + (path.read_bytes() if path.is_file() else b""))
    return made.hexdigest()


def partials(folder: Path) -> list[Path]:
    """What is being written, or was, beside an output."""
    return [one for one in folder.iterdir() if one.name.endswith((".partial", ".old"))]


def _primed(job: Job, folder: Path, seed: int, n_items: int) -> tuple[list[str], float]:
    """Digests of the two whole outputs, the second of which stands there then, and how long a run takes."""
    job.prepare(folder, seed, n_items)
    whole, took = [], 0.0
    for command in job.commands:
        begun = time.monotonic()
        subprocess.run(_command(folder, command), check=True, timeout=LONGEST)
        took = time.monotonic() - begun
        whole.append(digest(folder / "out"))
    return whole, took


def killed(
    n_kills: int, seed: int, folder: Path, number: int = signal.SIGKILL, n_items: int = 3_000, what: str = "run"
) -> Killed:
    """Kill ``n_kills`` runs by a signal of this ``number``, every second one while it writes."""
    rng = random.Random(seed)
    job, out = JOBS[what], folder / "out"
    whole, took = _primed(job, folder, seed, n_items)
    found = Killed()
    for n in range(n_kills):
        process = _begun(folder, job.commands[n // 2 % 2])
        before = set(partials(folder))
        wants_writing = n % 2 == 1
        if wants_writing:
            while process.poll() is None and not set(partials(folder)) - before:
                time.sleep(0.0005)
            time.sleep(rng.uniform(0, job.writing))
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
    subprocess.run(_command(folder, job.commands[0]), check=True, timeout=LONGEST)
    if digest(out) != whole[0]:
        found.wrong.append("a run that was left alone gives something else")
    found.wrong += [f"left: {one.name}" for one in partials(folder)]
    return found


def pairs(n_pairs: int, seed: int, folder: Path, what: str = "run", n_items: int = 3_000) -> tuple[int, list[str]]:
    """Let two runs write into one folder at once, the second somewhat later; how many said one line, what is wrong.

    Every second pair finds no output, and may write over none.
    """
    rng = random.Random(seed)
    job, out = JOBS[what], folder / "out"
    whole, took = _primed(job, folder, seed, n_items)
    n_refused, wrong = 0, []
    for n in range(n_pairs):
        is_new = n % 2 == 1 and what != "chunks-answers"
        if is_new:
            shutil.rmtree(out)
        given = [tuple(one for one in command if not (is_new and one == "--overwrite")) for command in job.commands]
        first = _begun(folder, given[0])
        time.sleep(rng.uniform(0, took))
        second = _begun(folder, given[1])
        for process in (first, second):
            _, said = process.communicate(timeout=LONGEST)
            n_refused += process.returncode != 0
            if process.returncode not in (0, SETTINGS) or (process.returncode and said.count("\n") != 1):
                wrong.append(f"pair {n}: exit code {process.returncode}, said {said!r}")
        if is_new and (first.returncode == 0) == (second.returncode == 0):
            wrong.append(f"pair {n}: not one of the two wrote")
        if digest(out) not in whole:
            wrong.append(f"pair {n}: the output is not that of a whole run")
        wrong += [f"pair {n}: left {one.name}" for one in partials(folder)]
    return n_refused, wrong


def _badly_stopped(status: int, said: str, number: int, folder: Path) -> list[str]:
    """What is wrong with a run that was asked to stop; before Python listens, it ends by the signal itself."""
    if status in (0, -number):
        return []
    wrong = [] if status == 128 + number else [f"exit code {status}"]
    wrong += [] if said.count("\n") == 1 and "stopped by" in said else [f"said {said!r}"]
    return wrong + [f"left {one.name}" for one in partials(folder)]


def _begun(folder: Path, command: tuple[str, ...]) -> subprocess.Popen[str]:
    return subprocess.Popen(_command(folder, command), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def _command(folder: Path, command: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-m", "consensus", *(one.format(folder) for one in command), "--quiet"]


def main() -> None:
    """Print what became of the runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--signal", default="KILL", choices=("KILL", "INT", "TERM", "HUP"))
    parser.add_argument("--what", default="run", choices=sorted(JOBS))
    parser.add_argument("--pairs", type=int, default=0, help="so many pairs of runs at once, and no kills")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        if given.pairs:
            n_refused, wrong = pairs(given.pairs, given.seed, Path(folder), given.what)
            sys.stdout.write(f"{given.what}: {given.pairs} pairs of runs at once, {n_refused} runs said one line\n")
        else:
            number = getattr(signal, f"SIG{given.signal}")
            found = killed(given.kills, given.seed, Path(folder), number, what=given.what)
            wrong = found.wrong
            sys.stdout.write(
                f"{given.what}, {given.signal}: {found.n_killed} killed, {found.n_writing} of them while writing; "
                f"{found.n_done} were done before\n"
            )
    sys.stdout.write(("\n".join(wrong) or "the old or the new output was whole each time, and nothing was left") + "\n")


if __name__ == "__main__":
    main()
