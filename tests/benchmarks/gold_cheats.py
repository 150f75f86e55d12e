"""Who knows the gold: how many cheats are named, and how many honest workers, where gold is easy, too.

    python -m tests.benchmarks.gold_cheats [--seeds 100-119]

Prints a Markdown table: recall and precision over all crowds, the worst recall of a crowd, and the most honest workers
who are named in one.
"""

from __future__ import annotations

import argparse
import sys

import consensus
from consensus.models.base import fit
from tests import gold_crowds
from tests.gold_crowds import Recipe

EASY = {"easier": 1.5, "difficulty_sd": 1.0}
RECIPES: dict[str, Recipe] = {
    "two labels": Recipe(),
    "two labels, 3 judgments an item": Recipe(per_item=3),
    "two labels, 4 of 40 cheat": Recipe(honest=36, cheats=4),
    "two labels, 16 of 40 cheat": Recipe(honest=24, cheats=16),
    "three labels": Recipe(n_labels=3),
    "four labels": Recipe(n_labels=4),
    "gold easier by 1.5 logits": Recipe(**EASY),  # type: ignore[arg-type]
    "the same, four labels": Recipe(n_labels=4, **EASY),  # type: ignore[arg-type]
    "nobody cheats": Recipe(honest=40, cheats=0),
    "nobody cheats, gold easier by 1.5": Recipe(honest=40, cheats=0, **EASY),  # type: ignore[arg-type]
    "nobody cheats, gold easier by 3": Recipe(honest=40, cheats=0, easier=3.0, difficulty_sd=1.0),
    "nobody cheats, easier, weak and strong": Recipe(honest=40, cheats=0, accuracy=0.72, spread=0.2, **EASY),  # type: ignore[arg-type]
    "ten spammers, gold easier by 1.5": Recipe(cheats=0, spammers=10, **EASY),  # type: ignore[arg-type]
}


def measured(recipe: Recipe, seed: int) -> tuple[int, int, int]:
    """Cheats, those of them who are named, and others who are."""
    crowd = gold_crowds.draw(recipe, seed)
    result = fit(consensus.read(crowd.table), gold=crowd.gold)
    ids = result.judgments.worker_ids.to_pylist()
    named = [] if result.gold_aware is None else [ids[w] for w in result.gold_aware.named.nonzero()[0]]
    n_true = sum(name.startswith("x") for name in named)
    return recipe.cheats, n_true, len(named) - n_true


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="100-119")
    first, last = (int(one) for one in parser.parse_args().seeds.split("-"))
    sys.stdout.write("| crowd | cheats | recall | precision | worst recall | honest named | in the worst crowd |\n")
    sys.stdout.write("|---|--:|--:|--:|--:|--:|--:|\n")
    for name, recipe in RECIPES.items():
        found = [measured(recipe, seed) for seed in range(first, last + 1)]
        n, n_true, n_false = (sum(one) for one in zip(*found, strict=True))
        recall = f"{n_true / n:.3f}" if n else ""
        precision = f"{n_true / (n_true + n_false):.3f}" if n_true else ""
        worst = f"{min(one[1] / one[0] for one in found):.2f}" if n else ""
        most = max(one[2] for one in found)
        sys.stdout.write(f"| {name} | {n} | {recall} | {precision} | {worst} | {n_false} | {most} |\n")


if __name__ == "__main__":
    main()
