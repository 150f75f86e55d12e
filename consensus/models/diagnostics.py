"""What the user must know before trusting a fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import tallies
from consensus.probabilities import entropy, normalised
from consensus.result import Warning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.judgments import AlignedGold, Judgments
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.problem import Problem
    from consensus.votes import AlignedVotes, ModelFindings

MANY_LABELS = 100
FEW_ITEMS, FEW_PER_WORKER = 50, 20
MOST_PAIRS = 2_000_000  # pairs of judgments looked at; beyond that a random subset of the items
LEAST_SHARED = 10  # items that two workers must share to be compared
PAIR_LEVEL = 0.01  # chance of calling any pair of independent workers contradictory, over all pairs
MINORITY_SHARE = 0.25  # of the judgments: one adversary among four is no risk, three good against four bad are (.43)
LEAST_TOLD = 0.1  # share of the entropy of the labels that the mean judgment must tell
LEAST_GAP = 0.5  # nats by which the objective of the opposite solution must fall short
LEAST_MASS = 10  # items (or judgments) a label needs before its share or its diagonal is read


def of_judgments(judgments: Judgments, votes: AlignedVotes | None = None) -> list[Warning]:
    """Cautions that the judgments alone call for; ``votes`` tell which items without judgments are no guess."""
    found = []
    if judgments.rejects:
        reasons = Counter(one.reason for one in judgments.rejects)
        most, n_most = reasons.most_common(1)[0]
        first = next(one for one in judgments.rejects if one.reason == most)
        found.append(
            Warning(
                "rejected_rows",
                f"{len(judgments.rejects):,} of {judgments.tally.read:,} rows could not be used; {n_most:,} of them: "
                f"{most} (first {first.file}:{first.line}); consensus run lists all in rejects.csv",
                {"n_rows": len(judgments.rejects)},
            )
        )
    if judgments.n_labels > MANY_LABELS and judgments.n_labels > judgments.n_judgments / 10:
        found.append(
            Warning(
                "many_labels",
                f"{judgments.n_labels:,} labels in {judgments.n_judgments:,} judgments: is --label the right column?",
                {"n_labels": judgments.n_labels},
            )
        )
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
    for name, n in judgments.unreadable_amounts.items():
        found.append(
            Warning(
                f"unreadable_{name}s",
                f"{n:,} {name}s could not be read (expected a number, 0 or more, such as 12.5) and count as unknown",
                {"n_judgments": n},
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
    silent = judgments.per_item == 0
    if votes is not None:
        silent &= votes.per_item == 0
    n_silent = int(silent.sum())
    if n_silent:
        found.append(
            Warning(
                "items_without_judgments",
                f"{n_silent:,} items have abstains only; their label is a guess",
                {"n_items": n_silent},
            )
        )
    return found


def has_second_opinions(judgments: Judgments, models: ModelFindings | None = None) -> bool:
    """Some item was judged by two workers, or models: only then can they be held against each other."""
    same_item = judgments.item[1:] == judgments.item[:-1]
    if np.any(same_item & (judgments.worker[1:] != judgments.worker[:-1])):
        return True
    if models is None:
        return False
    votes, judged = models.votes, judgments.per_item > 0
    counts = ~(models.circular[votes.model] & judged[votes.item])
    return bool(np.any(judged + np.bincount(votes.item[counts], minlength=len(judged)) > 1))


def one_judgment_per_item(audited: bool, models: bool = False) -> Warning:
    """Say that nobody judged what another did; nor did ``models``."""
    if models:
        return Warning(
            "one_judgment_per_item",
            "no item has the opinions of two, be they people or models, so nothing tells how good any of them is: "
            "labels are what the one says, without confidence; have people judge a random sample, or give gold",
        )
    if audited:
        return Warning(
            "one_judgment_per_item",
            "no item was judged by two workers: only the gold items tell how good a worker is; collect second "
            "judgments",
        )
    return Warning(
        "one_judgment_per_item",
        "no item was judged by two workers, so nothing tells how good a worker is: labels are the judgments as given, "
        "without confidence; collect second judgments or give gold",
    )


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
        "unless told otherwise, a fixed prior and a cautious confidence are used",
        {"n_items": n_judged, "judgments_per_worker": per_worker},
    )


def of_gold(gold: AlignedGold | None) -> list[Warning]:
    """Say that nothing was audited, or which gold met no judgment."""
    if gold is None:
        return [
            Warning(
                "unaudited",
                "no gold labels were given: a confidence is agreement with the consensus of competent workers, "
                "which nothing has audited",
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


def of_fit(problem: Problem, estimate: Estimate, backend: Backend) -> list[Warning]:
    """Cautions about the fit itself."""
    found, judgments = [], problem.judgments
    convergence = estimate.convergence
    if not convergence.converged:
        found.append(
            Warning(
                "not_converged",
                f"stopped after {convergence.iterations} passes without converging; raise --max-iterations",
                {"iterations": convergence.iterations},
            )
        )
    if not judgments.n_judgments:
        return found
    pooled = normalised(problem.layout.pooled_counts(estimate.counts))
    diagonal = float((estimate.pi * np.diag(pooled)).sum())
    bound = 1.0 / judgments.n_labels + 0.1
    if judgments.n_labels > 1 and diagonal < bound and _say_little(problem, estimate, backend):
        found.append(
            Warning(
                "near_chance",
                f"the workers' answers tell next to nothing about the labels (right on {diagonal:.0%} by the model): "
                "clarify the question or train the workers",
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


def _say_little(problem: Problem, estimate: Estimate, backend: Backend) -> bool:
    """The mean judgment carries less than LEAST_TOLD of what is to be known: not so for those who lie with skill."""
    found = problem.layout.confusions(estimate, backend)
    activity = problem.judgments.per_worker
    told = float(found.informativeness(estimate.pi) @ activity) / problem.judgments.n_judgments
    return told < LEAST_TOLD * float(entropy(estimate.pi[None])[0])


def switch_risk(camps: Camps, mirrored_gap: float | None, n_judgments: int) -> list[Warning]:
    """Without gold: signs that labels may be switched, because the data can be read the opposite way as well.

    ``mirrored_gap`` is the objective lost by the opposite solution, in nats, where one was found.
    """
    values: dict[str, float] = {
        "pairs_agreeing": camps.agreeing,
        "pairs_contradicting": camps.contradicting,
        "minority_share": camps.minority_share,
    }
    signs = []
    if camps.minority_share > MINORITY_SHARE:
        signs.append(
            f"{camps.minority:,} of the {camps.workers:,} workers with a clear tendency contradict the others more "
            f"often than chance ({camps.contradicting:,} of {camps.agreeing + camps.contradicting:,} pairs)"
        )
    if mirrored_gap is not None:
        values["mirrored_gap"] = mirrored_gap / n_judgments
        if mirrored_gap < LEAST_GAP:
            signs.append("the opposite reading of the data fits as well")
    if not signs:
        return []
    return [
        Warning(
            "switch_risk",
            f"labels may be switched: {'; '.join(signs)}. Only gold can tell: give some with --gold",
            values,
        )
    ]


def moved_labels(problem: Problem, estimate: Estimate, majority_shares: NDArray[np.float64]) -> list[Warning]:
    """Labels that the fit uses quite otherwise than the judgments do: right where they are rare, else suspicious.

    ``majority_shares`` (K,) counts items by majority vote.
    """
    signs, labels = [], problem.judgments.labels
    pooled = problem.layout.pooled_counts(estimate.counts)
    for k in np.flatnonzero(pooled.sum(axis=1) >= LEAST_MASS):
        most = int(pooled[k].argmax())
        if pooled[k, most] > pooled[k, k]:
            signs.append(f'items taken as "{labels[k]}" are mostly judged "{labels[most]}"')
    mass = estimate.mass
    ratio = mass / np.maximum(majority_shares, 1e-9)
    moved = ((ratio < 0.5) | (ratio > 2.0)) & (np.maximum(mass, majority_shares) >= LEAST_MASS)
    signs += [
        f'"{labels[k]}" has {mass[k]:,.0f} items where the majority vote has {majority_shares[k]:,.0f}'
        for k in np.flatnonzero(moved)
    ]
    if not signs:
        return []
    return [
        Warning(
            "moved_labels",
            f"the fit departs far from the judgments: {'; '.join(signs[:4])}; look at some of these items",
            {"n_signs": len(signs)},
        )
    ]


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
    activity = judgments.per_worker
    involved = np.unique(np.concatenate([agreeing, contradicting]))
    left, cover = contradicting, []
    while len(left):
        degree = np.bincount(left.ravel(), minlength=judgments.n_workers)
        cover.append(int(np.lexsort((-activity, -degree))[0]))  # ties: the busier worker, whatever the names
        left = left[~(left == cover[-1]).any(axis=1)]
    total = int(activity[involved].sum())
    share = int(activity[cover].sum()) / max(total, 1)
    minority = len(cover) if share <= 0.5 else len(involved) - len(cover)
    return Camps(len(agreeing), len(contradicting), len(involved), minority, min(share, 1.0 - share))


def _clear_pairs(judgments: Judgments, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n, 2) workers of the pairs that clearly agree, and of those that clearly contradict each other."""
    from scipy.special import ndtri

    items = _items_for_pairs(judgments, seed)
    n = judgments.per_item[items]
    key = np.empty(int((n * (n - 1) // 2).sum()), np.int64)
    n_pairs = tallies.worker_pairs(
        items, judgments.item_start, judgments.worker, judgments.label, judgments.n_workers, key
    )
    key = key[:n_pairs]
    key.sort()
    pair, shared, agreed = np.empty((3, n_pairs // LEAST_SHARED), np.int64)
    n_found = tallies.frequent_pairs(key, LEAST_SHARED, pair, shared, agreed)
    pair, shared, agreed = pair[:n_found], shared[:n_found], agreed[:n_found]
    shares = np.zeros((judgments.n_workers, judgments.n_labels))
    tallies.labels_of_workers(judgments.worker, judgments.label, shares)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1.0)
    workers = np.stack(np.divmod(pair, judgments.n_workers), axis=1)
    by_chance = np.einsum("pk,pk->p", shares[workers[:, 0]], shares[workers[:, 1]])
    spread = shared * by_chance * (1.0 - by_chance)
    enough = spread >= 1.0
    z = (agreed - shared * by_chance) / np.sqrt(np.where(enough, spread, np.inf))
    bound = -ndtri(PAIR_LEVEL / max(int(enough.sum()), 1))
    return workers[z > bound], workers[z < -bound]


def _items_for_pairs(judgments: Judgments, seed: int) -> NDArray[np.int32]:
    """Items with at least two judgments; a random subset of them where they hold too many pairs."""
    n = judgments.per_item
    items = np.flatnonzero(n > 1).astype(np.int32)
    n_pairs = n[items] * (n[items] - 1) // 2
    if n_pairs.sum() <= MOST_PAIRS:
        return items
    order = np.random.default_rng(seed).permutation(len(items))[:MOST_PAIRS]  # each has a pair at least
    n_pairs = n_pairs[order]
    fits = n_pairs <= MOST_PAIRS // LEAST_SHARED  # a few huge items would fill the sample alone
    order, n_pairs = order[fits], n_pairs[fits]
    return np.sort(items[order[: np.searchsorted(np.cumsum(n_pairs), MOST_PAIRS, "right")]])


def components(judgments: Judgments) -> tuple[int, float]:
    """Groups of judgments that share neither worker nor item, and the largest one's share of the judgments."""
    group = np.arange(judgments.n_workers, dtype=np.int32)
    if tallies.join_workers(judgments.item_start, judgments.worker, group) == 1:
        return 1, 1.0
    per_group = np.bincount(group, weights=judgments.per_worker)
    return int((per_group > 0).sum()), float(per_group.max() / max(judgments.n_judgments, 1))
