"""Fill the disk under every command that writes: one line that names the file, and the old output stays whole.

``python -m tests.benchmarks.full_disks --sizes 12 --seed 0``: each command writes an old output, then runs again where

- a file may grow to no more than so many bytes (RLIMIT_FSIZE): just below the size of each file of the output, and
  sizes drawn at random;
- with ``--mount``, as root: a disk of its own (tmpfs) has so much room left.

No error is made up. The exit code must be that of an output that can't be written, stderr one line that names a file
in the output and the way out; the output must be the old one, and nothing else may stand beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from consensus.errors import SETTINGS
from consensus.simulation import simulate
from tests.benchmarks import kills
from tests.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST = 300.0
"""Seconds that a command may take."""
JUDGED = "judgments.csv"
WAYS_OUT = ("make room", "choose another", "create it")
"""What a line may tell one to do."""

COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("run", JUDGED, "--posteriors", "--no-report", "-o", "{}/out", "--overwrite"),
    "run with a page": ("run", JUDGED, "--report", "-o", "{}/out", "--overwrite"),
    "run to Parquet": ("run", JUDGED, "--no-report", "--format", "parquet", "-o", "{}/out", "--overwrite"),
    "aggregate": ("aggregate", JUDGED, "-o", "{}/out.csv"),
    "audit": ("audit", JUDGED, "-o", "{}/out.parquet"),
    "escalate": ("escalate", JUDGED, "-o", "{}/out.jsonl"),
    "escalate --summary": ("escalate", JUDGED, "--summary", "{}/out.json"),
    "agreement": ("agreement", JUDGED, "--by", "worker-pair", "-o", "{}/out.csv"),
    "shares": ("shares", JUDGED, "-o", "{}/out.csv"),
    "plan-gold": ("plan-gold", JUDGED, "-o", "{}/out.csv"),
    "plan-budget": ("plan-budget", JUDGED, "--items", "50", "-o", "{}/out.csv"),
    "report": ("report", "done", "-o", "{}/out.html"),
    "simulate": ("simulate", "{}/out", "--items", "400", "--overwrite"),
    "demo": ("demo", "{}/out", "--overwrite"),
    "chunks make": ("chunks", "make", str(kills.SHAPES / "pictures" / "dawn.png"), "-o", "{}/out"),
    "chunks run": (*kills.OF_SHAPES, "-o", "{}/out", "--overwrite"),
    "chunks answers": ("chunks", "answers", "{}/out", str(kills.SHAPES / "answers.csv")),
}
"""What is tried: ``{}`` is the folder of the output. All but chunks make may be done again over its own output."""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    said: str


def prepared(folder: Path, n_items: int = 400) -> None:
    """Write what the commands read into a ``folder``."""
    judged(folder, n_items)
    _ended(("run", JUDGED, "-o", "done", "--no-report"), folder, folder)


def judged(folder: Path, n_items: int) -> None:
    """Write only the judgments."""
    drawn = simulate(n_items, 20, 3, 5, seed=7).judgments_table()
    drawn.to_csv(folder / JUDGED, index=False)


def digest(path: Path) -> str:
    """Of all files in a folder, or of one file."""
    made = hashlib.sha256()
    for one in sorted(path.rglob("*")) if path.is_dir() else [path]:
        made.update(str(one.relative_to(path)).encode() + (one.read_bytes() if one.is_file() else b""))
    return made.hexdigest()


def full(name: str, inputs: Path, place: Path, limits: Sequence[int | None]) -> tuple[int, list[str]]:
    """Run a command again and again with little room in ``place``; how often it was refused, and what was wrong.

    Of ``limits``, each number is the size that a file may have; None is the room that there is.
    """
    out = old_output(name, inputs, place)
    before = digest(out) if out.exists() else ""
    n_refused, wrong = 0, []
    for limit in limits:
        ended = _ended(COMMANDS[name], inputs, place, limit)
        n_refused += ended.status != 0
        wrong += [f"{name}, {limit}: {one}" for one in _wrong(ended, out, before, place)]
        if ended.status == 0 and name != "chunks answers":
            before = digest(out)
    return n_refused, wrong


def old_output(name: str, inputs: Path, place: Path) -> Path:
    """Write what stands there before; where."""
    if name == "chunks answers":
        _ended(COMMANDS["chunks run"], inputs, place)
    elif name != "chunks make":
        _ended(COMMANDS[name], inputs, place)
    return next(Path(one.format(place)) for one in COMMANDS[name] if one.startswith("{}"))


def sizes(out: Path) -> list[int]:
    """Of all files of an output."""
    return sorted({one.stat().st_size for one in (out.rglob("*") if out.is_dir() else [out]) if one.is_file()})


def _wrong(ended: Ended, out: Path, before: str, place: Path) -> Iterator[str]:
    lines = ended.said.splitlines()
    if ended.status not in (0, SETTINGS):
        yield f"exit code {ended.status}: {ended.said[-300:]}"
    if ended.status and len(lines) != 1:
        yield f"said {len(lines)} lines: {ended.said[-300:]}"
    if ended.status and str(out) not in ended.said:
        yield f"names no file: {ended.said}"
    if ended.status and ".partial" in ended.said:
        yield f"names a file that is gone: {ended.said}"
    if ended.status and not any(one in ended.said for one in WAYS_OUT):
        yield f"tells no way out: {ended.said}"
    if ended.status and (digest(out) if out.exists() else "") != before:
        yield "the old output is not whole"
    left = [one.name for one in place.iterdir() if one != out and (place / one).name != "ballast"]
    if left:
        yield f"left {left}"


def _ended(given: tuple[str, ...], inputs: Path, place: Path, limit: int | None = None) -> Ended:
    """Run a command in the folder of its ``inputs``."""

    def limited() -> None:
        if limit is not None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    ran = subprocess.run(
        [sys.executable, "-m", "consensus", *(one.format(place) for one in given), "--quiet"],
        cwd=inputs,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=LONGEST,
        check=False,
        preexec_fn=limited,
    )
    return Ended(ran.returncode, ran.stderr)


@contextmanager
def disk(place: Path, n_bytes: int) -> Iterator[None]:
    """A disk of so many bytes at ``place``; only root may."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={n_bytes}", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


