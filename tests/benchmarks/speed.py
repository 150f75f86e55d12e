"""Time and memory of ``consensus run`` on large crowds, beside the floor (reading alone) and peers on the same files.

    python tests/benchmarks/speed.py [--cases NAME ...] [--folder DIR] [--scale N] [--runs N] [--threads N]
                                     [--timeout SECONDS] [--no-peers] [--peers-python PATH] [--seed N]

Every measured command is a process of its own, measured from its start to its end. Prints Markdown tables. The exit
status is 1 where an acceptance figure is not met; with --scale only failures and identical output for any number of
threads count.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tests.benchmarks import cases, measured, peers, speed_report
else:  # run as a script, its own folder is on the path
    import cases
    import measured
    import peers
    import speed_report

Command = list[str | Path]
HERE = Path(__file__).resolve().parent
WITH_PEERS = ("complaint", "ten")
PEER_LIMIT, PEER_TIMEOUT = 240.0, 360.0  # seconds: no further pass is begun; killed
PEER_PASSES = 6
LARGEST_WARM_UP = 20_000_000  # judgments: above, a hundredth of the case warms up
LARGEST_DENSE = 1_000_000_000  # bytes of cleanlab's table: it copies it several times
THREADS_COMPARED = (1, 2, 4)


def said(line: speed_report.Line) -> speed_report.Line:
    """Tell how it goes on stderr."""
    figures = "" if line.seconds is None else f" {line.seconds:.2f} s, {line.peak_mb:,.0f} MB"
    passes = "" if line.pass_seconds is None else f", {line.pass_seconds:.4f} s a pass"
    sys.stderr.write(f"{line.case}: {line.method}{figures}{passes} {line.note}\n")
    return line


def in_turn(commands: list[Command], runs: int, timeout: float | None = None) -> list[measured.Measured]:
    """The fastest of several runs of each, in turn, so that they find the machine alike.

    A process that follows its own kind finds the memory that it gave back, and is up to a quarter faster for it.
    """
    rounds = [[measured.run(command, timeout) for command in commands] for _ in range(runs)]
    return [min(found, key=lambda run: run.seconds) for found in zip(*rounds, strict=True)]


def line_of(run: measured.Measured, case: str, kind: str, method: str, **more: Any) -> speed_report.Line:
    return speed_report.Line(case, kind, method, run.seconds, run.cpu_seconds, peak_mb=run.peak_mb, **more)


def failure(case: str, kind: str, method: str, error: measured.Failed) -> speed_report.Line:
    lines = str(error).strip().splitlines()
    sys.stderr.write(f"{case}: {method}: {error}\n")
    why = lines[0].rpartition(": ")[2] + (f" ({lines[-1]})" if len(lines) > 1 else "")
    return speed_report.Line(case, kind, method, note=f"failed, {why}", failed=True)


def known(*options: str) -> list[str]:
    """Those of some options that this version's ``consensus run`` has."""
    found = []
    for option in options:
        try:
            measured.run([sys.executable, "-m", "consensus", "run", option, "--help"])
            found.append(option)
        except measured.Failed:
            pass
    return found


def command_of(judgments: Path, out: Path, threads: int | None, more: list[str]) -> Command:
    command: Command = [sys.executable, "-m", "consensus", "run", judgments, "--output", out, "--overwrite", "--quiet"]
    return [*command, *more, *([] if threads is None else ["--threads", str(threads)])]


def floor_and_ours(
    case: cases.Case, files: cases.Files, folder: Path, options: argparse.Namespace
) -> list[speed_report.Line]:
    """Reading and encoding with pyarrow, and ``consensus run`` with all its tables.

    Each once before it is timed, so that the file is in the page cache, and the kernels are compiled and cached.
    """
    more, out = known("--timings", "--no-report"), folder / "out"
    method = f"consensus {importlib.metadata.version('crowd-consensus')}"
    reading: Command = [sys.executable, HERE / "floor.py", files.judgments, str(options.threads or 0)]
    warm_up = files.judgments
    if case.n_judgments > LARGEST_WARM_UP:
        warm_up = cases.made(case.scaled(100), folder, options.seed).judgments
    try:
        measured.run(reading, options.timeout)
        measured.run(command_of(warm_up, out, options.threads, more), options.timeout)
        whole = command_of(files.judgments, out, options.threads, more)
        least, run = in_turn([reading, whole], options.runs, options.timeout)
        with np.load(files.truth) as planted:
            accuracy = speed_report.share_right(out / "labels.csv", planted["truth"])
        passes = json.loads((out / "summary.json").read_text(encoding="utf-8"))["convergence"]["iterations"]
    except measured.Failed as error:
        return [failure(case.name, "ours", method, error)]
    finally:
        shutil.rmtree(out, ignore_errors=True)
    told = "floor: pyarrow reads and encodes"
    floor = line_of(least, case.name, "floor", told, inside=json.loads(least.stdout)["seconds"])
    phases, a_pass = speed_report.timings(run.stderr)
    inside = sum(phases.values()) if phases else None
    ours = line_of(run, case.name, "ours", method, inside=inside, pass_seconds=a_pass, passes=passes)
    return [said(floor), said(replace(ours, accuracy=accuracy, phases=phases))]


