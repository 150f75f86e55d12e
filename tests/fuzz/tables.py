"""Fuzz the readers with small random tables: rows that add up, or one clear line; anything else is a finding.

    python -m tests.fuzz.tables [--tables 20000] [--seed 0] [--seconds 60] [--processes 2] [--one SEED]

Prints the seed, counts, and each finding with the seed that shows it again (``--one``). Status 1 if there is any.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import consensus
from consensus.errors import ConsensusError, ConsensusWarning
from tests.fuzz import kinds, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelVotes

SHARED_MEMORY = Path("/dev/shm")  # where files need no disk, if the system has it
LONGEST = 5.0  # seconds of work, however busy the machine is
LONGEST_WAIT = 60.0  # seconds
MOST_MEMORY = 2 << 30  # bytes of a process that reads small tables, one after the other
PROGRESS = 60.0  # seconds between two lines that tell how far it is
AT_ONCE = 200  # tables a process makes before it tells what it found
ONLY = re.compile("with (--only|only=), or")
"""What a message says that is about settings alone."""
INNER = ("Traceback", "pyarrow", "Arrow", "numpy", "object at 0x", "<class", "KeyError", "TypeError", "ValueError")
"""What no message to a user holds."""


class HangError(BaseException):
    """A table takes too long: no error that a reader could catch."""


def _too_long(*_: object) -> None:
    raise HangError(f"more than {LONGEST:g} seconds")


@contextmanager
def _limited() -> Iterator[None]:
    timers = ((signal.ITIMER_PROF, signal.SIGPROF, LONGEST), (signal.ITIMER_REAL, signal.SIGALRM, LONGEST_WAIT))
    before = [signal.signal(one, _too_long) for _, one, _ in timers]
    for timer, _, seconds in timers:
        signal.setitimer(timer, seconds)
    try:
        yield
    finally:
        for (timer, one, _), handler in zip(timers, before, strict=True):
            signal.setitimer(timer, 0)
            signal.signal(one, handler)


def outcome(seed: int, folder: Path) -> tuple[str, str | None]:
    """How the table of a seed ends: in a word, and what is wrong about that, or None.

    ``folder`` is empty before and after.
    """
    return outcome_of(lambda: shapes.made(seed, folder), folder)


def outcome_of(
    make: Callable[[], kinds.Made],
    folder: Path,
    look: Callable[[Any, kinds.Made], str | None] | None = None,
    read: Callable[[kinds.Made, Any], tuple[str, str | None]] | None = None,
) -> tuple[str, str | None]:
    """The same of any table; ``look`` tells what else is wrong with what was read, or with the error.

    What is done with the table may be told by ``read``.
    """
    try:
        table = make()
        with warnings.catch_warnings(), _limited():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", ConsensusWarning)
            try:
                return (read or _read)(table, look or (lambda *_: None))
            except ConsensusError as error:
                fault = _fault_of_message(str(error), table)
                return "errors", fault or (look and look(error, table)) or None
            except (Exception, HangError):
                return "other", traceback.format_exc()
    finally:
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _read(table: kinds.Made, look: Callable[[Any, kinds.Made], str | None]) -> tuple[str, str | None]:
    if table.kind == "votes":
        votes = consensus.read_model_votes(table.source, threads=1, **table.settings)
        return "tables", _fault_of_votes(votes, table) or look(votes, table)
    if table.kind == "gold":
        gold = consensus.read_gold(table.source, **table.settings)
        fine = gold.item and len(gold.item) == len(gold.label) and all(one.isprintable() for one in gold.notes)
        return "tables", None if fine else "no gold and no error, or a note that is no line"
    if table.kind != "judgments":
        readers = {
            "previous": consensus.read_previous,
            "costs": consensus.read_costs,
            "workers": consensus.read_workers,
        }
        readers[table.kind](table.source)
        return "tables", None
    judgments = consensus.read(table.source, **{"threads": 1, **table.settings})
    fault = _fault_of_judgments(judgments, table) or look(judgments, table)
    if table.then == "check":
        fault = fault or _fault_of_check(consensus.check(table.source, **table.settings))
    elif table.then == "run":
        fault = fault or _fault_of_run(consensus.run(judgments, collusion="off", threads=1), judgments)
    return "tables", fault


def _fault_of_check(found: consensus.Check) -> str | None:
    """What is wrong with a dry run."""
    json.dumps(found.as_json())
    return next((f"no line: {line!r}" for line in found.lines() if not line.isprintable()), None)


def _fault_of_run(found: consensus.Run, judgments: Judgments) -> str | None:
    """What is wrong with a run of ``judgments``."""
    json.dumps(found.summary)
    tables = {name: found.table(name) for name in ("labels", "workers", "confusions", "escalations")}
    labels = tables["labels"]
    people = tables["workers"].query("kind == 'human'")
    sure = labels["confidence"].dropna()
    checks = {
        "not a label for each item": len(labels) == judgments.n_items,
        "a confidence is none": bool(((sure >= 0) & (sure <= 1)).all()),
        "a person has no row": len(people) == int(judgments.is_person.sum()),
        "a warning is no line": all(one.message.isprintable() for one in found.warnings),
    }
    return next((fault for fault, fine in checks.items() if not fine), None)


def _fault_of_message(message: str, table: kinds.Made) -> str | None:
    """What is wrong with the message of an error."""
    if "\n" in message or not message.isprintable():
        return f"more than one line, or unprintable: {message!r}"
    in_memory = not isinstance(table.source, Path)
    file = "" if in_memory else str(table.source)  # a damaged frame is not to be written
    of_settings = message.startswith(("setting ", "settings: ", "unknown platform ")) or ONLY.search(message)
    if not (in_memory or of_settings or file in message or "map.csv" in message):
        return f"does not name the file: {message}"
    held = message.replace("an Arrow file", "")
    held = held.replace(file, "") if file else held
    shown = [one for one in INNER if one in held and not in_memory]
    if shown:
        return f"the inside shows ({shown[0]}): {message}"
    return None if len(message) < 2_000 else f"{len(message):,} characters: {message[:200]}"


def _fault_of_judgments(found: Judgments, table: kinds.Made) -> str | None:
    """What does not add up in judgments."""
    tally = found.tally
    total = tally.used + tally.abstained + tally.repeated + tally.rejected + tally.dropped
    J, said = found.n_judgments, [*found.notes, *(one.message for one in found.cautions)]
    spans = zip((found.item, found.worker, found.label), (found.n_items, found.n_workers, found.n_labels), strict=True)
    checks = {
        f"the balance is off: {tally}": tally.read == total,
        f"{table.n_rows} rows, but {tally.read} read": table.n_rows in {None, tally.read},
        "used is not what is there": tally.used == J == found.item_start[-1],
        "rejects are not those counted": len(found.rejects) == tally.rejected,
        "a reject without a reason or a line": all(
            one.reason and one.line >= table.first_line for one in found.rejects
        ),
        "codes are out of range": all(not J or (codes.min() >= 0 and codes.max() < n) for codes, n in spans),
        "labels stand twice": len(set(found.labels)) == found.n_labels,
        "judgments are not in order": bool((np.diff(found.item) >= 0).all()),
        "a note is no line": all(one.isprintable() for one in said),
        "0 judgments in silence": bool(J or tally.abstained or tally.dropped or tally.rejected),
    }
    return next((fault for fault, fine in checks.items() if not fine), None) or _fault_of_rows(found, table)


CODED = ("item", "worker", "label")
PLAIN = {"repeats", "abstain", "drift_by", "group", "item", "worker", "label", "duration", "platform", "threads"}
"""Settings whose effect is checked row by row."""


def _fault_of_rows(found: Judgments, table: kinds.Made) -> str | None:
    """Where judgments are not those that the rows hold, read one by one, by the columns that were understood."""
    column = {one.role: one.name for one in found.understood}
    simple = PLAIN.issuperset(table.settings) and not found.anonymous and "timestamp" not in column
    if not (simple and table.rows and found.gold is None and len({*table.header}) == len(table.header)):
        return None
    places = {name.removeprefix("\ufeff"): n for n, name in enumerate(table.header)}
    places |= {name: n for n, name in enumerate(table.header)}  # beside a name with a mark, the name itself is meant
    item, worker, label = ([row[places[column[role]]] for row in table.rows] for role in CODED)
    absent = {None, *table.settings.get("abstain", ())}
    wanted: dict[tuple[Any, ...], Any] = {}
    for n, (i, w, k) in enumerate(zip(item, worker, label, strict=True)):
        if i is None or w is None or k in absent:
            continue
        key = (i, w, n) if table.settings.get("repeats") == "keep" else (i, w)
        if table.settings.get("repeats") != "first" or key not in wanted:
            wanted[key] = k
    items, workers = found.item_ids.to_pylist(), found.worker_ids.to_pylist()
    codes = zip(found.item.tolist(), found.worker.tolist(), found.label.tolist(), strict=True)
    got = sorted((items[i], workers[w], found.labels[k]) for i, w, k in codes)
    expected = sorted((*key[:2], k) for key, k in wanted.items())
    return None if got == expected else f"{len(expected)} judgments {expected[:3]}, but {len(got)} read {got[:3]}"


def _fault_of_votes(found: ModelVotes, table: kinds.Made) -> str | None:
    """What does not add up in model votes."""
    tally = found.tally
    p = found.probability
    checks = {
        f"the balance is off: {tally}": tally.read == tally.used + tally.abstained + tally.merged + tally.rejected,
        f"{table.n_rows} rows, but {tally.read} read": table.n_rows in {None, tally.read},
        "rejects are not those counted": len(found.rejects) == tally.rejected,
        "a probability is none": not p.size or bool(np.isfinite(p).all() and (p >= 0).all() and (p <= 1.001).all()),
    }
    return next((fault for fault, fine in checks.items() if not fine), None)


Findings = list[tuple[int, str]]


Outcome = Callable[[int, Path], tuple[str, str | None]]


def batch(first: int, n: int, outcome: Outcome = outcome) -> tuple[Counter[str], Findings]:
    """How the tables of ``n`` seeds from ``first`` on end; and the findings."""
    counts: Counter[str] = Counter()
    findings: Findings = []
    memory = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="fuzz", dir=memory) as name:
        for seed in range(first, first + n):
            how, fault = outcome(seed, Path(name))
            counts[how] += 1
            if fault is not None:
                findings.append((seed, fault))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if most > MOST_MEMORY:
        findings.append((first, f"memory grew to {most / 1e9:.1f} GB"))
    return counts, findings


def fuzzed(
    n_tables: int, seed: int, seconds: float, processes: int, outcome: Outcome = outcome
) -> tuple[Counter[str], Findings]:
    """The same, of ``n_tables`` or as many as there is time for, in several processes."""
    counts: Counter[str] = Counter()
    findings: Findings = []
    end, next_line = time.monotonic() + seconds, time.monotonic() + PROGRESS
    starts = iter(range(seed, seed + n_tables, AT_ONCE))
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        running: list[Any] = []
        while True:
            while len(running) <= processes and time.monotonic() < end and (first := next(starts, None)) is not None:
                running.append(pool.submit(batch, first, min(AT_ONCE, seed + n_tables - first), outcome))
            if not running:
                return counts, findings
            more, found = running.pop(0).result()
            counts += more
            findings += found
            for one, fault in found:
                sys.stderr.write(f"--one {one}: {last_line(fault)}\n")
            if time.monotonic() > next_line:
                sys.stderr.write(f"{counts.total():,} so far, {len(findings):,} findings\n")
                next_line += PROGRESS


def main() -> int:
    """Parse, fuzz, print."""
    return fuzz(__doc__, "tables", shapes.made, outcome)


def fuzz(told: str | None, things: str, made: Callable[[int, Path], kinds.Made], outcome: Outcome) -> int:
    """The program of a fuzz of ``things``."""
    parser = argparse.ArgumentParser(description=told, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(f"--{things}", type=int, default=20_000, dest="n")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--one", type=int, help="the seed of one table: its files stay, and what came of it is shown")
    chosen = parser.parse_args()
    if chosen.one is not None:
        return shown(chosen.one, made, outcome)
    consensus.run({"item": ["a", "a"], "worker": ["v", "w"], "label": ["x", "y"]}, collusion="off")  # compiles
    start = time.perf_counter()
    counts, findings = fuzzed(chosen.n, chosen.seed, chosen.seconds, chosen.processes, outcome)
    passed, n = time.perf_counter() - start, counts.total()
    ends = ", ".join(f"{name} {counts[name]:,}" for name in sorted(counts))
    sys.stdout.write(
        f"seed {chosen.seed}: {n:,} {things} in {passed:.1f} s ({n / passed:,.0f} a second): {ends}; "
        f"findings {len(findings):,}\n"
    )
    for seed, fault in findings:
        sys.stdout.write(f"--one {seed}: {last_line(fault)}\n")
    return min(len(findings), 1)


def last_line(fault: str) -> str:
    """What a fault comes to."""
    return fault.strip().splitlines()[-1][:300]


def shown(seed: int, made: Callable[[int, Path], kinds.Made], outcome: Outcome) -> int:
    """Show one table and what comes of it."""
    kept, work = Path(tempfile.mkdtemp(prefix="fuzz")), Path(tempfile.mkdtemp(prefix="fuzz"))
    table = made(seed, kept)
    how, fault = outcome(seed, work)
    shutil.rmtree(work)
    sys.stdout.write(f"{table}\n")
    for path in sorted(one for one in kept.rglob("*") if one.is_file()):
        sys.stdout.write(f"{path}: {path.read_bytes()[:3000]!r}\n")
    sys.stdout.write(f"{how}: {fault or 'as it should be'}\n")
    return int(fault is not None)


if __name__ == "__main__":
    sys.exit(main())
