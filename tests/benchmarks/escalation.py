"""What escalation is worth: judgments saved, the promise kept, judgments foretold, budgets, costs, models. By replay.

    python tests/benchmarks/escalation.py [--replay] [--hedge] [--stop] [--needed] [--budget] [--costs] [--models]
                                          [--seed N] [--seeds N] [--sets NAME ...] [--policies NAME ...]
                                          [--scale N] [--no-peers] [--peers-python PATH]

Replays judgments of public crowds (CONSENSUS_DATASETS names their folder). Without a flag, all parts. Prints Markdown
tables. It takes about 30 minutes on two cores, most of them cleanlab's (``--no-peers`` leaves it out).
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks import (
        escalation_curves,
        escalation_models,
        escalation_replay,
        escalation_rules,
        escalation_spending,
        peers,
    )
    from tests.benchmarks import escalation_policies as policies
else:  # run as a script, its own folder is on the path
    import escalation_curves
    import escalation_models
    import escalation_policies as policies
    import escalation_replay
    import escalation_rules
    import escalation_spending
    import peers


def parts(options: argparse.Namespace) -> dict[str, tuple[str, Callable[[], str]]]:
    """What each part is called, and what makes its tables."""
    seeds, scale = range(options.seed, options.seed + options.seeds), options.scale

    def replay() -> str:
        python = None if options.no_peers else peers.interpreter(options.peers_python)
        some = dict.fromkeys((policies.UNIFORM, *(options.policies or escalation_replay.POLICIES)))
        return escalation_replay.table(options.sets, seeds, scale, python, tuple(some))

    return {
        "replay": ("Judgments to match fixed redundancy, as a share of its", replay),
        "hedge": (
            "The same by hedges of the class prior",
            lambda: escalation_replay.hedges(options.sets, seeds, scale),
        ),
        "stop": (
            "Accepted items, target 95 %, five judgments at most",
            lambda: escalation_rules.stopping(seeds, scale),
        ),
        "needed": ("Judgments needed, foretold and used", lambda: escalation_rules.needed(options.sets, seeds, scale)),
        "budget": ("A budget, from three judgments an item", lambda: escalation_spending.budgets(seeds, scale)),
        "costs": ("Costs 5:1", lambda: escalation_spending.costs(seeds, scale)),
        "models": ("Judgments by people beside a model", lambda: escalation_models.saved(seeds, scale)),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replay", action="store_true", help="of policies, beside fixed redundancy and ActiveLab")
    parser.add_argument("--hedge", action="store_true", help="how far the ranking should trust the class prior")
    parser.add_argument("--stop", action="store_true", help="how many of the accepted items are right")
    parser.add_argument("--needed", action="store_true", help="judgments needed beside those used")
    parser.add_argument("--budget", action="store_true", help="spent at once, in rounds, and batch by batch")
    parser.add_argument("--costs", action="store_true", help="of decisions, after as many judgments")
    parser.add_argument("--models", action="store_true", help="whose votes save judgments by people")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--seeds", type=int, default=5, help="how many")
    parser.add_argument("--scale", type=int, default=1, help="divide the number of items, for a try-out")
    parser.add_argument(
        "--sets",
        nargs="+",
        choices=escalation_curves.SETS,
        default=escalation_curves.SETS,
        metavar="NAME",
        help="of --replay, --hedge and --needed",
    )
    parser.add_argument(
        "--policies", nargs="+", choices=escalation_replay.POLICIES, metavar="NAME", help="of --replay; default: all"
    )
    parser.add_argument("--no-peers", action="store_true", help="leave cleanlab out")
    peers.add_option(parser)
    options = parser.parse_args()

    known = parts(options)
    for name in [name for name in known if getattr(options, name)] or list(known):
        title, made = known[name]
        start = time.perf_counter()
        text = made()
        sys.stdout.write(f"## {title}\n\n{text}\n\n")
        sys.stdout.flush()
        sys.stderr.write(f"{name}: {time.perf_counter() - start:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
