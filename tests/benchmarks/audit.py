"""What the audit of workers is worth: coverage, verdicts, ranks, drift, copying, gold, time.

    python tests/benchmarks/audit.py [--coverage] [--posteriors] [--verdicts] [--rank] [--drift] [--copying] [--gold]
                                     [--time] [--seed N] [--scale N] [--sets NAME ...] [--no-peers]
                                     [--peers-python PATH]

Without a flag, all parts but --time. Prints Markdown tables.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks import (
        audit_behaviour,
        audit_coverage,
        audit_crowds,
        audit_rank,
        audit_speed,
        drift_crowds,
        peers,
    )
else:  # run as a script, its own folder is on the path
    import audit_behaviour
    import audit_coverage
    import audit_crowds
    import audit_rank
    import audit_speed
    import drift_crowds
    import peers

COVERED, JUDGED, SEEDS = 200, 500, 20  # crowds


def parts(options: argparse.Namespace) -> dict[str, tuple[str, Callable[[], str]]]:
    """What each part is called, and what makes its tables."""
    seed, scale = options.seed, options.scale

    def some(n: int) -> int:
        return int(max(n // scale, 1))

    def rank() -> str:
        return audit_rank.ranks(options.sets, None if options.no_peers else peers.interpreter(options.peers_python))

    def posteriors() -> str:
        return audit_coverage.posteriors((*options.sets, "face"), seed, some(SEEDS))

    return {
        "posteriors": ("Two posteriors of the accuracy, and their average", posteriors),
        "coverage": ("95 % intervals, simulated", lambda: audit_crowds.coverage(seed, some(COVERED))),
        "verdicts": ("Verdicts, simulated", lambda: audit_crowds.verdicts(seed, some(JUDGED))),
        "rank": ("Rank correlation with the true accuracy", rank),
        "drift": ("Drift", lambda: f"{audit_behaviour.drift(seed, scale)}\n\n{drift_crowds.told(seed, scale)}"),
        "copying": ("Copying", lambda: audit_behaviour.copying(seed, some(SEEDS))),
        "gold": ("Wrong gold", lambda: audit_behaviour.wrong_gold(seed, some(SEEDS))),
        "time": ("Time", lambda: audit_speed.times(seed, scale)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--coverage", action="store_true", help="of intervals of accuracies and confusions")
    parser.add_argument(
        "--posteriors", action="store_true", help="of accuracies, on public crowds with and without gold"
    )
    parser.add_argument("--verdicts", action="store_true", help="on spammers, adversaries, biased and good workers")
    parser.add_argument("--rank", action="store_true", help="of workers on public crowds, beside peers")
    parser.add_argument(
        "--drift", action="store_true", help="on data/digits, and false alarms where items come in any order"
    )
    parser.add_argument("--copying", action="store_true", help="of five who copy a spammer")
    parser.add_argument("--gold", action="store_true", help="that is wrong")
    parser.add_argument("--time", action="store_true", help="of ten million judgments, as a share of the fit's")
    parser.add_argument("--seed", type=int, default=0, help="of everything drawn")
    parser.add_argument("--scale", type=int, default=1, help="divide the numbers of crowds and sizes, for a try-out")
    parser.add_argument("--sets", nargs="+", choices=audit_rank.SETS, default=audit_rank.SETS, metavar="NAME")
    parser.add_argument("--no-peers", action="store_true", help="leave the peers out")
    peers.add_option(parser)
    options = parser.parse_args()

    known = parts(options)
    chosen = [name for name in known if getattr(options, name)] or [name for name in known if name != "time"]
    for name in chosen:
        title, made = known[name]
        start = time.perf_counter()
        text = made()
        sys.stdout.write(f"## {title}\n\n{text}\n\n")
        sys.stdout.flush()
        sys.stderr.write(f"{name}: {time.perf_counter() - start:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
