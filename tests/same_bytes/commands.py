"""Commands that write, in one process: ``python -m tests.same_bytes.commands OUT ROWS [OPTION...]`` runs them all.

They read the files of the current folder: ``ROWS.csv`` and what is given beside it. ``OUT`` gets a folder or a file of
what each of them wrote to standard output.
"""

import os
import sys
from pathlib import Path

from consensus.__main__ import main

SHAPES = Path(__file__).parent.parent.parent / "data" / "shapes"
AUDITED = ("workers", "confusions", "gold", "new-gold", "retest", "copying", "drift", "labels", "behaviour")
GIVEN = ("--gold", "gold.csv", "--group", "batch")


def commands(rows: str, out: Path) -> dict[str, tuple[object, ...]]:
    """Each command, by the name of the file that its standard output goes to."""
    votes = ("--model-votes", "model_votes.csv")
    asked = ("--retest", 1, "--audit-sample", 0.1, "--workers", "workers.csv", "--costs", "costs.csv")
    kept = ("--keep", "note", "--fold", "items,labels", "--posteriors")
    masks = (SHAPES / "manifest.csv", "--classes", SHAPES / "classes.csv", "--images", SHAPES / "pictures")
    return {
        "run.json": ("run", f"{rows}.csv", *GIVEN, *votes, *asked, *kept, "--json", "--output", out / "run"),
        "zones": ("run", "zones.csv", *GIVEN, "--no-report", "--output", out / "zones-run"),
        "typed": ("run", "typed.parquet", *GIVEN, "--no-report", "--format", "jsonl", "--output", out / "typed-run"),
        "by": ("run", f"{rows}.csv", "--by", "batch", "--no-report", "--output", out / "by-batch"),
        **{f"audit-{one}": ("audit", f"{rows}.csv", *GIVEN, *votes, "--table", one) for one in AUDITED},
        "escalate": ("escalate", f"{rows}.csv", *GIVEN, *votes, *asked),
        "aggregate": ("aggregate", f"{rows}.csv", *GIVEN, *votes, "--posteriors"),
        "agreement": ("agreement", f"{rows}.csv", "--json"),
        "budget": ("plan-budget", f"{rows}.csv", "--gold", "gold.csv"),
        "explain": ("explain", out / "run", "038"),
        "diff": ("diff", "earlier", out / "run"),
        "pictures": ("chunks", "run", *masks, "--no-report", "--crops", 5, "--output", out / "chunks-run"),
    }


if __name__ == "__main__":
    there, judged, *options = sys.argv[1:]
    folder = Path(there)
    folder.mkdir()
    terminal = os.dup(1)
    for name, arguments in commands(judged, folder).items():
        written = os.open(folder / name, os.O_CREAT | os.O_WRONLY)
        os.dup2(written, 1)
        quiet = () if name == "explain" else ("--quiet",)
        try:
            main([*map(str, arguments), *quiet, *options])
        except SystemExit as left:
            if left.code:
                raise
        finally:
            sys.stdout.flush()
            os.close(written)
            os.dup2(terminal, 1)
