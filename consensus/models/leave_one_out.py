"""Counts of a fitted model in which no judgment vouches for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus import kernels
from consensus.backends import Threads
from consensus.models.expectation_maximisation import expect, log_confusions
from consensus.models.rows import Rows

if TYPE_CHECKING:
    from consensus.backends import Backend
    from consensus.result import Confusions, Consensus


def confusions(result: Consensus, backend: Backend | None = None) -> Confusions:
    """The confusions of ``result``, each judgment counted against what the *other* judgments of its item say.

    A judgment raises the posterior of its own label, so that counts against the posterior flatter every worker. Its
    own term is divided out of the posterior (no refit). A majority vote keeps its counts: it has no such term.
    """
    if result.model == "majority_vote":
        return result.confusions
    backend = backend or Threads(result.config.threads)
    rows = Rows.of(result.judgments, backend)
    found = result.confusions
    log_rows = log_confusions(rows, found.counts, rows.worker_totals(found.counts), found.pseudo_counts)
    posterior = np.empty_like(result.posterior)
    log_priors, prior_row = result.log_priors()
    expect(rows, log_rows, log_priors, prior_row, posterior, np.empty(rows.n_items), backend)
    counts = np.empty_like(found.counts)

    def shard(part: slice) -> None:
        kernels.expected_counts_without_own(
            rows.row_start[part.start : part.stop + 1], rows.row_item, posterior, log_rows[part], counts[part]
        )

    backend.map(shard, rows.row_shards)
    return replace(found, counts=counts)
