"""Workers who seem to contradict everybody, but only spell or call the labels otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs.label_notices import no_answers
from consensus.inputs.label_teams import spellings, teams

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

    Positions = NDArray[np.int64]

LEAST = 3  # judgments of others that only a spelling contradicts
MOSTLY = 0.5  # share of a text for no answer in the judgments of a worker, from which it may be why
SHARE = 0.1  # of all that contradict a worker, from which spelling may be why


def excuses(judgments: Judgments, workers: Positions, faulted: Positions | None = None) -> dict[int, str]:
    """Why the labels of some of ``workers`` (n,) may be right, in words: they look like those of others.

    Of the judgments by others on the items of a worker, some give another label. If SHARE of these, and LEAST, give one
    that looks like the label of the worker, nothing can be said before both are one. The same holds for whoever never
    uses a label that the others use, and for who mostly gives a text that looks like no answer.

    Those who are ``faulted`` (m,) for less, such as a bias, are excused where that can only be the others' names: SHARE
    of the judgments by others on their items, and LEAST, are by who calls the labels otherwise.
    """
    found: dict[int, str] = {}
    faulted = np.zeros(0, np.int64) if faulted is None else faulted
    if not len(workers) + len(faulted):
        return found
    for k in no_answers(judgments):
        given = np.bincount(judgments.worker[judgments.label == k], minlength=judgments.n_workers)[workers]
        share = given / judgments.per_worker[workers]
        for w, part in zip(workers.tolist(), share.tolist(), strict=True):
            if part >= MOSTLY:
                text = _quoted(judgments.labels[k])
                found[w] = f"says {text} in {part:.0%}: pass --abstain if that means no answer"
    apart = teams(judgments)
    if apart is not None:
        every = np.concatenate([workers, _beside_other_names(judgments, faulted, apart.of_worker)])
        for w in every[apart.of_worker[every] >= 0].tolist():
            mine = int(apart.of_worker[w])
            theirs = apart.labels[1 if mine == 0 else 0]
            found[w] = f"uses {_named(apart.labels[mine])} where others use {_named(theirs)}: map the names first"
    group = spellings(judgments)
    if len(workers) and len(np.unique(group)) < judgments.n_labels:
        found |= _spelled(judgments, workers, group)
    return found


def _beside_other_names(judgments: Judgments, workers: Positions, team: Positions) -> Positions:
    """Those of ``workers`` on whose items enough judgments of others are by another ``team`` (W,)."""
    kept = []
    for w in workers.tolist():
        _, every = judgments.of_items(np.unique(judgments.item[judgments.worker == w]))
        others = judgments.worker[every][judgments.worker[every] != w]
        n_else = int(((team[others] >= 0) & (team[others] != team[w])).sum())
        if n_else >= max(LEAST, SHARE * len(others)):
            kept.append(w)
    return np.array(kept, np.int64)


def _spelled(judgments: Judgments, workers: Positions, group: Positions) -> dict[int, str]:
    """Who writes labels otherwise than others do on the same items."""
    K = judgments.n_labels
    chosen = np.zeros(judgments.n_workers, np.bool_)
    chosen[workers] = True
    items = np.unique(judgments.item[chosen[judgments.worker]])
    own, every = judgments.of_items(items)
    label, worker = judgments.label[every].astype(np.int64), judgments.worker[every]
    n_same, n_group = _tally(own * K + label), _tally(own * K + group[label])
    n_alike, n_else = n_group - n_same, np.bincount(own)[own] - n_group
    found = {}
    for w in workers.tolist():
        mine = np.flatnonzero(worker == w)
        alike, others = int(n_alike[mine].sum()), int(n_else[mine].sum())
        if alike < LEAST or alike < SHARE * (alike + others):
            continue
        most = int(np.bincount(label[mine], weights=n_alike[mine]).argmax())
        there = np.bincount(own[mine[label[mine] == most]], minlength=len(items)).astype(np.bool_)
        rivals = label[there[own] & (group[label] == group[most]) & (label != most)]
        rival = int(np.bincount(rivals).argmax())
        found[w] = (
            f"uses {_quoted(judgments.labels[most])} where others use {_quoted(judgments.labels[rival])}: fold first"
        )
    return found


def _tally(keys: Positions) -> Positions:
    """(n,) how often each of the keys occurs."""
    _, place, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return np.asarray(counts[place.reshape(-1)], np.int64)


def _named(labels: tuple[str, ...], most: int = 3) -> str:
    told = [_quoted(label) for label in labels[:most]]
    return " and ".join(told) + (f" and {len(labels) - most:,} more" if len(labels) > most else "")


def _quoted(label: str) -> str:
    """Between quotes that CSV need not double, what can't be seen as a code."""
    from consensus.inputs.renaming import visible

    return f"“{visible(label)}”"