def by_size(name: str, inputs: Path, place: Path, n_sizes: int, rng: random.Random) -> tuple[int, int, list[str]]:
    """Limit the size of a file; how often that was tried, was refused, and what was wrong."""
    out = old_output(name, inputs, place)
    known = sizes(out) if out.exists() else [3_000]  # chunks make never writes over anything
    drawn = {max(one - 1, 0) for one in (known if len(known) <= n_sizes else rng.sample(known, n_sizes))}
    while len(drawn) < n_sizes:
        drawn.add(int(rng.uniform(0, 1) ** 3 * known[-1]))
    n_refused, wrong = full(name, inputs, place, sorted(drawn))
    return len(drawn), n_refused, wrong


def by_room(name: str, inputs: Path, place: Path, n_sizes: int) -> tuple[int, int, list[str]]:
    """Leave from no room to all that is needed; as ``by_size``."""
    n_refused, wrong = 0, []
    with disk(place, 64 << 20):
        out = old_output(name, inputs, place)
        used = sum(-(-one.stat().st_size // 4096) * 4096 for one in place.rglob("*") if one.is_file()) or 8192
        for n in range(n_sizes):
            room = int(used * 1.1 * n / n_sizes)
            ballast = place / "ballast"
            subprocess.run(["fallocate", "-l", str(_free(place) - room), str(ballast)], check=True)
            found = full_again(name, inputs, place, out)
            ballast.unlink()
            n_refused += found[0]
            wrong += [f"{name}, {room:,} bytes of room: {one}" for one in found[1]]
    return n_sizes, n_refused, wrong


def full_again(name: str, inputs: Path, place: Path, out: Path) -> tuple[bool, list[str]]:
    """Run a command where there is as much room as there is."""
    before = digest(out) if out.exists() else ""
    ended = _ended(COMMANDS[name], inputs, place)
    return ended.status != 0, list(_wrong(ended, out, before, place))


def _free(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def main() -> None:
    """Print what became of each command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mount", action="store_true", help="also fill disks of their own; needs root")
    parser.add_argument("--only", action="append", choices=sorted(COMMANDS))
    given = parser.parse_args()
    rng = random.Random(given.seed)
    with TemporaryDirectory() as inputs:
        prepared(Path(inputs))
        for name in given.only or COMMANDS:
            for way in ("size", "room")[: 1 + given.mount]:
                with TemporaryDirectory() as place:
                    if way == "size":
                        found = by_size(name, Path(inputs), Path(place), given.sizes, rng)
                    else:
                        found = by_room(name, Path(inputs), Path(place), given.sizes)
                sys.stdout.write(f"{name}, by {way}: {found[0]} tried, {found[1]} refused, {len(found[2])} wrong\n")
                sys.stdout.writelines(f"    {one.strip()}\n" for one in found[2])
                sys.stdout.flush()


if __name__ == "__main__":
    main()
