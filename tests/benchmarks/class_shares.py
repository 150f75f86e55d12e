"""Do the intervals of the shares of the labels hold the true shares, and how wide are they?

    python tests/benchmarks/class_shares.py [--draws 300] [--sets NAME ...] [--no-simulated]

Of each public set (CONSENSUS_DATASETS names their folder) the items with a known label are all items. Gold is drawn
from them at random, again and again; the fit has not seen it, so one fit serves all draws. Beside ours stand gold alone
(Clopper & Pearson), prediction-powered inference label by label, PPI++ (Angelopoulos, Duchi & Zrnic 2023), and Wilson's
interval with an effective number of items (Korn & Graubard 1998). PPI++ is that of ``ppi_py`` (pip install ppi-python)
where it is installed; else, and of simulated posteriors, it is made by its published formula. Prints Markdown tables:
mean coverage, that of the worst label, and the width. Then come simulated posteriors that miss rare labels, or are
wrong now and then. The exit status is 1 where an acceptance figure is not met.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

import consensus
from consensus.guarantees.class_shares import class_shares, in_parts
from consensus.intervals import Z, clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from tests.benchmarks import markdown_tables
    from tests.benchmarks.accuracy import DATASETS, SETS

    Reals = NDArray[np.float64]
    Method = Callable[[Reals, Reals, Reals, int], tuple[Reals, Reals]]
else:  # run as a script, its own folder is on the path
    import markdown_tables
    from accuracy import DATASETS, SETS

ALL = (*SETS, "llm_panel_dev", "cifar10h_dev")
SIZES = (50, 100, 200, 500)
MEAN_COVERAGE = (0.93, 0.98)
LEAST_COVERAGE = 0.90
MOST_WIDTH = {100: 0.9, 200: 0.8, 500: 0.65}
"""Of ours, as a share of that of PPI++, by gold items."""
HAS_PPI = find_spec("ppi_py") is not None


def ours(Y: Reals, f: Reals, all_f: Reals, n_items: int) -> tuple[Reals, Reals]:
    """Ends of our intervals."""
    found = class_shares(Y, f, all_f.mean(axis=0), n_items)
    return found.low, found.high


def gold_alone(Y: Reals, f: Reals, all_f: Reals, n_items: int) -> tuple[Reals, Reals]:
    """Ends by gold alone."""
    del f, all_f, n_items
    return clopper_pearson(Y.sum(axis=0), len(Y))


def ppi(Y: Reals, f: Reals, all_f: Reals, n_items: int) -> tuple[Reals, Reals]:
    """Ends by PPI++ for each label: slope in [0, 1] that makes the variance least, normal interval (their section 6).

    The posteriors without gold are those of all items less those of the gold items.
    """
    n, N = len(Y), n_items - len(Y)
    others = (all_f.sum(axis=0) - f.sum(axis=0)) / N
    variance = (np.square(all_f).sum(axis=0) - np.square(f).sum(axis=0)) / N - others**2
    covariance = ((Y - Y.mean(axis=0)) * (f - f.mean(axis=0))).sum(axis=0) / (n - 1)
    slope = np.clip(covariance / ((1 + n / N) * np.maximum(all_f.var(axis=0), 1e-12)), 0.0, 1.0)
    theta = slope * others + (Y - slope * f).mean(axis=0)
    half = Z * np.sqrt(slope**2 * np.maximum(variance, 0.0) / N + (Y - slope * f).var(axis=0) / n)
    return np.maximum(theta - half, 0.0), np.minimum(theta + half, 1.0)


def ppi_package(Y: Reals, f: Reals, others: Reals) -> tuple[Reals, Reals]:
    """Ends by the authors' own package, label by label; ``others`` are the posteriors (N, K) without gold."""
    from ppi_py import ppi_mean_ci

    ends = [ppi_mean_ci(Y[:, k], f[:, k], others[:, k], alpha=0.05) for k in range(Y.shape[1])]
    low, high = (np.array([float(np.squeeze(one[side])) for one in ends]) for side in (0, 1))
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def effective(Y: Reals, f: Reals, all_f: Reals, n_items: int) -> tuple[Reals, Reals]:
    """Ends by Wilson's interval with an effective number of items, with the line for labels of less than 3 gold items.

    As our intervals were before they learnt of errors that gold does not meet.
    """
    from scipy.special import stdtrit

    G, F = len(Y), all_f.mean(axis=0)
    centred, v = f - f.mean(axis=0), np.maximum(F * (1 - F), 1e-4)
    slope = np.clip(((Y * centred).sum(axis=0) + 2 * v) / ((centred**2).sum(axis=0) + 2 * v), 0.0, 1.5)
    theta = np.clip(Y.mean(axis=0) + slope * (F - f.mean(axis=0)), 0.0, 1.0)
    q, r, left = np.clip(theta, 0.5 / G, 1 - 0.5 / G), Y - slope * f, 1 - G / n_items
    n = G * q * (1 - q) / (((r - r.mean(axis=0)) ** 2).sum(axis=0) + 2 * q * (1 - q)) * G / left
    z = stdtrit(G - 2, 0.975)
    half = z * np.sqrt(theta * (1 - theta) / n + z * z / (4 * n * n))
    low, high = ((theta + z * z / (2 * n) + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    k = Y.sum(axis=0)
    rare, (least, most) = (k < 3) | (G - k < 3), clopper_pearson(k, G)
    high = np.where(rare, np.maximum(high, np.minimum(most, high + 3 * np.sqrt(left) / G)), high)
    low = np.where(rare, np.minimum(low, np.maximum(least, low - 0.02)), low)
    return np.maximum(low, 0.0), np.minimum(high, 1.0)


def posteriors_of(name: str) -> tuple[Reals, Reals]:
    """Posteriors (I, K) of the items of a public set with a known label, by a fit without gold; and their truth."""
    folder = DATASETS / name
    people, votes = folder / "judgments.csv", folder / "model_votes.csv"
    result = consensus.fit(people if people.exists() else None, model_votes=None if people.exists() else votes)
    truth = consensus.read_gold(folder / "truth.csv").align(result.judgments)
    posterior = result.beliefs.dense(truth.items.astype(np.int64))
    return posterior, in_parts(truth.accepted, posterior)


def covered(
    methods: Mapping[str, Method], f: Reals, Y: Reals, n_gold: int, draws: int, *, by_package: bool = False
) -> dict[str, tuple[Reals, Reals]]:
    """By method: in which share of the draws each label's share (K,) lies in the interval, and how wide that is."""
    n_items, share = len(Y), Y.mean(axis=0)
    rng = np.random.default_rng([n_gold, n_items])
    hits, width = ({name: np.zeros(len(share)) for name in methods} for _ in range(2))
    for _ in range(draws):
        gold = rng.choice(n_items, n_gold, replace=False)
        for name, method in methods.items():
            low, high = (
                ppi_package(Y[gold], f[gold], np.delete(f, gold, axis=0))
                if method is ppi and by_package
                else method(Y[gold], f[gold], f, n_items)
            )
            hits[name] += (low <= share + 1e-12) & (share <= high + 1e-12)
            width[name] += high - low
    return {name: (hits[name] / draws, width[name] / draws) for name in methods}


def simulated(n_items: int, share: float, met: float, false: float, seed: int) -> tuple[Reals, Reals]:
    """Posteriors (I, 2) and truth where of a label only the part ``met`` is met, and some others are taken for it.

    ``false`` is how many, as a part of those that have it. Posteriors of what is taken for it are Beta(8, 1), of all
    others Beta(1, 20).
    """
    rng = np.random.default_rng([seed, n_items, round(1e4 * share), round(100 * met), round(100 * false)])
    has = np.arange(n_items) < round(share * n_items)
    taken = rng.random(n_items) < np.where(has, met, false * share)
    f = np.where(taken, rng.beta(8, 1, n_items), rng.beta(1, 20, n_items))
    return np.stack([f, 1 - f], axis=1), np.stack([has, ~has], axis=1).astype(float)


def public(names: list[str], draws: int) -> tuple[list[list[object]], list[list[object]], bool]:
    """Rows of the table by gold items, rows by set, and whether the acceptance figures are met."""
    methods: dict[str, Method] = {"gold alone": gold_alone, "PPI++": ppi, "Wilson, effective": effective, "ours": ours}
    cells: dict[tuple[str, int], dict[str, tuple[Reals, Reals]]] = {}
    for name in names:
        f, Y = posteriors_of(name)
        cells |= {(name, G): covered(methods, f, Y, G, draws, by_package=HAS_PPI) for G in SIZES if len(Y) > G}
    rows: list[list[object]] = []
    met = True
    for G in SIZES:
        of = {name: cell for (name, size), cell in cells.items() if size == G}
        if not of:
            continue
        width = {m: float(np.mean([cell[m][1].mean() for cell in of.values()])) for m in methods}
        for m in methods:
            coverage = float(np.mean([cell[m][0].mean() for cell in of.values()]))
            worst, where = min((float(cell[m][0].min()), name) for name, cell in of.items())
            ratio = width[m] / width["PPI++"]
            rows.append([f"{G}, {m}", *(f"{100 * one:.1f}" for one in (coverage, worst)), where])
            rows[-1] += [f"{100 * width[m]:.2f}", f"{ratio:.3f}"]
            if m == "ours":
                met &= MEAN_COVERAGE[0] <= coverage <= MEAN_COVERAGE[1] and worst >= LEAST_COVERAGE
                met &= ratio <= MOST_WIDTH.get(G, np.inf)
    by_set: list[list[object]] = []
    for (name, G), cell in cells.items():
        coverage_of = [one for m in ("ours", "PPI++") for one in (cell[m][0].mean(), cell[m][0].min())]
        widths = [f"{100 * cell[m][1].mean():.2f}" for m in ("ours", "PPI++")]
        by_set.append([f"{name}, {G}", *(f"{100 * one:.1f}" for one in coverage_of), *widths])
    return rows, by_set, met


def rare(draws: int) -> list[list[object]]:
    """Rows of the table of simulated posteriors, by gold items and method."""
    methods: dict[str, Method] = {"gold alone": gold_alone, "PPI++": ppi, "Wilson, effective": effective, "ours": ours}
    crowds = list(
        itertools.product((1_000, 20_000), (0.004, 0.015, 0.04, 0.08, 0.25), (0.1, 0.5, 0.7, 0.9, 0.98), (0.1, 0.5))
    )
    rows: list[list[object]] = []
    for G in SIZES[:3]:
        cells = []
        for crowd in crowds:
            f, Y = simulated(*crowd, seed=5)
            cells.append(covered(methods, f, Y, G, draws))
        for m in methods:
            coverage = np.array([cell[m][0].min() for cell in cells])
            width = float(np.mean([cell[m][1].mean() for cell in cells]))
            counts = [int((coverage < least).sum()) for least in (0.90, 0.93)]
            rows.append([f"{G}, {m}", f"{100 * coverage.mean():.1f}", f"{100 * coverage.min():.1f}", *counts])
            rows[-1] += [len(cells), f"{100 * width:.2f}"]
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--sets", nargs="*", choices=ALL, default=list(ALL), metavar="NAME")
    parser.add_argument("--no-simulated", action="store_true")
    options = parser.parse_args()
    how = "by ppi_py" if HAS_PPI else "by its published formula: ppi_py is not installed (pip install ppi-python)"
    rows, by_set, met = public(options.sets, options.draws)
    head = ["gold, method", "coverage, %", "worst label", "of", "width, points", "of PPI++"]
    sys.stdout.write(f"PPI++ {how}.\n\n{markdown_tables.table(head, rows)}\n\n")
    head = [
        "set, gold",
        "ours: coverage",
        "worst label",
        "PPI++: coverage",
        "worst label",
        "ours: width",
        "PPI++: width",
    ]
    sys.stdout.write(f"{markdown_tables.table(head, by_set)}\n\n")
    if not options.no_simulated:
        head = ["gold, method", "coverage, %", "worst", "crowds below 90", "below 93", "of", "width, points"]
        sys.stdout.write(f"{markdown_tables.table(head, rare(options.draws))}\n\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
