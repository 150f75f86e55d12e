"""What is fuzzed: areas, each with cases that are told by a number; and how many of them end in which way."""

from __future__ import annotations

import itertools
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import consensus
from tests.fuzz import frames, platforms, settings, tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SHARED_MEMORY = Path("/dev/shm")  # where files need no disk, if the system has it
MOST_MEMORY = 3 << 30  # bytes of a process that reads small tables, one after the other
PROGRESS = 60.0  # seconds between two lines that tell how far it is
AT_ONCE = 200  # cases that a process does before it tells what it found
OF_A_SEED = 10**9  # cases
ENDED = "the process ended, at this case or at one of another process beside it"


class Area(NamedTuple):
    """Something that is fuzzed."""

    outcome: Callable[[int, Path], tuple[str, str | None]]
    """How a case ends: in a word, and what is wrong about that, or None; given an empty folder."""
    share: float
    """Of the time."""


AREAS = {
    "tables": Area(tables.outcome, 0.45),
    "exports": Area(platforms.outcome, 0.2),
    "frames": Area(frames.outcome, 0.27),
    "settings": Area(settings.outcome, 0.02),
    "arguments": Area(settings.arguments_outcome, 0.06),
}
"""Text (a tenth of it workbooks, Parquet and mappings), exports of platforms, typed columns, settings, calls."""


class Batch(NamedTuple):
    """Cases that one process does."""

    area: str
    first: int
    n: int


@dataclass(slots=True)
class Told:
    """What came of the cases of an area."""

    ends: Counter[str] = field(default_factory=Counter)
    """How many ended in which way."""
    findings: list[tuple[int, str]] = field(default_factory=list)
    """Cases, and what is wrong with how they end."""
    seconds: float = 0.0
    """That processes took."""


def batch(area: str, first: int, n: int, at: str | None = None) -> Told:
    """What comes of ``n`` cases of an ``area``, from ``first`` on. The file ``at`` tells which one is done."""
    start, told = time.perf_counter(), Told()
    memory = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="fuzz", dir=memory) as name:
        for case in range(first, first + n):
            if at is not None:
                Path(at).write_text(f"{case}", encoding="ascii")
            how, fault = AREAS[area].outcome(case, Path(name))
            told.ends[how] += 1
            if fault is not None:
                told.findings.append((case, fault))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if most > MOST_MEMORY:
        told.findings.append((first, f"memory grew to {most / 1e9:.1f} GB"))
    told.seconds = time.perf_counter() - start
    if at is not None:
        Path(at).unlink()
    return told


def fuzzed(
    seed: int, seconds: float, processes: int, areas: Sequence[str] = tuple(AREAS), most: int = OF_A_SEED
) -> dict[str, Told]:
    """What comes of as many cases of some ``areas`` as there is time for, at most ``most`` of each.

    Case n of a ``seed`` is the same one whenever and however fast it is done.
    """
    told = {area: Told() for area in areas}
    end, next_line = time.monotonic() + seconds, time.monotonic() + PROGRESS
    waiting = _starts(told, seed, most)
    with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
        while time.monotonic() < end:
            running: list[tuple[Batch, Future[Told]]] = []
            with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin) as pool:
                try:
                    while True:
                        while len(running) <= processes and time.monotonic() < end and (one := next(waiting, None)):
                            running.append((one, pool.submit(batch, *one, str(_at(folder, one)))))
                        if not running:
                            return told
                        one, future = running[0]
                        _add(told[one.area], one.area, future.result())
                        running.pop(0)
                        if time.monotonic() > next_line:
                            _tell(told)
                            next_line += PROGRESS
                except BrokenProcessPool:  # a library ended it
                    pass
            for one, _ in running:
                if _at(folder, one).exists():
                    case = int(_at(folder, one).read_text(encoding="ascii"))
                    _at(folder, one).unlink()
                    _add(told[one.area], one.area, Told(Counter(ended=1), [(case, ENDED)]))
                else:  # it was not begun, or what it told is lost
                    waiting = itertools.chain([one], waiting)
    return told


def _at(folder: str, one: Batch) -> Path:
    return Path(folder) / f"{one.area}-{one.first}"


def _begin() -> None:
    """Compile the loops, and let objects that can't be told die in silence."""
    import warnings

    sys.unraisablehook = lambda _: None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        consensus.run({"item": ["a", "a"], "worker": ["v", "w"], "label": ["x", "y"]}, collusion="off")


def _starts(told: dict[str, Told], seed: int, most: int) -> Iterator[Batch]:
    """Area, first case and number of cases of one batch after the other: of the area that had least of its share."""
    begun = dict.fromkeys(told, 0)
    speed = dict.fromkeys(told, 1 / 50)  # seconds a case, until it is known
    while open_ := [area for area in told if begun[area] < most]:
        for area in open_:
            if n := told[area].ends.total():
                speed[area] = told[area].seconds / n
        area = min(open_, key=lambda one: begun[one] * speed[one] / AREAS[one].share)
        n = min(AT_ONCE, most - begun[area])
        yield Batch(area, seed * OF_A_SEED + begun[area], n)
        begun[area] += n


def _add(told: Told, area: str, more: Told) -> None:
    told.ends += more.ends
    told.findings += more.findings
    told.seconds += more.seconds
    for case, fault in more.findings:
        sys.stderr.write(f"--one {area}:{case}: {tables.last_line(fault)}\n")


def _tell(told: dict[str, Told]) -> None:
    n, findings = sum(one.ends.total() for one in told.values()), sum(len(one.findings) for one in told.values())
    sys.stderr.write(f"{n:,} cases so far, {findings:,} findings\n")
    sys.stderr.flush()
