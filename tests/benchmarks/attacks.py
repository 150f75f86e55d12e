"""Crowds under attack: how right labels are, what is accepted, who is named and what is warned of.

    python tests/benchmarks/attacks.py [--attacks NAME ...] [--labels N ...] [--shares S ...] [--gold 0|0.05 ...]
        [--seeds 5] [--seed 0] [--only PART ...] [--save FILE] [--against FILE] [--write PAGE] [--quick]
        [--peers-python PATH] [--no-peers]

Hostile workers (``tests/attack_crowds.py``) do 10 to 60 % of 3,000 judgments of 600 items; 40 honest workers are right
on 70 to 90 %. Gold items do not count for accuracy. An item of which no honest judgment is left counts as a guess in
the crowd of the honest judgments alone. Parts: table; sybils (100 crowds); newcomers; cheats (who know the gold).

Prints Markdown tables and the acceptance figures with every cell that misses; the exit status is 1 where one does.
``--save`` writes a row a crowd, as CSV, which another commit reads with ``--against``: it shows which cells changed.
``--write`` puts the tables between the two comments of a page of the docs. Progress is told on stderr.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.benchmarks import attacks_fits as fits
    from tests.benchmarks import attacks_told as told
    from tests.benchmarks import peers
else:  # run as a script, its own folder is on the path
    import attacks_fits as fits
    import attacks_told as told
    import peers

from tests import gold_crowds
from tests.attack_crowds import Crowd

PARTS = ("table", "sybils", "newcomers", "cheats")
SHARES, LABELS, GOLD = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6), (2, 4, 10), (0.0, 0.05)
CHEATS = (0.0, 0.1, 0.2, 0.3)
N_WORKERS = 75  # of a crowd with cheats
"""Shares of the workers who know the gold."""
SYBILS, NEWCOMERS, AUDITED = 100, 20, 5
"""Crowds of each kind."""
OTHERS = 1_000
"""The first seed of crowds of sybils and newcomers, which are others than those of the table."""
BEGINS, ENDS = "<!-- attacks.py writes from here -->", "<!-- to here -->"


@dataclass(frozen=True, slots=True)
class Found:
    """A row a crowd, of each part that was asked for."""

    table: pd.DataFrame | None = None
    sybils: pd.DataFrame | None = None
    newcomers: pd.DataFrame | None = None
    cheats: pd.DataFrame | None = None


def progress(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def table(cells: Sequence[fits.Cell], python: Path | None) -> pd.DataFrame:
    """Every crowd of the table; with ``python`` crowd-kit labels them meanwhile."""
    if python is None:
        return pd.DataFrame(_measured(cells, None))
    with fits.crowd_kit(python) as peer:
        rows = pd.DataFrame(_measured(cells, peer.ask))
        answers = peer.answers(lambda n, of: progress(f"crowd-kit: {n} of {of}") if n % 100 == 0 else None)
    return rows.assign(crowd_kit=[answers[number] for number in range(len(rows))])


def _measured(cells: Sequence[fits.Cell], ask: Callable[[int, Crowd], None] | None) -> list[dict[str, Any]]:
    rows = []
    for number, cell in enumerate(cells):
        rows.append(fits.measured(cell, number, ask))
        if number + 1 == len(cells) or cells[number + 1].attack != cell.attack or (number + 1) % 50 == 0:
            progress(f"{number + 1} of {len(cells)}: {cell.attack}")
    return rows


def audited(n_labels: int, cheats: float, seed: int) -> dict[str, Any]:
    """Who is found of a share of cheats in a crowd in which everybody judged as much gold, and as many others."""
    n_cheats = round(cheats * N_WORKERS)
    drawn = gold_crowds.draw(gold_crowds.Recipe(n_labels, honest=N_WORKERS - n_cheats, cheats=n_cheats), seed)
    hostile = frozenset(name for name in drawn.table["worker"].unique() if name.startswith("x"))
    crowd = Crowd(drawn.table, drawn.truth, drawn.gold, hostile)
    run = fits.ran(crowd.table, crowd.gold)
    named = set(run.workers["worker"][run.workers["verdict"] == "gold_aware"].astype(str))
    return {
        "labels": n_labels,
        "cheats": cheats,
        "seed": seed,
        "found": len(named & crowd.hostile),
        "false": len(named - crowd.hostile),
        "n_cheats": n_cheats,
        "leaked": int(run.gold_health["leaked"].sum()),
        "n_gold": len(crowd.gold),
        "ours": fits.score(fits.labelled(run.labels), crowd, n_labels),
    }


def found(options: argparse.Namespace) -> Found:
    """Measure the parts that were asked for."""
    parts: dict[str, pd.DataFrame] = {}
    first, n_items = options.seed, options.items
    if "table" in options.only:
        seeds = range(first, first + options.seeds)
        kinds = itertools.product(options.attacks, options.labels, options.gold, options.shares)
        every = [fits.Cell(*kind, seed, n_items) for kind in kinds for seed in seeds]
        cells = [one for one in every if one.gold or one.attack != "gold_aware"]  # there is nothing to know
        python = None if options.no_peers else peers.interpreter(options.peers_python)
        parts["table"] = table(cells, python)
    if "sybils" in options.only:
        seeds = range(first + OTHERS, first + OTHERS + options.crowds)
        parts["sybils"] = pd.DataFrame(_measured([fits.Cell("sybils", 2, 0.0, 0.3, s, n_items) for s in seeds], None))
    if "newcomers" in options.only:
        seeds = range(first + OTHERS, first + OTHERS + min(options.crowds, NEWCOMERS))
        product = itertools.product(options.labels, options.gold, seeds)
        some = [fits.Cell("newcomers", n, gold, 0.3, s, n_items) for n, gold, s in product]
        parts["newcomers"] = pd.DataFrame(_measured(some, None))
    if "cheats" in options.only:
        seeds = range(first, first + min(options.seeds, AUDITED))
        rows = [audited(*one) for one in itertools.product(options.labels, CHEATS, seeds)]
        parts["cheats"] = pd.DataFrame(rows)
        progress(f"{len(rows)} crowds with cheats")
    return Found(**parts)


def sections(of: Found, before: pd.DataFrame | None) -> dict[str, str]:
    """The tables, by their titles."""
    made: dict[str, str] = {}
    if of.table is not None:
        cells = told.cells(of.table)
        made["Labels right, per cent"] = told.accuracy(cells)
        made["What is accepted, who is named, what is warned of"] = told.trust(cells)
        if before is not None:
            made["Changed by a point or more"] = told.changes(of.table, _part(before, "table"))
    if of.sybils is not None:
        made["Sybils with 30 % of the judgments, two labels, no gold"] = told.of_sybils(of.sybils)
    if of.newcomers is not None:
        last = None if before is None else _part(before, "newcomers")
        made["Honest newcomers with 30 % of the judgments, no attack"] = told.of_newcomers(of.newcomers, last)
    if of.cheats is not None:
        made["Cheats who know the gold: 10 gold and 30 other judgments a worker"] = told.of_cheats(of.cheats)
    return made


def acceptance(of: Found, before: pd.DataFrame | None) -> list[told.Figure]:
    """The acceptance figures of the parts that were measured."""
    figures: list[told.Figure] = []
    if of.table is not None:
        figures += told.of_table(told.cells(of.table))
    if of.sybils is not None:
        figures += told.figures_of_sybils(of.sybils)
    if of.newcomers is not None and before is not None:
        figures += told.figures_of_newcomers(of.newcomers, _part(before, "newcomers"))
    if of.cheats is not None:
        figures += told.figures_of_cheats(of.cheats)
    return figures


def saved(of: Found) -> pd.DataFrame:
    """A row a crowd, with its part."""
    parts = [(name, getattr(of, name)) for name in PARTS]
    frames: list[pd.DataFrame] = [frame.assign(part=name) for name, frame in parts if frame is not None]
    return pd.concat(frames, ignore_index=True)


def _part(before: pd.DataFrame, name: str) -> pd.DataFrame:
    return pd.DataFrame(before[before["part"] == name].fillna({"codes": ""}))


def written(page: str, tables: str) -> str:
    """The page with ``tables`` between its comments."""
    above, rest = page.split(BEGINS)
    return f"{above}{BEGINS}\n\n{tables}\n\n{ENDS}{rest.split(ENDS)[1]}"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--attacks", nargs="+", choices=fits.ATTACKS, default=fits.ATTACKS, metavar="NAME")
    made.add_argument("--labels", nargs="+", type=int, default=LABELS, metavar="N")
    made.add_argument("--shares", nargs="+", type=float, default=SHARES, metavar="S", help="of hostile judgments")
    made.add_argument("--gold", nargs="+", type=float, default=GOLD, metavar="S", help="shares of the items")
    made.add_argument("--seeds", type=int, default=5, help="crowds of each cell")
    made.add_argument("--seed", type=int, default=0, help="the first of them")
    made.add_argument("--items", type=int, default=600)
    made.add_argument("--crowds", type=int, default=SYBILS, help="of sybils; of newcomers at most 20")
    made.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help=" ".join(PARTS))
    made.add_argument("--save", type=Path, metavar="FILE", help="CSV file to write")
    made.add_argument("--against", type=Path, metavar="FILE", help="what another commit saved")
    made.add_argument("--write", type=Path, metavar="PAGE", help="page of the docs to renew")
    made.add_argument("--quick", action="store_true", help="a few small cells, to try it out")
    made.add_argument("--no-peers", action="store_true", help="leave crowd-kit out")
    peers.add_option(made)
    return made


def main() -> int:
    options = parser().parse_args()
    if options.quick:
        quick = {"labels": (2,), "shares": (0.2, 0.4), "seeds": 1, "items": 120, "crowds": 2}
        vars(options).update(quick)
    before = None if options.against is None else pd.read_csv(options.against)
    of = found(options)
    if options.save is not None:
        saved(of).to_csv(options.save, index=False)
    tables = "\n\n".join(f"### {title}\n\n{text}" for title, text in sections(of, before).items())
    figures = acceptance(of, before)
    verdict = "\n".join(map(str, figures))
    sys.stdout.write(f"{tables}\n\n### Acceptance\n\n{verdict}\n")
    if options.write is not None:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(written(page, tables), encoding="utf-8")
    return 0 if all(one.met for one in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
