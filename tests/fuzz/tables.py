"""What must come of a table that is read: rows that add up, or one clear line; anything else is a finding."""

from __future__ import annotations

import json
import re
import shutil
import signal
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import consensus
from consensus.errors import ConsensusError, ConsensusWarning
from tests.fuzz import kinds, shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelVotes

LONGEST = 5.0  # seconds of work, however busy the machine is
LONGEST_WAIT = 60.0  # seconds
NOT_MADE = "not made"
"""How a table ends that libraries refuse to make."""
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
        try:
            table = make()
        except Exception:  # whatever libraries say of columns that they do not take: counted, and few
            return NOT_MADE, None
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
    items = set(judgments.item_ids.to_pylist())  # models may have voted on others, too
    checks = {
        "not a label for each item": labels["item"].is_unique and items.issubset(labels["item"]),
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
    if set(item) == {None}:  # a column of an odd type, of which rows do not tell
        return None
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


def last_line(fault: str) -> str:
    """What a fault comes to."""
    return fault.strip().splitlines()[-1][:300]