def threads_agree(files: cases.Files, folder: Path) -> dict[str, bool]:
    """Whether the number of threads changes a byte of the output."""
    outs = [folder / f"out-threads-{threads}" for threads in THREADS_COMPARED]
    try:
        for threads, out in zip(THREADS_COMPARED, outs, strict=True):
            measured.run(command_of(files.judgments, out, threads, known("--no-report")))
        differing = speed_report.differing(outs)
        same = f"all {len(list(outs[0].iterdir()))} files are the same bytes"
    except measured.Failed as error:
        differing = [failure("complaint", "ours", "consensus run --threads", error).note]
    finally:
        for out in outs:
            shutil.rmtree(out, ignore_errors=True)
    what = f"differ: {', '.join(differing)}" if differing else same
    return {f"complaint: with --threads {', '.join(map(str, THREADS_COMPARED))} {what}": not differing}


def crowd_kit(case: cases.Case, files: cases.Files, python: Path) -> speed_report.Line:
    """Passes of crowd-kit's Dawid-Skene (``peer_pass.py`` says how they are timed)."""
    command: Command = [python, "-W", "ignore", HERE / "peer_pass.py", files.judgments]
    command += ["--passes", str(PEER_PASSES), "--limit", str(PEER_LIMIT)]
    try:
        run = measured.run(command, PEER_TIMEOUT)
    except measured.Failed as error:
        return failure(case.name, "crowd-kit", "crowd-kit DawidSkene", error)
    told = json.loads(run.stdout)
    peers.check_version(python, "crowd-kit", told["version"])
    line = line_of(run, case.name, "crowd-kit", f"crowd-kit {told['version']} DawidSkene", passes=told["passes"])
    note = f"a pass without its lower bound is {told['pass_cpu_without_bound']:.4f} CPU s"
    return said(replace(line, pass_seconds=told["pass"], pass_cpu=told["pass_cpu"], note=note))


def sparse(case: cases.Case, files: cases.Files, python: Path) -> speed_report.Line:
    """Passes written with scipy.sparse."""
    try:
        run = measured.run([python, "-W", "ignore", HERE / "sparse_pass.py", files.judgments], PEER_TIMEOUT)
    except measured.Failed as error:
        return failure(case.name, "sparse", "scipy.sparse", error)
    told = json.loads(run.stdout)
    peers.check_version(python, "scipy", told["version"])
    note = f"read {told['read']:.2f} s, prepared in {told['prepare']:.2f} s"
    line = line_of(run, case.name, "sparse", f"scipy.sparse {told['version']}", passes=told["passes"], note=note)
    return said(replace(line, pass_seconds=told["pass"], pass_cpu=told["pass_cpu"]))


def cleanlab(case: cases.Case, files: cases.Files, folder: Path, python: Path) -> list[speed_report.Line]:
    """Its majority vote, and CROWDLAB with the shares of the votes for a model; or what its dense table would need."""
    size = case.n_items * case.n_workers * 8
    if size > LARGEST_DENSE:
        table = f"a table of {case.n_items:,} items x {case.n_workers:,} workers"
        return [
            speed_report.Line(case.name, "cleanlab", "cleanlab", note=f"n/a, needs {size / 1e9:,.0f} GB for {table}")
        ]
    out, lines = folder / "cleanlab.csv", []
    for method, words in (("majority", "majority vote"), ("crowdlab", "CROWDLAB on vote shares")):
        command: Command = [python, "-W", "ignore", HERE / "peer_cleanlab.py", files.judgments, out, method]
        try:
            run = measured.run(command, PEER_TIMEOUT)
        except measured.Failed as error:
            lines.append(failure(case.name, "cleanlab", f"cleanlab {words}", error))
            continue
        told = json.loads(run.stdout)
        peers.check_version(python, "cleanlab", told["version"])
        with np.load(files.truth) as planted:
            accuracy = speed_report.share_right(out, planted["truth"])
        name = f"cleanlab {told['version']} {words}"
        inside = told["prepare"] + told["seconds"]
        lines.append(said(line_of(run, case.name, "cleanlab", name, inside=inside, accuracy=accuracy)))
    out.unlink(missing_ok=True)
    return lines


