"""What the user must know before trusting a fit (MODEL.md sections 3 and 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus import kernels
from consensus.result import Warning, normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.judgments import AlignedGold, Judgments
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.rows import Rows

FEW_ITEMS, FEW_PER_WORKER = 50, 20
MOST_PAIRS = 2_000_000  # pairs of judgments looked at; beyond that a random subset of the items
LEAST_SHARED = 10  # items that two workers must share to be compared
PAIR_LEVEL = 0.01  # chance of calling any pair of independent workers contradictory, over all pairs
MINORITY_SHARE = 0.25  # of the judgments: one adversary among four is no risk, three good against four bad are (.43)
LEAST_MASS = 10  # items (or judgments) a label needs before its share or its diagonal is read


def of_judgments(judgments: Judgments) -> list[Warning]:
    """Cautions that the judgments alone call for."""
    found = []
    if judgments.repeats_by_row_order:
        found.append(
            Warning(
                "repeats_by_row_order",
                "some workers judged an item twice with different labels; without timestamps the order of rows decided "
                "which one counts",
            )
        )
    if judgments.unreadable_times:
        found.append(
            Warning(
                "unreadable_times",
                f"{judgments.unreadable_times:,} timestamps could not be read (expected ISO 8601, such as "
                "2025-03-01T09:30:00Z) and count as unknown",
                {"n_judgments": judgments.unreadable_times},
            )
        )
    n_empty = int((judgments.label == judgments.labels.index("")).sum()) if "" in judgments.labels else 0
    if n_empty:
        found.append(
            Warning(
                "empty_label",
                f'{n_empty:,} judgments carry the label "" (a quoted empty text); '
                'if that means no answer, pass --abstain ""',
                {"n_judgments": n_empty},
            )
        )
    if judgments.n_labels == 1:
        found.append(Warning("one_label", f'every judgment says "{judgments.labels[0]}": there is nothing to decide'))
    n_silent = int((judgments.per_item == 0).sum())
    if n_silent:
        found.append(
            Warning(
                "items_without_judgments",
                f"{n_silent:,} items have abstains only; their label is the most frequent one",
                {"n_items": n_silent},
            )
        )
    return found


def is_small(judgments: Judgments) -> bool:
    """Too few judgments to learn the prior of the confusions and rho from."""
    n_judged = int((judgments.per_item > 0).sum())
    return n_judged < FEW_ITEMS or judgments.n_judgments < FEW_PER_WORKER * judgments.n_workers


def small_data(judgments: Judgments) -> Warning:
    """Say that the data is small."""
    per_worker = judgments.n_judgments / judgments.n_workers
    n_judged = int((judgments.per_item > 0).sum())
    return Warning(
        "small_data",
        f"{n_judged:,} items and {per_worker:.1f} judgments a worker are too few to learn how the "
        f"workers err (about {FEW_ITEMS} items and {FEW_PER_WORKER} judgments a worker are needed); "
        "a fixed prior and a cautious confidence are used",
        {"n_items": n_judged, "judgments_per_worker": per_worker},
    )


def of_gold(gold: AlignedGold | None) -> list[Warning]:
    """Say that nothing was audited, or which gold met no judgment."""
    if gold is None:
        return [
            Warning(
                "unaudited",
                "no gold labels were given: a confidence is agreement with the consensus of competent workers, "
                "unaudited",
            )
        ]
    if gold.unjudged:
        return [
            Warning(
                "gold_without_judgments",
                f"{len(gold.unjudged):,} gold items were never judged; they are labelled but audit nothing",
                {"n_items": len(gold.unjudged)},
            )
        ]
    return []


def of_fit(judgments: Judgments, rows: Rows, estimate: Estimate) -> list[Warning]:
    """Cautions about the fit itself."""
    found = []
    convergence = estimate.convergence
    if not convergence.converged:
        found.append(
            Warning(
                "not_converged",
                f"stopped after {convergence.iterations} passes without converging; raise --max-iterations",
                {"iterations": convergence.iterations},
            )
        )
    pooled = normalised(pooled_counts(rows, estimate.counts))
    diagonal = float((estimate.pi * np.diag(pooled)).sum())
    bound = 1.0 / judgments.n_labels + 0.1
    if judgments.n_labels > 1 and diagonal < bound:
        found.append(
            Warning(
                "near_chance",
                f"the workers together are right on {diagonal:.0%}, hardly better than guessing; "
                "no model improves on that: clarify the question or train the workers",
                {"pooled_accuracy": diagonal, "chance": 1.0 / judgments.n_labels},
            )
        )
    n_components, largest = components(judgments)
    if n_components > 1:
        found.append(
            Warning(
                "disconnected",
                f"the judgments fall into {n_components:,} groups that share no worker and no item (the largest "
                f"holds {largest:.1%} of the judgments); workers of different groups are compared through the prior "
                "only",
                {"n_components": n_components, "largest_share": largest},
            )
        )
    return found


def switch_risk(
    judgments: Judgments,
    rows: Rows,
    estimate: Estimate,
    majority_shares: NDArray[np.float64],
    camps: Camps,
    mirrored_gap: float | None,
) -> list[Warning]:
    """Without gold: signs that labels may be switched, because the informative workers contradict each other.

    ``majority_shares`` (K,) counts items by majority vote, ``mirrored_gap`` is the objective lost per judgment by the
    opposite solution, where one was found.
    """
    signs = []
    if camps.minority_share > MINORITY_SHARE:
        signs.append(
            f"{camps.minority:,} of the {camps.workers:,} workers with a clear tendency contradict the others more "
            f"often than chance ({camps.contradicting:,} of {camps.agreeing + camps.contradicting:,} pairs)"
        )
    pooled = pooled_counts(rows, estimate.counts)
    for k in np.flatnonzero(pooled.sum(axis=1) >= LEAST_MASS):
        most = int(pooled[k].argmax())
        if pooled[k, most] > pooled[k, k]:
            signs.append(f'items taken as "{judgments.labels[k]}" are mostly judged "{judgments.labels[most]}"')
    mass = estimate.posterior[judgments.per_item > 0].sum(axis=0)
    moved = ~((mass / np.maximum(majority_shares, 1e-9) >= 0.5) & (mass / np.maximum(majority_shares, 1e-9) <= 2.0))
    signs += [
        f'"{judgments.labels[k]}" has {mass[k]:,.0f} items where the majority vote has {majority_shares[k]:,.0f}'
        for k in np.flatnonzero(moved & (np.maximum(mass, majority_shares) >= LEAST_MASS))
    ]
    if not signs:
        return []
    values: dict[str, float] = {
        "pairs_agreeing": camps.agreeing,
        "pairs_contradicting": camps.contradicting,
        "minority_share": camps.minority_share,
    }
    gap = ""
    if mirrored_gap is not None:
        values["mirrored_gap"] = mirrored_gap
        how = "nearly as well" if mirrored_gap > 0 else "as well"
        gap = f"; the opposite reading of the data fits {how} ({abs(mirrored_gap):.4f} nats a judgment apart)"
    return [
        Warning(
            "switch_risk",
            f"labels may be switched: {'; '.join(signs[:4])}{gap}. Only gold can tell: give some with --gold",
            values,
        )
    ]


def pooled_counts(rows: Rows, counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K, K) expected judgments of all workers together, [true, observed]."""
    pooled = np.zeros((rows.n_labels, rows.n_labels))
    np.add.at(pooled.T, rows.label, counts)
    return pooled


