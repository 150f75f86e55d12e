"""A loop over held-out judgments: how well each tempering strength predicts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.kernels import kernel

if TYPE_CHECKING:
    from consensus.kernels import Codes, Offsets, Reals


@kernel()
def held_out_scores(
    item: Codes, log_held: Reals, log_posterior: Reals, n_judgments: Offsets, rhos: Reals, out_score: Reals
) -> None:
    """Log predictive probability of held-out judgments under each tempering strength.

    ``out_score[h, g]`` (H, G) = log sum_k z~[i, k] P(observed | k), z~ = softmax(log_posterior[i] * tau),
    tau = 1 / (1 + rhos[g] * max(n_judgments[i] - 1, 0)). ``item`` (H,) and ``log_held`` (H, K) belong to the held-out
    judgments, ``log_posterior`` (I, K) peaks at 0 in every row, ``n_judgments`` (I,) counts those not held out.
    """
    n_labels = log_posterior.shape[1]
    for h in range(item.shape[0]):
        i = item[h]
        for g in range(rhos.shape[0]):
            power = 1.0 / (1.0 + rhos[g] * max(n_judgments[i] - 1, 0))
            total = 0.0
            predicted = 0.0
            for k in range(n_labels):
                weight = np.exp(log_posterior[i, k] * power)
                total += weight
                predicted += weight * np.exp(log_held[h, k])
            out_score[h, g] = np.log(predicted / total)
