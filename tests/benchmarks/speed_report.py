"""What the speed benchmark tells: its lines, the profile, the acceptance figures. Nothing here runs a command."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TIMING = re.compile(r"^timing (\S+)\s+(\d+(?:\.\d+)?) s\s*$", re.MULTILINE)
PASS, READING = "pass", "read+encode"
MOST_SHARE = 0.25  # of the wall time, for a phase other than reading
REASONS = {"fit": "the EM passes are the job itself", "audit": "every cell of every worker gets an interval"}
"""Why a phase may take more than its share."""

MOST_FLOORS, MOST_MB_TEN = 3.0, 3_000.0
LEAST_CROWD_KIT, LEAST_SPARSE = 150.0, 4.0
MOST_SECONDS_COMPLAINT, MOST_MB_COMPLAINT = 6.0, 1_000.0
MOST_MB_HUNDRED, MOST_TENS = 16_000.0, 12.0
MOST_MB_LABELS = 4_000.0


@dataclass(frozen=True, slots=True)
class Line:
    """What one method took on one case; None where it is not known or makes no sense."""

    case: str
    kind: str
    """ours, floor, crowd-kit, sparse, cleanlab."""
    method: str
    """The method in words, with its version."""
    seconds: float | None = None
    """Wall, of the whole process."""
    cpu_seconds: float | None = None
    inside: float | None = None
    """Wall seconds told by the process itself: without starting Python, and for ours without what is in no phase."""
    peak_mb: float | None = None
    pass_seconds: float | None = None
    """Wall, of one EM pass."""
    pass_cpu: float | None = None
    passes: int | None = None
    accuracy: float | None = None
    """Share right, of all items, against the planted truth."""
    note: str = ""
    failed: bool = False
    phases: Mapping[str, float] = field(default_factory=dict)
    """Wall seconds of each phase, in their order."""


Lines = dict[tuple[str, str], Line]
"""By case and kind; a kind that several methods share holds the last of them."""


def timings(stderr: str) -> tuple[dict[str, float], float | None]:
    """Seconds of each phase that ``--timings`` tells, and of the mean EM pass. A phase told twice is summed."""
    phases: dict[str, float] = {}
    for name, seconds in TIMING.findall(stderr):
        phases[name] = phases.get(name, 0.0) + float(seconds)
    a_pass = phases.pop(PASS, None)
    return phases, a_pass


def share_right(labels: Path, truth: NDArray[np.int16]) -> float:
    """Accuracy of a labels file (item, label, ..) of ids as ``cases`` makes them, over all items; read in batches."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.csv as pacsv

    names = ["item", "label"]
    wanted = pacsv.ConvertOptions(include_columns=names, column_types=dict.fromkeys(names, pa.string()))
    right = 0
    with pacsv.open_csv(labels, convert_options=wanted) as batches:
        for batch in batches:
            item = pc.utf8_slice_codeunits(batch.column(0), len("item")).cast(pa.int64()).to_numpy()
            label = batch.column(1).dictionary_encode()
            code = np.array([int(name[len("label_") :] or -1) for name in label.dictionary.to_pylist()], np.int64)
            right += int(np.count_nonzero(truth[item] == code[label.indices.to_numpy()]))
    return right / len(truth)


def differing(folders: Sequence[Path]) -> list[str]:
    """Names of files that are not the same bytes in all folders, or not in all of them."""
    names = sorted({path.name for folder in folders for path in folder.iterdir()})
    return [name for name in names if not _same([folder / name for folder in folders])]


def _same(paths: Sequence[Path], piece: int = 1 << 24) -> bool:
    if not all(path.is_file() for path in paths):
        return False
    files = [path.open("rb") for path in paths]
    try:
        while True:
            pieces = [file.read(piece) for file in files]
            if any(one != pieces[0] for one in pieces):
                return False
            if not pieces[0]:
                return True
    finally:
        for file in files:
            file.close()


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def pass_ratio(line: Line, ours: Line | None) -> float | None:
    """How many of our passes fit into one of the other's: its CPU (crowd-kit) or wall seconds over our wall seconds."""
    theirs = line.pass_cpu if line.kind == "crowd-kit" else line.pass_seconds
    if line.kind not in {"crowd-kit", "sparse"} or theirs is None or ours is None or not ours.pass_seconds:
        return None
    return theirs / ours.pass_seconds


def floor_ratio(line: Line, floor: Line | None) -> float | None:
    """Wall seconds over those of the floor, both of whole processes."""
    if floor is None or not floor.seconds or line.seconds is None or line.kind == "floor":
        return None
    return line.seconds / floor.seconds