@dataclass(frozen=True, slots=True)
class Camps:
    """Workers who clearly agree or contradict each other, in pairs."""

    agreeing: int
    """Pairs that agree more often than chance."""
    contradicting: int
    """Pairs that agree less often than chance."""
    workers: int
    """Workers in such a pair."""
    minority: int
    """Workers of the smaller camp: without them, nobody contradicts anybody (or their opponents are taken)."""
    minority_share: float
    """Their share of the judgments of all ``workers``, 0 to .5."""


def camps(judgments: Judgments, seed: int) -> Camps:
    """Find the workers who contradict the others.

    Agreement on shared items is held against what two independent workers with these label shares would reach
    (Cohen 1960), by a normal test at ``PAIR_LEVEL`` over all pairs (Bonferroni). The camp is a greedy vertex cover of
    the contradicting pairs: the worker in most of them first, until none is left.
    """
    agreeing, contradicting = _clear_pairs(judgments, seed)
    activity = np.bincount(judgments.worker, minlength=judgments.n_workers)
    involved = np.unique(np.concatenate([agreeing, contradicting]))
    left, cover = contradicting, []
    while len(left):
        cover.append(int(np.bincount(left.ravel()).argmax()))
        left = left[~(left == cover[-1]).any(axis=1)]
    total = int(activity[involved].sum())
    share = int(activity[cover].sum()) / max(total, 1)
    minority = len(cover) if share <= 0.5 else len(involved) - len(cover)
    return Camps(len(agreeing), len(contradicting), len(involved), minority, min(share, 1.0 - share))


