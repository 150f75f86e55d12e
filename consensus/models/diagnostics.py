"""What the user must know before trusting a fit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from consensus.found.cautions import Caution
from consensus.inputs.counted import counted
from consensus.inputs.judgments import listed
from consensus.inputs.label_teams import teams
from consensus.inputs.understood import quoted_text
from consensus.kernels import tallies
from consensus.models import group_warnings, loners, newcomers, one_label, switching, units, votes_warnings
from consensus.probabilities import entropy, normalised

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.config import FitConfig
    from consensus.found.confusions import Confusions
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.label_teams import Teams
    from consensus.inputs.model_votes import AlignedVotes, ModelFindings
    from consensus.models.base import Execution
    from consensus.models.expectation_maximisation import Estimate
    from consensus.models.one_label import OneLabel
    from consensus.models.problem import Problem

MANY_LABELS = 100
FEW_ITEMS, FEW_PER_WORKER = 50, 20
NAMED = 3  # workers in a message
MOST_ACCEPTED = 1.2  # labels that an item of gold accepts, in the mean
LEAST_TOLD = 0.1  # share of the entropy of the labels that the mean judgment must tell


def all_of(
    problem: Problem,
    estimate: Estimate,
    gold: AlignedGold | None,
    findings: ModelFindings | None,
    settings: FitConfig,
    run: Execution,
) -> tuple[Caution, ...]:
    """Everything that the judgments, the gold, the models that voted and the fit call for."""
    judgments = problem.judgments
    found = [
        *of_judgments(judgments, None if findings is None else findings.votes),
        *of_gold(gold),
        *questions_of_gold(gold, judgments),
        *of_fit(problem, estimate, run.backend),
        *units.cautions(problem.units),
        *([] if problem.newcomers is None else [newcomers.disagree(judgments, problem.newcomers)]),
        *([] if problem.loners is None else [loners.told(problem.loners)]),
    ]
    if findings is not None:
        found += votes_warnings.of_models(findings, judgments, gold, settings)
    elif gold is not None and not has_second_opinions(judgments):
        found.append(one_judgment_per_item(judgments, audited=True))
    if problem.small and judgments.n_judgments:
        found.append(small_data(judgments))
    if gold is None and judgments.n_judgments:
        found += switching.risks(problem, estimate, run)
    return tuple(found)


def of_judgments(judgments: Judgments, votes: AlignedVotes | None = None) -> list[Caution]:
    """Cautions that the judgments alone call for; ``votes`` tell which items without judgments are no guess."""
    found = [Caution(*notice[:3]) for notice in judgments.cautions]
    if judgments.rejects:
        reasons = Counter(one.reason for one in judgments.rejects)
        most, n_most = reasons.most_common(1)[0]
        first = next(one for one in judgments.rejects if one.reason == most)
        found.append(
            Caution(
                "rejected_rows",
                f"{len(judgments.rejects):,} of {counted(judgments.tally.read, 'row')} could not be "
                f"used; {n_most:,} of them: "
                f"{most} (first {first.file}:{first.line}); consensus run lists all in rejects.csv",
                {"n_rows": len(judgments.rejects)},
            )
        )
    unlike_labels = {"number_labels", "free_text_labels"}.intersection(one.code for one in judgments.cautions)
    if not unlike_labels and judgments.n_labels > MANY_LABELS and judgments.n_labels > judgments.n_judgments / 10:
        found.append(
            Caution(
                "many_labels",
                f"{judgments.n_labels:,} labels in {judgments.n_judgments:,} judgments are many; check that --label "
                "names the right column",
                {"n_labels": judgments.n_labels},
            )
        )
    if judgments.repeats_by_row_order:
        found.append(
            Caution(
                "repeats_by_row_order",
                "some workers judged an item twice with different labels; without timestamps the order of rows decided "
                "which one counts",
            )
        )
    if judgments.unreadable_times:
        found.append(
            Caution(
                "unreadable_times",
                counted(judgments.unreadable_times, "timestamp")
                + " could not be read and "
                + ("counts as unknown" if judgments.unreadable_times == 1 else "count as unknown")
                + (f", first {judgments.unreadable_time}" if judgments.unreadable_time else "")
                + "; say how times are written (--time-format), or write them in ISO 8601, such as "
                "2025-03-01T09:30:00Z",
                {"n_judgments": judgments.unreadable_times},
            )
        )
    for name, n in judgments.unreadable_amounts.items():
        found.append(
            Caution(
                f"unreadable_{name}s",
                f"{counted(n, name)} could not be read (expected a number, 0 or more, such as 12.5) and "
                f"{'counts' if n == 1 else 'count'} as unknown",
                {"n_judgments": n},
            )
        )
    apart = teams(judgments)
    if apart is not None:
        found.append(other_label_names(judgments, apart))
    if judgments.n_labels == 1:
        found.append(
            Caution("one_label", f"every judgment says {quoted_text(judgments.labels[0])}: there is nothing to decide")
        )
    silent = judgments.per_item == 0
    if votes is not None:
        silent &= votes.per_item == 0
    n_silent = int(silent.sum())
    if n_silent:
        found.append(
            Caution(
                "items_without_judgments",
                counted(n_silent, "item got abstentions only; its", "items got abstentions only; their")
                + " label is a guess",
                {"n_items": n_silent},
            )
        )
    return found


def other_label_names(judgments: Judgments, apart: Teams) -> Caution:
    """Say who calls the labels by other names."""
    told = []
    for team, labels in enumerate(apart.labels[1 : NAMED + 1], 1):
        members = np.flatnonzero(apart.of_worker == team)
        names = ", ".join(judgments.worker_ids.take(members[:NAMED]).to_pylist())
        whose, say = counted(len(members), "worker"), "says" if len(members) == 1 else "say"
        told.append(f"{whose} ({names}{', ...' if len(members) > NAMED else ''}) {say} {listed(labels)}")
    others = int((apart.of_worker == 0).sum())
    return Caution(
        "other_label_names",
        f"{'; '.join(told)}, and never what the {counted(others, 'other says', 'others say')}: "
        f"{listed(apart.labels[0])}; if they mean the "
        "same, say what each is called with --label-map, a file of from and to",
        {"n_workers": int((apart.of_worker > 0).sum()), "n_teams": len(apart.labels)},
    )


def has_second_opinions(judgments: Judgments, models: ModelFindings | None = None) -> bool:
    """Some item was judged by two people, or models: only then can they be held against each other.

    Judgments of a worker who stands for many people are of different ones.
    """
    same_item = judgments.item[1:] == judgments.item[:-1]
    other = judgments.worker[1:] != judgments.worker[:-1]
    if judgments.anonymous:
        other |= ~judgments.is_person[judgments.worker[1:]]
    if np.any(same_item & other):
        return True
    if models is None:
        return False
    votes, judged = models.votes, judgments.per_item > 0
    counts = ~(models.circular[votes.model] & judged[votes.item])
    return bool(np.any(judged + np.bincount(votes.item[counts], minlength=len(judged)) > 1))


def one_judgment_per_item(judgments: Judgments, audited: bool, models: bool = False) -> Caution:
    """Say that nobody judged what another did; nor did ``models``."""
    if models:
        said = (
            "no item has a second opinion, of a person or a model, so nothing tells how good any of them is: each "
            "label is that one opinion, without confidence; have people judge a random sample, or give gold"
        )
    elif judgments.anonymous and not judgments.is_person.any():
        said = "no item was judged twice, and all judgments are anonymous: "
        if audited:
            said += "the gold items tell only how good all workers are together"
        else:
            said += "nothing tells how good the workers are, and labels are the judgments as given, without confidence"
        said += "; collect second judgments, of a random sample at least"
        said += "" if audited else ", or give gold"
    elif audited:
        said = (
            "no item was judged by two workers: only the gold items tell how good a worker is; collect second judgments"
        )
    else:
        said = (
            "no item was judged by two workers, so nothing tells how good a worker is: labels are the judgments as "
            "given, without confidence; collect second judgments or give gold"
        )
    return Caution("one_judgment_per_item", said)


def is_small(judgments: Judgments, apart: NDArray[np.bool_] | None = None) -> bool:
    """Too few judgments to learn the prior of the confusions and rho from; of the workers ``apart`` (W,), if given.

    By their number, or weight: that items of a cluster tell less makes the units few, not the patterns to learn from.
    """
    n_judged, n_judgments = float((judgments.per_item > 0).sum()), float(judgments.n_judgments)
    if apart is not None:
        return n_judged < FEW_ITEMS or judgments.per_worker[apart].sum() < FEW_PER_WORKER * apart.sum()
    if judgments.weight is not None:  # an item of weight 3 is the item three times
        n_judged = max(n_judged, float(judgments.weight[judgments.per_item > 0].sum()))
        n_judgments = max(n_judgments, float(judgments.weight @ judgments.per_item))
    return n_judged < FEW_ITEMS or n_judgments < FEW_PER_WORKER * judgments.n_workers


def small_data(judgments: Judgments) -> Caution:
    """Say that the data is small."""
    per_worker = judgments.n_judgments / judgments.n_workers
    n_judged = int((judgments.per_item > 0).sum())
    return Caution(
        "small_data",
        f"{counted(n_judged, 'item')} and {per_worker:.1f} judgments a worker are too few to learn how the "
        f"workers err (about {FEW_ITEMS} items and {FEW_PER_WORKER} judgments a worker are needed); "
        "unless told otherwise, a fixed prior and a cautious confidence are used",
        {"n_items": n_judged, "judgments_per_worker": per_worker},
    )


def of_gold(gold: AlignedGold | None) -> list[Caution]:
    """Say that nothing was audited, or which gold met no judgment."""
    if gold is None:
        return [
            Caution(
                "unaudited",
                "no gold labels were given: a confidence only tells how far competent workers agree, and nobody has "
                "checked that they are right; give a few dozen items with known labels (--gold) to measure it",
            )
        ]
    if gold.unjudged:
        return [
            Caution(
                "gold_without_judgments",
                counted(
                    len(gold.unjudged),
                    "gold item was never judged, so it checks nobody; see whether both files name items alike",
                    "gold items were never judged, so they check nobody; see whether both files name items alike",
                ),
                {"n_items": len(gold.unjudged)},
            )
        ]
    return []


def questions_of_gold(gold: AlignedGold | None, judgments: Judgments) -> list[Caution]:
    """Say what gold seldom is: known of every item, or of many labels an item."""
    if gold is None:
        return []
    found = []
    n_gold, n_judged = len(gold.items), int((judgments.per_item > 0).sum())
    if n_judged > 1 and int((judgments.per_item[gold.items] > 0).sum()) == n_judged:
        found.append(
            Caution(
                "gold_covers_all",
                f"all {n_judged:,} judged items are gold, so no label is left to find; to score labels against known "
                "ones, run without --gold and use consensus evaluate",
                {"n_items": n_judged},
            )
        )
    mean = float(gold.accepted.sum()) / max(n_gold, 1)
    if mean > MOST_ACCEPTED:
        found.append(
            Caution(
                "gold_accepts_many",
                f"gold accepts {mean:.1f} labels for each item on average, as judgments do; check that the right file "
                "and column were read (--gold-label)",
                {"accepted": mean, "n_items": n_gold},
            )
        )
    return found


def of_fit(problem: Problem, estimate: Estimate, backend: Backend) -> list[Caution]:
    """Cautions about the fit itself."""
    found, judgments = [], problem.judgments
    convergence = estimate.convergence
    if not convergence.converged:
        found.append(
            Caution(
                "not_converged",
                f"stopped after {counted(convergence.iterations, 'pass', 'passes')} without converging; "
                "raise --max-iterations",
                {"iterations": convergence.iterations},
            )
        )
    if not judgments.n_judgments:
        return found
    pooled = normalised(problem.layout.pooled_counts(estimate.counts))
    diagonal = float((estimate.pi * np.diag(pooled)).sum())
    bound = 1.0 / judgments.n_labels + 0.1
    if judgments.n_labels > 1 and diagonal < bound and _say_little(problem, estimate, backend):
        found.append(_near_chance(diagonal, judgments.n_labels))
    if estimate.mixes is not None:
        found.append(group_warnings.different_labels(judgments, estimate.mixes.concentration))
    elif judgments.group is not None:
        found.append(group_warnings.groups_unused(problem))
    if problem.one_label is not None:
        found.append(one_label_workers(judgments, problem.one_label))
    elif problem.units is not None:
        n_silent = len(one_label.of_one_label(judgments, problem.rows, backend)[0])
        found += [one_label_unheard(n_silent)] if n_silent else []
    n_components, largest = components(judgments)
    if n_components > 1:
        found.append(
            Caution(
                "disconnected",
                f"the judgments fall into {n_components:,} groups that share no worker and no item (the largest holds "
                f"{largest:.1%} of the judgments), so only the prior compares workers of different groups; let some "
                "workers judge items of several groups",
                {"n_components": n_components, "largest_share": largest},
            )
        )
    return found


def near_chance(judgments: Judgments, confusions: Confusions, pi: NDArray[np.float64]) -> list[Caution]:
    """Say that answers tell next to nothing, by ``confusions`` that came after the fit and label shares ``pi`` (K,)."""
    K = judgments.n_labels
    pooled = np.bincount(confusions.true * np.int64(K) + confusions.label, weights=confusions.counts, minlength=K * K)
    diagonal = float((pi * np.diag(normalised(pooled.reshape(K, K).astype(np.float64)))).sum())
    if not judgments.n_judgments or K == 1 or diagonal >= 1.0 / K + 0.1:
        return []
    told = float(confusions.informativeness(pi) @ judgments.per_worker) / judgments.n_judgments
    return [] if told >= LEAST_TOLD * float(entropy(pi[None])[0]) else [_near_chance(diagonal, K)]


def _near_chance(diagonal: float, n_labels: int) -> Caution:
    return Caution(
        "near_chance",
        f"the workers' answers tell next to nothing about the labels (right on {diagonal:.0%} by the model): clarify "
        "the question or train the workers",
        {"pooled_accuracy": diagonal, "chance": 1.0 / n_labels},
    )


def one_label_workers(judgments: Judgments, found: OneLabel) -> Caution:
    """Say whose silence counts, and who is not heard."""
    n, n_mute = len(found.worker), len(found.mute)
    names = ", ".join(judgments.worker_ids.take(found.worker[:NAMED]).to_pylist())
    names = f"such as {names}" if n > NAMED else names
    mute = counted(n_mute, "more gives one label", "more give one label")
    mute = f" ({mute} on any item and {'counts' if n_mute == 1 else 'count'} for nothing)"
    return Caution(
        "one_label_workers",
        f"{n:,} of the workers ({names}) {'gives' if n == 1 else 'give'} one label only and "
        f"{'is' if n == 1 else 'are'} silent elsewhere: an answer counts for that label, silence against "
        f"it{mute if n_mute else ''}; have people judge some items on which all of them are silent, or give gold",
        {"n_workers": len(found.worker), "n_unheard": len(found.mute)},
    )


def one_label_unheard(n_workers: int) -> Caution:
    """Say that the silence of workers with one label counts for nothing."""
    return Caution(
        "one_label_unheard",
        f"{counted(n_workers, 'worker gives', 'workers give')} one label only; beside weights or clusters of items "
        "their silence elsewhere counts for nothing; have people judge some items on which all of them are silent",
        {"n_workers": n_workers},
    )


def _say_little(problem: Problem, estimate: Estimate, backend: Backend) -> bool:
    """The mean judgment carries less than LEAST_TOLD of what is to be known: not so for those who lie with skill."""
    found = problem.layout.confusions(estimate, backend)
    activity = problem.rows.per_worker(problem.judgments)
    told = float(found.informativeness(estimate.pi) @ activity) / problem.rows.n_opinions
    return told < LEAST_TOLD * float(entropy(estimate.pi[None])[0])


def components(judgments: Judgments) -> tuple[int, float]:
    """Groups of judgments that share neither worker nor item, and the largest one's share of the judgments."""
    group = np.arange(judgments.n_workers, dtype=np.int32)
    if tallies.join_workers(judgments.item_start, judgments.worker, group) == 1:
        return 1, 1.0
    per_group = np.bincount(group, weights=judgments.per_worker)
    return int((per_group > 0).sum()), float(per_group.max() / max(judgments.n_judgments, 1))