def machine() -> str:
    """What it was measured on."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("numpy", "numba", "pyarrow"))
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} cores, {gigabytes:.0f} GB, {system}, {versions}"


def measure(
    folder: Path, options: argparse.Namespace, python: Path | None
) -> tuple[list[speed_report.Line], dict[str, bool], list[str]]:
    """The lines of the table, the figures about threads, and the sizes in words."""
    lines: list[speed_report.Line] = []
    threads: dict[str, bool] = {}
    sizes = []
    chosen = [cases.CASES[name].scaled(options.scale) for name in options.cases]
    for case in chosen:
        sys.stderr.write(f"{case.name}: making {case.n_judgments:,} judgments, unless they are there\n")
        files = cases.made(case, folder, options.seed)
        megabytes = files.judgments.stat().st_size / 1e6
        sizes.append(
            f"- {case.name}: {case.n_judgments:,} judgments of {case.n_items:,} items by {case.n_workers:,} workers, "
            f"{case.n_labels:,} labels, {case.ending[1:]} of {megabytes:,.0f} MB"
        )
        lines += floor_and_ours(case, files, folder, options)
        if case.name == "complaint" and not lines[-1].failed:
            threads = threads_agree(files, folder)
        if python is not None and case.name in WITH_PEERS:
            lines += [crowd_kit(case, files, python), sparse(case, files, python)]
            lines += cleanlab(case, files, folder, python)
    if python is not None and set(options.cases) & set(WITH_PEERS):
        small = cases.SMALL
        files = cases.made(small, folder, options.seed)
        sizes.append(
            f"- {small.name}: {small.n_judgments:,} judgments of {small.n_items:,} items by {small.n_workers:,} "
            f"workers, {small.n_labels} labels, csv: where cleanlab's table fits"
        )
        lines += [*floor_and_ours(small, files, folder, options)[1:], *cleanlab(small, files, folder, python)]
    return lines, threads, sizes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="+", choices=cases.CASES, default=list(cases.CASES), metavar="NAME")
    parser.add_argument(
        "--folder", type=Path, help="keep the inputs here and use them again (default: a temporary one)"
    )
    parser.add_argument("--scale", type=int, default=1, help="divide the sizes, for a try-out")
    parser.add_argument("--runs", type=int, default=1, help="fastest of so many, after a warm-up (1)")
    parser.add_argument("--threads", type=int, help="of ours and of the floor (default: theirs)")
    parser.add_argument(
        "--timeout", type=float, default=3600.0, help="seconds after which a run of ours has failed (3600)"
    )
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out")
    parser.add_argument("--seed", type=int, default=0, help="of the crowds")
    peers.add_option(parser)
    options = parser.parse_args()

    python = None if options.no_peers else peers.interpreter(options.peers_python)
    with tempfile.TemporaryDirectory() as name:
        lines, threads, sizes = measure(options.folder or Path(name), options, python)

    sys.stdout.write(f"{machine()}. Seed {options.seed}.\n\n" + "\n".join(sizes) + "\n")
    sys.stdout.write(f"\n{speed_report.table(lines)}\n")
    if python is not None:
        sys.stdout.write(
            "\nA pass of crowd-kit is one iteration of its fit (E step, M step, lower bound), the mean of those "
            "after the first; `x our pass` is its CPU seconds over our wall seconds. A pass with scipy.sparse is "
            "an M and an E step: wall over wall. Peers stop after a few passes: their wall seconds are no time to "
            "convergence.\n"
        )
    for line in lines:
        if line.kind == "ours" and not line.failed and line.case in options.cases:
            sys.stdout.write(f"\n{speed_report.profile(line)}\n")
    figures = speed_report.acceptance(lines, full=options.scale == 1) | threads
    sys.stdout.write("\n" + "".join(f"- {text}: {'met' if met else 'not met'}\n" for text, met in figures.items()))
    if options.scale != 1:
        sys.stdout.write("\nThe other acceptance figures are those of the full sizes.\n")
    return 0 if all(figures.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
