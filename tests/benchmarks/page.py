"""How long report.html takes to be made and to be drawn, and how large it is, for a crowd of any size.

    python tests/benchmarks/page.py [--items 2000000] [--workers 20000] [--judgments 3] [--labels 4]

Simulates the crowd, fits Dawid and Skene's model, and times the page alone, once what it shows of the run is known (as
``consensus run`` has it when the page is written). Where Chromium and Playwright are there, also the seconds until all
charts are drawn. The exit status is 1 above ``MOST_SECONDS``, ``MOST_MB`` or ``MOST_DRAWN``.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import consensus
from consensus.report import page
from consensus.runs import Run

MOST_SECONDS, MOST_MB, MOST_DRAWN = 15.0, 3.0, 1.0
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]


def drawn(path: Path) -> float | None:
    """Seconds from the start of the page to the last chart; None without a browser."""
    if CHROMIUM is None or find_spec("playwright") is None:
        return None
    playwright = import_module("playwright.sync_api")  # no part of the extra dev
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tab = browser.new_page()
        tab.goto(path.as_uri())
        tab.wait_for_selector("html[data-drawn]", timeout=60_000)
        seconds = tab.evaluate("Number(document.documentElement.dataset.drawn) / 1000")
        browser.close()
    return float(seconds)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=2_000_000)
    parser.add_argument("--workers", type=int, default=20_000)
    parser.add_argument("--judgments", type=float, default=3, help="of each item")
    parser.add_argument("--labels", type=int, default=4)
    options = parser.parse_args()
    crowd = consensus.simulate(options.items, options.workers, options.labels, options.judgments, spammers=0.05, seed=1)
    found = Run.of(consensus.fit(crowd.judgments, gold=crowd.truth_table(500, 1), model="dawid_skene"))
    _ = found.summary, found.worker_columns, found.confusion_cells
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / page.FILE
        start = time.perf_counter()
        path.write_bytes(page.made(found))
        made, megabytes = time.perf_counter() - start, path.stat().st_size / 1e6
        shown = drawn(path)
    told = "not measured" if shown is None else f"{shown:.2f} s"
    sys.stdout.write(
        f"{options.items:,} items, {options.workers:,} workers: made in {made:.1f} s (at most {MOST_SECONDS:g}), "
        f"{megabytes:.2f} MB (at most {MOST_MB:g}), drawn in {told} (at most {MOST_DRAWN:g} s)\n"
    )
    return int(made > MOST_SECONDS or megabytes > MOST_MB or (shown or 0.0) > MOST_DRAWN)


if __name__ == "__main__":
    sys.exit(main())
