"""Whether a change of a worker is one of their own, or one of the items that they got."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.found.result import Consensus
    from consensus.worker_audit.over_time.timelines import Timelines

    Flags = NDArray[np.bool_]
    Offsets = NDArray[np.int64]
    Reals = NDArray[np.float64]

SURE = 2.576  # deviations that a change must have among items of the same label: 99 %, two-sided


def staying(result: Consensus, lines: Timelines, right: Reals, changed: Flags, n_before: Offsets) -> Flags:
    """Those of the workers who ``changed`` (W,) whose change stays where only items of the same label are compared.

    Items sorted by label, and a worker who takes one label for another, else look like a change. The differences within
    the labels of the consensus are put together as by Mantel & Haenszel (1959), for ``right`` (J,) in [0, 1].
    """
    stays = np.zeros_like(changed)
    for w in np.flatnonzero(changed).tolist():
        first = int(lines.first[w])
        at = lines.judgment[first : first + int(lines.n_timed[w])]
        late = np.arange(len(at)) >= n_before[w]
        r, label = right[at], result.peaks.best[result.judgments.item[at]]
        gain = variance = 0.0
        for k in np.unique(label):
            same = label == k
            n_early, n_late = int((same & ~late).sum()), int((same & late).sum())
            if n_early and n_late:
                weight = n_early * n_late / (n_early + n_late)
                gain += weight * float(r[same & late].mean() - r[same & ~late].mean())
                variance += weight * float(r[same].mean() * (1.0 - r[same].mean()))
        direction = np.sign(r[late].mean() - r[~late].mean())
        stays[w] = gain * direction > SURE * np.sqrt(variance)
    return stays
