"""What a model found: posteriors, confusions, how the fit ended, and what to beware of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from consensus.kernels import tallies

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.config import FitConfig
    from consensus.judgments import AlignedGold, Judgments

TIE = 1e-12  # labels whose probabilities differ by less are tied

Status = Literal["converged", "iteration_limit", "not_iterative", "not_identified"]


@dataclass(frozen=True, slots=True)
class Warning:
    """Something the user should know before trusting the result."""

    code: str
    """Stable name, such as ``switch_risk``."""
    message: str
    """One sentence or two: the fact, and what to do."""
    values: dict[str, float] = field(default_factory=dict)
    """The numbers behind it."""


@dataclass(frozen=True, slots=True)
class Convergence:
    """How the fit ended."""

    status: Status
    iterations: int
    objective: tuple[float, ...]
    """After each pass, in nats; never falls from pass ``frozen_at`` on."""
    frozen_at: int = 0
    """The first pass (counted from 0) at which the prior of the confusions no longer moved."""

    @property
    def converged(self) -> bool:
        """The tolerance was met; false at the iteration limit."""
        return self.status in {"converged", "not_iterative"}


@dataclass(frozen=True, slots=True, eq=False)
class Confusions:
    """Every worker's confusion matrix, stored by observed row.

    A judgment touches only the row (worker, observed label), and at most J of those exist, where a dense (W, K, K)
    table may not fit. C[w, k, l] = (N[w, k, l] + A[k, l]) / (n[w, k] + A[k, .]): the
    mean of its Dirichlet posterior. Rows over l sum to 1.
    """

    row_worker: NDArray[np.int32]
    """(R,) worker of each row; rows are sorted by worker, then label."""
    row_label: NDArray[np.int32]
    """(R,) observed label of each row."""
    counts: NDArray[np.float64]
    """(R, K) expected judgments N of each row by true label."""
    pseudo_counts: NDArray[np.float64]
    """(K, K) prior pseudo-judgments A[true, observed]."""
    n_workers: int

    @property
    def n_labels(self) -> int:
        """K."""
        return len(self.pseudo_counts)

    def matrix(self, worker: int) -> NDArray[np.float64]:
        """C[true, observed] (K, K) of one worker; rows sum to 1."""
        (one,) = self.dense(worker, worker + 1)
        return np.asarray(one, np.float64)

    def informativeness(self, prior: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mutual information (W,), in nats, of the true label, distributed as ``prior`` (K,), and the worker's answer.

        0 for a spammer; log K at most.
        """
        found = np.empty(self.n_workers)
        chunk = max(1, 10_000_000 // self.n_labels**2)
        for begin in range(0, self.n_workers, chunk):
            C = self.dense(begin, begin + chunk)
            answers = np.einsum("k,wkl->wl", prior, C)
            ratio = np.divide(C, answers[:, None, :], out=np.ones_like(C), where=C > 0)
            found[begin : begin + chunk] = np.einsum("k,wkl,wkl->w", prior, C, np.log(ratio))
        return np.maximum(found, 0.0)

    def dense(self, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """C[w, true, observed] (W, K, K) of the workers ``first`` to ``last``, all by default: 8 W K^2 bytes."""
        return normalised(self.dense_counts(first, last) + self.pseudo_counts)

    def dense_counts(self, first: int = 0, last: int | None = None) -> NDArray[np.float64]:
        """N[w, true, observed] (W, K, K) of the workers ``first`` to ``last``, all by default."""
        last = self.n_workers if last is None else min(last, self.n_workers)
        begin, end = np.searchsorted(self.row_worker, [first, last])
        table = np.zeros((last - first, self.n_labels, self.n_labels))
        table[self.row_worker[begin:end] - first, :, self.row_label[begin:end]] = self.counts[begin:end]
        return table


@dataclass(frozen=True, slots=True, eq=False)
class Consensus:
    """Labels with confidence, and the parameters behind them."""

    judgments: Judgments
    model: str
    posterior: NDArray[np.float64]
    """(I, K) P(true label given the judgments), tempered: the one confidence used everywhere. Rows sum to 1."""
    prior_shares: NDArray[np.float64]
    """(K,) share of each true label; sums to 1."""
    confusions: Confusions
    convergence: Convergence
    config: FitConfig
    rho: float
    """Correlation of judgments on one item by which ``posterior`` is tempered."""
    gold: AlignedGold | None = None
    gold_posterior: NDArray[np.float64] | None = None
    """(G, K) what the posterior of each gold item would be without its gold, its judgments taken out of the counts."""
    warnings: tuple[Warning, ...] = ()
    starts: dict[str, float] = field(default_factory=dict)
    """Final objective of each start that was tried, in nats."""

    @property
    def identified(self) -> bool:
        """False where every item has one judgment only: then no confidence can be stated."""
        return self.convergence.status != "not_identified"

    @property
    def converged(self) -> bool:
        """The fit met its tolerance."""
        return self.convergence.converged

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(I,) best posterior of each item; NaN where no confidence can be stated."""
        return self.posterior.max(axis=1) if self.identified else np.full(len(self.posterior), np.nan)

    @property
    def consensus_label(self) -> NDArray[np.int32]:
        """(I,) most probable label; on a tie the first in label order, or -1 with ``ties="abstain"``."""
        return best_label(self.posterior, self.config.ties == "abstain")

    @property
    def prior(self) -> pd.Series[float]:
        """Share of each true label, by label."""
        import pandas as pd

        return pd.Series(self.prior_shares, index=pd.Index(self.judgments.labels, name="label"), name="prior")

    @property
    def labels(self) -> pd.DataFrame:
        """One row an item: item, label, confidence, margin, entropy, runner_up, n_judgments, n_model_votes,
        majority_label, source.

        ``label`` and ``majority_label`` are missing where a tie is left open; ``confidence``, ``margin`` and
        ``entropy`` (nats) where no confidence can be stated. Gold items that nobody judged come last.
        """  # noqa: D205
        import pandas as pd

        judged = pd.DataFrame(self._judged_labels())
        if self.gold is None or not self.gold.unjudged:
            return judged
        unjudged = pd.DataFrame(
            {
                "item": list(self.gold.unjudged),
                "label": [min(accepted, key=self.judgments.labels.index) for accepted in self.gold.unjudged.values()],
                "confidence": 1.0,
                "margin": 1.0,
                "entropy": 0.0,
                "n_judgments": 0,
                "n_model_votes": 0,
                "source": "gold",
            }
        ).astype({name: judged[name].dtype for name in ("item", "label", "source")})
        return pd.concat([judged, unjudged.reindex(columns=judged.columns)], ignore_index=True).astype(
            judged.dtypes.to_dict()
        )

    def _judged_labels(self) -> dict[str, object]:
        judgments = self.judgments
        n_items, n_labels = self.posterior.shape
        best = self.consensus_label
        runner_up = np.full(n_items, -1, np.int32)
        second = np.zeros(n_items)
        if n_labels > 1:
            rest = self.posterior.copy()
            rest[np.arange(n_items), self.posterior.argmax(axis=1)] = -1.0
            second = rest.max(axis=1)
            runner_up = rest.argmax(axis=1).astype(np.int32)
            runner_up[best < 0] = -1
        votes = np.zeros((n_items, n_labels))
        tallies.label_counts(judgments.item_start, judgments.label, votes)
        majority = best_label(votes, abstain_on_ties=True)
        source = np.zeros(n_items, np.int32)
        if self.gold is not None:
            source[self.gold.items] = 1
        confidence = self.confidence
        return {
            "item": as_text(judgments.item_ids),
            "label": decoded(best, judgments.labels),
            "confidence": confidence,
            "margin": np.where(np.isnan(confidence), np.nan, confidence - second),
            "entropy": np.where(np.isnan(confidence), np.nan, entropy(self.posterior)),
            "runner_up": decoded(runner_up, judgments.labels),
            "n_judgments": judgments.per_item,
            "n_model_votes": np.zeros(n_items, np.int64),
            "majority_label": decoded(majority, judgments.labels),
            "source": decoded(source, ("consensus", "gold")),
        }

    @property
    def posteriors(self) -> pd.DataFrame:
        """One row an item: item, then the probability of each label in a column of its name; missing where no
        confidence can be stated.
        """  # noqa: D205
        import pandas as pd

        known = self.posterior if self.identified else np.full_like(self.posterior, np.nan)
        table = pd.DataFrame(known, columns=list(self.judgments.labels))
        table.insert(0, "item", as_text(self.judgments.item_ids), allow_duplicates=True)
        return table

    def confusion(self, worker: str) -> pd.DataFrame:
        """Confusion matrix of one worker: P(observed label, in columns | true label, in rows).

        Raises
        ------
        KeyError
            No such worker.
        """
        import pandas as pd

        code = self.judgments.worker_ids.index(worker).as_py()
        if code < 0:
            raise KeyError(f'no worker "{worker}" among the {self.judgments.n_workers:,} workers')
        labels = self.judgments.labels
        return pd.DataFrame(
            self.confusions.matrix(code),
            index=pd.Index(labels, name="true_label"),
            columns=pd.Index(labels, name="label"),
        )

    def settings(self) -> dict[str, Any]:
        """The settings that shaped the result (not the threads, which never do)."""
        return self.config.model_dump(mode="json", exclude={"threads"})

    def __repr__(self) -> str:
        return (
            f"Consensus({self.model}: {self.judgments.n_items:,} items, {self.convergence.status} "
            f"after {self.convergence.iterations} passes, {len(self.warnings)} warnings)"
        )


def normalised(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows (over the last axis) scaled to sum to 1; uniform where they are all zero."""
    totals = table.sum(axis=-1, keepdims=True)
    uniform = np.full_like(table, 1.0 / table.shape[-1])
    np.divide(table, totals, out=uniform, where=totals > 0)
    return uniform


def best_label(posterior: NDArray[np.float64], abstain_on_ties: bool) -> NDArray[np.int32]:
    """(I,) the most probable label of each row; ties go to the first in label order, or become -1."""
    peak = posterior.max(axis=1, keepdims=True)
    tied = posterior >= peak - TIE
    best: NDArray[np.int32] = tied.argmax(axis=1).astype(np.int32)
    if abstain_on_ties:
        best[tied.sum(axis=1) > 1] = -1
    return best


def entropy(posterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """(I,) entropy of each row in nats."""
    logs = np.log(posterior, out=np.zeros_like(posterior), where=posterior > 0)
    found: NDArray[np.float64] = np.maximum(-np.einsum("ik,ik->i", posterior, logs), 0.0)
    return found


def as_text(ids: pa.StringArray) -> pd.Series[str]:
    """Ids as a pandas column of text."""
    import pandas as pd

    return pd.Series(ids.to_pandas(), dtype="str")


def decoded(codes: NDArray[np.int32], names: Sequence[str]) -> pd.Series[str]:
    """Codes as a pandas column of names; -1 is missing."""
    import pyarrow as pa

    taken = pa.array(names, pa.string()).take(pa.array(codes, mask=codes < 0))
    return as_text(taken)
