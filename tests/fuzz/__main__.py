"""Fuzz what reads other people's data, and what is set and given: an answer that adds up, or one clear line.

    python -m tests.fuzz [--minutes 2] [--seed 0] [--areas tables,frames] [--processes 1] [--most N] [--one AREA:CASE]

Anything else is a finding: another exception, a message of several lines or that shows the inside, rows that are not
accounted for, more than five seconds of work. Prints counts by area, and each finding with what shows it again
(``--one``). Status 1 if there is any. A seed stands for the same cases each time; how many of them, the time tells.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import areas, frames, platforms, shapes, tables

MADE = {"tables": shapes.made, "exports": platforms.made, "frames": frames.made}


def main(arguments: list[str] | None = None) -> int:
    """Parse, fuzz, print."""
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--areas", default=",".join(areas.AREAS))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--most", type=int, default=areas.OF_A_SEED, help="cases of each area at most")
    parser.add_argument("--one", help="a case, such as frames:17: its files stay, and what came of it is shown")
    chosen = parser.parse_args(arguments)
    if chosen.one is not None:
        area, _, case = chosen.one.partition(":")
        return shown(area, int(case))
    start = time.perf_counter()
    named = chosen.areas.split(",")
    told = areas.fuzzed(chosen.seed, 60 * chosen.minutes, chosen.processes, named, chosen.most)
    for area, one in told.items():
        n = one.ends.total()
        ends = ", ".join(f"{name} {one.ends[name]:,}" for name in sorted(one.ends))
        rate = n / max(one.seconds, 1e-9)
        sys.stdout.write(
            f"{area}: {n:,} cases ({ends}) in {one.seconds:,.0f} s of work, {rate:,.0f} a second; "
            f"findings {len(one.findings):,}\n"
        )
    n, findings = sum(one.ends.total() for one in told.values()), sum(len(one.findings) for one in told.values())
    sys.stdout.write(
        f"seed {chosen.seed}: {n:,} cases in {time.perf_counter() - start:,.0f} s; findings {findings:,}\n"
    )
    for area, one in told.items():
        for case, fault in one.findings:
            sys.stdout.write(f"--one {area}:{case}: {tables.last_line(fault)}\n")
    return min(findings, 1)


def shown(area: str, case: int) -> int:
    """Show one case and what comes of it."""
    kept, work = Path(tempfile.mkdtemp(prefix="fuzz")), Path(tempfile.mkdtemp(prefix="fuzz"))
    if area in MADE:
        table = MADE[area](case, kept)
        source = table.source if isinstance(table.source, Path) else f"a {type(table.source).__name__}"
        sys.stdout.write(f"{table.kind} from {source}, settings {table.settings}\n")
        for path in sorted(one for one in kept.rglob("*") if one.is_file()):
            sys.stdout.write(f"{path}: {path.read_bytes()[:3000]!r}\n")
    how, fault = areas.AREAS[area].outcome(case, work)
    shutil.rmtree(work)
    sys.stdout.write(f"{how}: {fault or 'as it should be'}\n")
    return int(fault is not None)


if __name__ == "__main__":
    sys.exit(main())
