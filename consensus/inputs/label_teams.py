"""Workers who never use the labels that others use: the same answers, perhaps, by other names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.inputs import look_alikes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments

    Positions = NDArray[np.int64]

SLIPS = 0.05  # share of the judgments of a worker below which a label is a slip, and no label that they use
LEAST_LABELS = 2  # of a team: who gives one label only may be a rule, and calls nothing by another name
LEAST_JUDGMENTS = 20  # of a team: by chance, so many hardly ever miss all labels of the others
ENOUGH = 1_000_000  # judgments that are looked at: of more, every second, third ...
MOST_CELLS = 20_000_000  # of workers and labels that are counted in a table
MOST_LABELS = 1_000  # of which there may be teams; more are no label set


@dataclass(frozen=True, slots=True, eq=False)
class Teams:
    """Workers in teams, no two of which share a label; the one with the most judgments first."""

    of_worker: NDArray[np.int64]
    """(W,) team of each worker, -1 of who is in none."""
    labels: tuple[tuple[str, ...], ...]
    """What each team says."""


def teams(judgments: Judgments) -> Teams | None:
    """Teams of workers who use different labels; None where all share some. Look-alike labels count as one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    K, W = judgments.n_labels, judgments.n_workers
    if not 2 * LEAST_LABELS <= K <= MOST_LABELS:
        return None
    group = spellings(judgments)
    some = slice(None, None, max(judgments.n_judgments // ENOUGH, 1))
    pair = judgments.worker[some].astype(np.int64) * K
    pair += group[judgments.label[some]]
    pairs, n = np.unique(pair, return_counts=True) if W * K > MOST_CELLS else _tally(pair, W * K)
    worker, label = np.divmod(pairs, K)
    used = n >= SLIPS * np.bincount(worker, weights=n, minlength=W)[worker]
    worker, label, n = worker[used], label[used], n[used]
    links = coo_array((np.ones(len(worker)), (worker, W + label)), shape=(W + K, W + K))
    team = connected_components(links, directed=False)[1]
    n_labels = np.bincount(team[W + np.unique(label)], minlength=W + K)
    n_judgments = np.bincount(team[worker], weights=n, minlength=W + K)
    large = np.flatnonzero((n_labels >= LEAST_LABELS) & (n_judgments >= LEAST_JUDGMENTS))
    if len(large) < 2:
        return None
    large = large[np.argsort(-n_judgments[large], kind="stable")]
    place = np.full(W + K, -1)
    place[large] = np.arange(len(large))
    said = place[team[W + group]]
    labels = (tuple(judgments.labels[k] for k in np.flatnonzero(said == t).tolist()) for t in range(len(large)))
    return Teams(place[team[:W]], tuple(labels))


def _tally(codes: Positions, n_codes: int) -> tuple[Positions, Positions]:
    """The codes that occur, and how often each."""
    counts = np.bincount(codes, minlength=n_codes)
    found = np.flatnonzero(counts)
    return found, counts[found]


def spellings(judgments: Judgments) -> NDArray[np.int64]:
    """(K,) group of each label: look-alike labels are in one."""
    import pyarrow as pa

    found = look_alikes.alike(pa.array(judgments.labels, pa.string()), is_label=True)
    return np.arange(judgments.n_labels) if found is None else found
