"""Units of the items and judgments of clusters, counted label by label (``models.label_units``).

``q`` (I, K) is how far each item has each label. All write the units of the clusters of a shard, and no others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Reals
    from consensus.kernels.weighted_em import Clustered


@kernel()
def of_items(clustered: Clustered, q: Reals, n_eff: float, out_item: Reals) -> None:
    """``out_item`` (I,), each by its cluster."""
    _, _, item, start, weight = clustered
    n_labels, weighed = q.shape[1], weight.shape[0] > 0
    n, share = np.empty(n_labels), np.empty(n_labels)
    for g in range(start.shape[0] - 1):
        n[:] = 0.0
        for entry in range(start[g], start[g + 1]):
            i = item[entry]
            each = weight[i] if weighed else 1.0
            for k in range(n_labels):
                n[k] += each * q[i, k]
        for k in range(n_labels):
            share[k] = 1.0 / (1.0 + max(n[k] - 1.0, 0.0) / n_eff)
        for entry in range(start[g], start[g + 1]):
            i = item[entry]
            each, total = weight[i] if weighed else 1.0, 0.0
            for k in range(n_labels):
                total += q[i, k] * share[k]
            out_item[i] = each * total


@kernel()
def of_judgments(clustered: Clustered, q: Reals, n_eff: float, n: Reals, out_judgment: Reals) -> None:
    """``out_judgment`` (J,), each by what its own worker judged of the cluster; ``n`` (W, K) is room, of zeros."""
    item_start, worker, item, start, weight = clustered
    n_labels, weighed = q.shape[1], weight.shape[0] > 0
    met, seen = np.empty(n.shape[0], np.int32), np.zeros(n.shape[0], np.bool_)
    for g in range(start.shape[0] - 1):
        n_met = 0
        for entry in range(start[g], start[g + 1]):
            i = item[entry]
            each = weight[i] if weighed else 1.0
            for j in range(item_start[i], item_start[i + 1]):
                w = worker[j]
                if not seen[w]:
                    seen[w] = True
                    met[n_met] = w
                    n_met += 1
                for k in range(n_labels):
                    n[w, k] += each * q[i, k]
        for entry in range(n_met):
            for k in range(n_labels):
                n[met[entry], k] = 1.0 / (1.0 + max(n[met[entry], k] - 1.0, 0.0) / n_eff)
        for entry in range(start[g], start[g + 1]):
            i = item[entry]
            each = weight[i] if weighed else 1.0
            for j in range(item_start[i], item_start[i + 1]):
                total = 0.0
                for k in range(n_labels):
                    total += q[i, k] * n[worker[j], k]
                out_judgment[j] = each * total
        for entry in range(n_met):
            n[met[entry], :] = 0.0
            seen[met[entry]] = False
