"""What README says of labels, workers and promises, measured where the engine's assumptions do not hold.

    python tests/benchmarks/other.py [PART ...] [--seed N] [--crowds N] [--sets NAME ...]

Crowds are of the engine's own family and of another one (``tests/other_crowds.py``), whose items differ in difficulty
by 0, 1 and 2 logits. Public sets (CONSENSUS_DATASETS names their folder) stand beside. Without a part, all of them.
Prints Markdown tables; in brackets stands the worst crowd.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks import accuracy
    from tests.benchmarks import other_families as families
    from tests.benchmarks import other_labels as labels
    from tests.benchmarks import other_models as models
    from tests.benchmarks import other_one_label as labels_of_one
    from tests.benchmarks import other_promise as promise
    from tests.benchmarks import other_workers as workers
    from tests.benchmarks.other_families import Fit
else:  # run as a script, its own folder is on the path
    import accuracy
    import other_families as families
    import other_labels as labels
    import other_models as models
    import other_one_label as labels_of_one
    import other_promise as promise
    import other_workers as workers

MOST_SEEDS, MOST_REPLAYS, MOST_DRAWS = 20, 5, 5


def parts(options: argparse.Namespace, fit: Fit = families.ours) -> dict[str, tuple[str, Callable[[], str]]]:
    """What each part is called, and what makes its tables from a way to fit."""
    seed, n, sets = options.seed, options.crowds, options.sets

    def topics() -> str:
        told = []
        for bad, n_gold in itertools.product((False, True), (0, labels.N_GOLD)):
            name = f"{20 if bad else 'no'} % bad workers, {n_gold or 'no'} gold items".replace("no %", "no")
            told.append(f"{name}\n\n{labels.topics(fit, seed, n, bad, n_gold)}")
        return "\n\n".join([*told, labels.wandering(fit, seed, n, families.grouped)])

    def of_workers() -> str:
        told = []
        for n_gold in (0, workers.N_GOLD):
            found = workers.audited(fit, seed, n, n_gold)
            on_sets = workers.on_public_sets(fit, sets, n_gold, seed)
            told += [
                f"{n_gold or 'No'} gold items\n\n{workers.intervals(found)}",
                f"Public sets, workers with 10 judgments or more\n\n{workers.intervals(on_sets, 'share_right', 10)}",
                workers.verdicts(found),
                workers.verdicts_held(pd.concat([found, on_sets])),
            ]
        return "\n\n".join(told)

    return {
        "labels": ("Labels", partial(labels.labels, fit, seed, n)),
        "topics": ("Workers who see mostly one label", topics),
        "uneven": ("Uneven labels", partial(labels.uneven, fit, seed, n)),
        "sparse": ("Few judgments", partial(labels.sparse, fit, sets, seed, min(n, MOST_DRAWS))),
        "seeds": ("The luck of the seed", partial(labels.seeds, sets, min(n, MOST_SEEDS))),
        "one_label": ("Rules of one label", partial(labels_of_one.rules, seed, n)),
        "ring": ("A copying ring", partial(labels.ring, fit, seed, n, families.ran)),
        "workers": ("Intervals, ranks, verdicts", of_workers),
        "drift": ("Drift", partial(workers.drift, seed, n)),
        "copying": ("Copying", partial(workers.copying, seed, n)),
        "gold": ("Wrong gold", partial(workers.wrong_gold, seed, n)),
        "hostile": ("Hostile crowds", partial(workers.hostile, seed, n)),
        "promise": ("Accepted items", partial(promise.accepted, fit, seed, n)),
        "models": ("Models beside people", partial(models.models, seed, n)),
        "needed": ("Judgments needed", partial(promise.needed, seed, min(n, MOST_REPLAYS))),
        "saved": ("Judgments saved", partial(promise.saved, seed, min(n, MOST_REPLAYS))),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="*", help="such as labels, topics, workers; default: all")
    parser.add_argument("--seed", type=int, default=0, help="of everything drawn")
    parser.add_argument("--crowds", type=int, default=20, help="of each kind")
    parser.add_argument("--sets", nargs="+", choices=accuracy.SETS, default=accuracy.SETS, metavar="NAME")
    options = parser.parse_args()
    known = parts(options)
    if unknown := set(options.part) - set(known):
        parser.error(f"no part {', '.join(sorted(unknown))}; the parts are {', '.join(known)}")
    for name in options.part or known:
        title, made = known[name]
        start = time.perf_counter()
        sys.stdout.write(f"## {title}\n\n{made()}\n\n")
        sys.stdout.flush()
        sys.stderr.write(f"{name}: {time.perf_counter() - start:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