def table(lines: Sequence[Line]) -> str:
    """Markdown: one line a case and method."""
    by_kind: Lines = {(line.case, line.kind): line for line in lines}
    columns = (
        "case", "method", "wall s", "x floor", "inside s", "CPU s", "peak MB", "s a pass", "CPU s a pass",
        "x our pass", "passes", "accuracy %",
    )  # fmt: skip
    out = ["| " + " | ".join(columns) + " |", "|---|---|" + "--:|" * (len(columns) - 2)]
    for line in lines:
        ours, floor = by_kind.get((line.case, "ours")), by_kind.get((line.case, "floor"))
        cells = [
            line.case,
            line.method + (f": {line.note}" if line.note else ""),
            _shown(line.seconds, ".2f"),
            _shown(floor_ratio(line, floor), ".2f"),
            _shown(line.inside, ".2f"),
            _shown(line.cpu_seconds, ".2f"),
            _shown(line.peak_mb, ",.0f"),
            _shown(line.pass_seconds, ".4f"),
            _shown(line.pass_cpu, ".4f"),
            _shown(pass_ratio(line, ours), ".1f"),
            _shown(line.passes, "d"),
            _shown(None if line.accuracy is None else 100 * line.accuracy, ".2f"),
        ]
        out.append("| " + " | ".join(cells) + " |")
    return "\n".join(out)


def profile(line: Line) -> str:
    """Markdown: where our time went, and what takes more than its share."""
    assert line.seconds is not None
    if not line.phases:
        return f"{line.case}: no profile (this version has no --timings)."
    rest = line.seconds - sum(line.phases.values())
    out = [f"| {line.case}: phase | s | share |", "|---|--:|--:|"]
    for name, seconds in [*line.phases.items(), ("in no phase (Python, imports)", rest), ("total", line.seconds)]:
        out.append(f"| {name} | {seconds:.2f} | {seconds / line.seconds:.1%} |")
    heavy = [name for name, s in line.phases.items() if name != READING and s > MOST_SHARE * line.seconds]
    what = f"above {MOST_SHARE:.0%} of the total, {READING} apart"
    heavy = [f"{name} ({REASONS[name]})" if name in REASONS else name for name in heavy]
    return "\n".join([*out, "", f"{line.case}: {', '.join(heavy)} {what}." if heavy else f"{line.case}: none {what}."])


def acceptance(lines: Sequence[Line], *, full: bool = True) -> dict[str, bool]:
    """The acceptance figures of what was run, and whether they are met; limits only at the ``full`` sizes."""
    found: Lines = {(line.case, line.kind): line for line in lines}
    out = {f"{line.case}: consensus run failed": False for line in lines if line.kind == "ours" and line.failed}
    if not full:
        return out

    def most(text: str, value: float | None, limit: float, unit: str, *, below: bool = False) -> None:
        if value is not None:
            shown = f"{text} {value:,.2f} {unit}, {'under' if below else 'at most'} {limit:,g}"
            out[shown] = value < limit if below else value <= limit

    def least(text: str, value: float | None, limit: float) -> None:
        if value is not None:
            out[f"{text} {value:,.1f}, at least {limit:g}"] = value >= limit

    ten, floor = found.get(("ten", "ours")), found.get(("ten", "floor"))
    if ten is not None:
        most("ten: wall seconds over the floor's", floor_ratio(ten, floor), MOST_FLOORS, "times")
        most("ten: peak", ten.peak_mb, MOST_MB_TEN, "MB")
        crowd_kit, sparse = found.get(("ten", "crowd-kit")), found.get(("ten", "sparse"))
        if crowd_kit is not None:
            least("ten: CPU seconds of a pass of crowd-kit over our wall", pass_ratio(crowd_kit, ten), LEAST_CROWD_KIT)
        if sparse is not None:
            least("ten: wall seconds of a pass of scipy.sparse over ours", pass_ratio(sparse, ten), LEAST_SPARSE)
    complaint = found.get(("complaint", "ours"))
    if complaint is not None:
        most("complaint:", complaint.seconds, MOST_SECONDS_COMPLAINT, "s", below=True)
        most("complaint: peak", complaint.peak_mb, MOST_MB_COMPLAINT, "MB", below=True)
    hundred, parquet = found.get(("hundred", "ours")), found.get(("ten-parquet", "ours"))
    if hundred is not None:
        most("hundred: peak", hundred.peak_mb, MOST_MB_HUNDRED, "MB")
        if parquet is not None and parquet.seconds and hundred.seconds:
            most("hundred: wall seconds over ten-parquet's", hundred.seconds / parquet.seconds, MOST_TENS, "times")
    labels = found.get(("labels", "ours"))
    if labels is not None:
        most("labels: peak", labels.peak_mb, MOST_MB_LABELS, "MB", below=True)
    return out
