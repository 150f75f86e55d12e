"""Whether what is promised of accepted items, and foretold of judgments, holds where items differ in difficulty."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from consensus.runs import Run

if TYPE_CHECKING:
    from tests.benchmarks import escalation_curves as curves
    from tests.benchmarks import escalation_policies as policies
    from tests.benchmarks import escalation_replay as replay
    from tests.benchmarks import escalation_rules as rules
    from tests.benchmarks import markdown_tables, promise
    from tests.benchmarks import other_families as families
    from tests.benchmarks.other_families import Fit
else:  # run as a script, its own folder is on the path
    import escalation_curves as curves
    import escalation_policies as policies
    import escalation_replay as replay
    import escalation_rules as rules
    import markdown_tables
    import other_families as families
    import promise

from tests.other_crowds import Recipe, draw

N_GOLD = 100
REPLAYED = Recipe(400, 60, 3, 8.0, accuracy=0.75, random=0.1)
MATCHED = (3, 5, 7)


def accepted(fit: Fit, seed: int, n_crowds: int) -> str:
    """Wrong among accepted items: foretold, true, and within the interval that is measured on gold."""
    rows = []
    for family in families.FAMILIES:
        for n_gold in (0, N_GOLD):
            found = []
            for number in range(n_crowds):
                crowd = families.crowd(family, seed, number)
                result = fit(crowd.table, crowd.gold(n_gold, number) if n_gold else None)
                share, wrong = promise.outcome(result, crowd.truth)
                told = Run.of(result).promise
                measured = told["gold"]["accepted"] if n_gold else {"low": np.nan, "high": np.nan}
                low, high = (np.nan if measured[name] is None else measured[name] for name in ("low", "high"))
                expected = np.nan if told["expected_error"] is None else told["expected_error"]
                found.append((share, wrong, expected, wrong > high, wrong < low))
            share, wrong, expected, above, below = np.array(found, float).T
            rows.append(
                (
                    f"{family}, {n_gold or 'no'} gold",
                    families.spread(100 * share),
                    families.spread(100 * wrong, 1, max),
                    f"{100 * pd.Series(expected).mean():.1f}",
                    f"{int(above.sum())} of {n_crowds}" if n_gold else "",
                    f"{int(below.sum())} of {n_crowds}" if n_gold else "",
                )
            )
    head = ["target .95: mean (worst crowd)", "accepted %", "of them wrong %", "expected", "above the interval"]
    return markdown_tables.table([*head, "below"], rows)


def replayed(sd: float, seed: int, n_items: int = REPLAYED.n_items) -> curves.Crowd:
    """A crowd of eight judgments an item, to be asked for one by one."""
    crowd = draw(replace(REPLAYED, n_items=n_items, difficulty_sd=sd), seed)
    return curves.thinned(crowd.table, crowd.truth, seed, n_items)


def needed(seed: int, n_seeds: int, n_items: int = REPLAYED.n_items) -> str:
    """Judgments needed, foretold and used."""
    rows = []
    for family, sd in families.SPREADS.items():
        for start in rules.STARTS:
            found = [rules.foretold(replayed(sd, seed + n, n_items), seed + n, start) for n in range(n_seeds)]
            of = rules.Foretold(*np.mean([astuple(one) for one in found], axis=0))
            ratios = [one.predicted / one.used for one in found]
            rows.append(
                (
                    f"{family}, from {start}",
                    f"{of.predicted:.2f}",
                    f"{of.used:.2f}",
                    families.spread(ratios, 2, max),
                    f"{100 * of.inside:.0f}",
                    f"{100 * of.p_settled:.0f}",
                    f"{100 * of.settled:.0f}",
                )
            )
    head = ["", "predicted", "used", "ratio (worst)", "inside the range %", "predicted settled %", "settled %"]
    return markdown_tables.table(head, rows)


def saved(seed: int, n_seeds: int, n_items: int = REPLAYED.n_items) -> str:
    """Judgments to be as right as fixed redundancy, as a share of its."""
    names = (policies.UNIFORM, policies.ENTROPY, policies.OURS, policies.WITH_CHOICE)
    rows = []
    for family, sd in families.SPREADS.items():
        crowds = [replayed(sd, seed + n, n_items) for n in range(n_seeds)]
        found = {
            name: [
                replay.replayed(
                    crowd,
                    name,
                    seed + n,
                    policies.SCORES[name],
                    replay.UNIFORM_UPTO if name == policies.UNIFORM else replay.UPTO,
                )
                for n, crowd in enumerate(crowds)
            ]
            for name in names
        }
        for name in names[1:]:
            ratios = [
                curves.ratio(found[name], found[policies.UNIFORM], [float(crowd.fixed(r)) for crowd in crowds])
                for r in MATCHED
            ]
            rows.append((f"{family}: {name}", *(f"{ratio:.2f} ±{error:.2f}" for ratio, error in ratios)))
    return markdown_tables.table(["to match a fixed redundancy of", *map(str, MATCHED)], rows)