def _clear_pairs(judgments: Judgments, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n, 2) workers of the pairs that clearly agree, and of those that clearly contradict each other."""
    from scipy.stats import norm

    items = _items_for_pairs(judgments, seed)
    n = judgments.per_item[items]
    first, second, agree = (np.empty(int((n * (n - 1) // 2).sum()), np.int32) for _ in range(3))
    kernels.worker_pairs(items, judgments.item_start, judgments.worker, judgments.label, first, second, agree)
    other = first != second  # a worker's own repeats say nothing
    code = first[other].astype(np.int64) * judgments.n_workers + second[other]
    found, pair = np.unique(code, return_inverse=True)
    shared = np.bincount(pair, minlength=len(found))
    agreed = np.bincount(pair, weights=agree[other], minlength=len(found))
    shares = np.zeros((judgments.n_workers, judgments.n_labels))
    np.add.at(shares, (judgments.worker, judgments.label), 1.0)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
    workers = np.stack(np.divmod(found, judgments.n_workers), axis=1)
    by_chance = np.einsum("pk,pk->p", shares[workers[:, 0]], shares[workers[:, 1]])
    spread = shared * by_chance * (1.0 - by_chance)
    enough = (shared >= LEAST_SHARED) & (spread >= 1.0)
    z = (agreed - shared * by_chance) / np.sqrt(np.where(enough, spread, np.inf))
    bound = norm.isf(PAIR_LEVEL / max(int(enough.sum()), 1))
    return workers[z > bound], workers[z < -bound]


def _items_for_pairs(judgments: Judgments, seed: int) -> NDArray[np.int32]:
    """Items with at least two judgments; a random subset of them where they hold too many pairs."""
    n = judgments.per_item
    items = np.flatnonzero(n > 1).astype(np.int32)
    n_pairs = n[items] * (n[items] - 1) // 2
    if n_pairs.sum() <= MOST_PAIRS:
        return items
    order = np.random.default_rng(seed).permutation(len(items))
    enough = int(np.searchsorted(np.cumsum(n_pairs[order]), MOST_PAIRS))
    return np.sort(items[order[: max(enough, 1)]])


def components(judgments: Judgments) -> tuple[int, float]:
    """Groups of judgments that share neither worker nor item, and the largest one's share of the judgments."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    size = judgments.n_items + judgments.n_workers
    pointers = np.concatenate([judgments.item_start, np.full(judgments.n_workers, judgments.n_judgments, np.int64)])
    links = csr_array(
        (
            np.ones(judgments.n_judgments, np.int8),
            (judgments.worker + np.int64(judgments.n_items)).astype(np.int32),
            pointers.astype(np.int32 if judgments.n_judgments < 2**31 else np.int64),
        ),
        shape=(size, size),
    )
    _, group = connected_components(links, directed=False)
    per_group = np.bincount(group[judgments.item])
    return int((per_group > 0).sum()), float(per_group.max() / max(judgments.n_judgments, 1))
