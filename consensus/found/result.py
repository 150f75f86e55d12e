"""What a model found: posteriors, confusions, how the fit ended, and what to beware of."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from consensus.backends import Threads, even_slices, number_of_shards
from consensus.errors import ConfigError
from consensus.inputs import shown
from consensus.inputs.counted import counted
from consensus.kernels import tallies

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

    from consensus.backends import Backend
    from consensus.config import FitConfig
    from consensus.found.calibration import Calibration
    from consensus.found.cautions import Caution
    from consensus.found.confusions import Confusions
    from consensus.found.convergence import Convergence
    from consensus.found.copies import Copies
    from consensus.found.gold_aware import GoldAware
    from consensus.found.gold_reach import Reach
    from consensus.found.posterior import Peaks, Posterior
    from consensus.found.readings import Readings
    from consensus.found.tempering import Tempering
    from consensus.found.terms import Terms
    from consensus.found.units import Units
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelFindings
    from consensus.report.plots import Plots

Columns: TypeAlias = "dict[str, NDArray[Any] | pa.StringArray | pa.ListArray]"
"""Columns of a table by name: texts as Arrow holds them, so that they can be written without a detour."""
BETWEEN = " | "
"""Stands between several texts where a cell can only hold one."""
SOURCES = ("consensus", "gold", "model")


@dataclass(frozen=True, eq=False)  # without slots: peaks are computed when first asked for
class Consensus:
    """Labels with confidence, and the parameters behind them.

    Examples
    --------
    >>> result = consensus.fit(judgments)
    >>> result.labels["label"].tolist()[:3]
    ['cat', 'dog', 'cat']
    >>> result.confusion("ann").shape
    (2, 2)
    """

    judgments: Judgments
    model: str
    """The one that was used, also where the settings name none."""
    beliefs: Posterior
    """P(true label given the judgments), tempered: the one confidence used everywhere."""
    prior_shares: NDArray[np.float64]
    """(K,) share of each true label; sums to 1."""
    confusions: Confusions
    row: NDArray[np.int32]
    """(J,) row of ``confusions`` (a worker and the label they gave) that each judgment counts in."""
    convergence: Convergence
    config: FitConfig
    tempering: Tempering
    """How ``posterior`` is tempered."""
    gold: AlignedGold | None = None
    models: ModelFindings | None = None
    """What models said, and what was learnt about them."""
    terms: Terms | None = None
    """What the posteriors were made of; None where they are shares of votes."""
    one_label: NDArray[np.float64] | None = None
    """(W,) probability that a worker who gives one label only answers where it is true, and is silent elsewhere; NaN of
    workers with several. None where there are none such."""
    units: Units | None = None
    """What items and judgments count for; None where each counts as one."""
    readings: Readings | None = None
    """What several models read, where their posteriors are averaged."""
    chosen_because: str | None = None
    """Why this model was used and not the usual one, where nobody named one."""
    copies: Copies | None = None
    """Workers who copy, where they were looked for."""
    members: Consensus | None = None
    """Where copies count as one: the same labels, and every worker with all judgments, to be rated by them."""
    gold_posterior: NDArray[np.float64] | None = None
    """(G, K) what the posterior of each gold item would be without its gold, tempered like the others.
    Calibrated on gold items of other folds; where nothing is calibrated, its judgments are taken out of the counts."""
    gold_aware: GoldAware | None = None
    """Who seems to know the gold, so that what they say of it is no evidence; None: nobody."""
    calibration: Calibration | None = None
    """How posteriors were calibrated on gold, or why not; None without gold."""
    unaided: Posterior | None = None
    """(I, K) the tempered posteriors of the fit that has not seen gold: gold items and others are alike in it, so that
    what gold says of these holds for the others. None without gold."""
    reach: Reach | None = None
    """What gold speaks for; None where none of it was judged."""
    warnings: tuple[Caution, ...] = ()
    starts: dict[str, float] = field(default_factory=dict)
    """Final objective of each start that was tried, in nats."""

    @property
    def rho(self) -> float:
        """Correlation of judgments on one item by which ``posterior`` is tempered."""
        return self.tempering.rho

    @property
    def identified(self) -> bool:
        """False where every item has one judgment only: then no confidence can be stated."""
        return self.convergence.status != "not_identified"

    @property
    def converged(self) -> bool:
        """The fit met its tolerance."""
        return self.convergence.converged

    @property
    def posterior(self) -> NDArray[np.float64]:
        """(I, K) P(true label given the judgments), tempered; rows sum to 1. 8 I K bytes."""
        return self.beliefs.dense(slice(None))

    @cached_property
    def peaks(self) -> Peaks:
        """The top of each item's posterior."""
        return self.beliefs.peaks(self.backend)

    @cached_property
    def votes(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """(I,) majority label, -1 on a tie or without judgments; (I,) how many different labels were given."""
        judgments = self.judgments
        majority, distinct = (np.empty(judgments.n_items, np.int32) for _ in range(2))

        def shard(part: slice) -> None:
            starts = judgments.item_start[part.start : part.stop + 1]
            tallies.votes(starts, judgments.label, judgments.n_labels, majority[part], distinct[part])

        self.backend.map(shard, even_slices(judgments.item_start, number_of_shards(judgments.n_judgments)))
        return majority, distinct

    @cached_property
    def informativeness(self) -> NDArray[np.float64]:
        """(W,) mutual information of the true label and each worker's answer, in nats per judgment."""
        return self.confusions.informativeness(self.prior_shares)

    @cached_property
    def units_per_worker(self) -> NDArray[np.float64]:
        """(W,) what the judgments of each worker count for together."""
        weights = None if self.units is None else self.units.judgment
        counts = np.bincount(self.judgments.worker, weights, self.judgments.n_workers)
        return np.asarray(counts, np.float64)

    @cached_property
    def backend(self) -> Backend:
        """The threads that tables are made with."""
        return Threads(self.config.threads)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(I,) best posterior of each item; NaN where no confidence can be stated."""
        return self.peaks.confidence if self.identified else np.full(self.judgments.n_items, np.nan)

    @cached_property
    def _source(self) -> NDArray[np.int32]:
        """(I,) position in SOURCES: gold items, and those that models judged and no person."""
        source = np.zeros(self.judgments.n_items, np.int32)
        if self.models is not None:
            source[(self.judgments.per_item == 0) & (self.models.votes.per_item > 0)] = SOURCES.index("model")
        if self.gold is not None:
            source[self.gold.items] = SOURCES.index("gold")
        return source

    @cached_property
    def consensus_label(self) -> NDArray[np.int32]:
        """(I,) most probable label; on a tie the first in label order, or -1 with ``ties="abstain"``."""
        if self.config.ties == "abstain":
            return np.where(self.peaks.tied, np.int32(-1), self.peaks.best)
        return self.peaks.best

    @property
    def plot(self) -> Plots:
        """Charts: ``result.plot.workers()`` and more; they need the extra ``report``."""
        from consensus.report.plots import Plots

        return Plots(self)

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
        return self.label_rows(slice(None))

    def label_rows(self, rows: slice) -> pd.DataFrame:
        """Some rows of ``labels``."""
        import pandas as pd

        n_judged = self.judgments.n_items
        judged = self.labels_of(slice(rows.start, rows.stop))
        if self.gold is None or not self.gold.unjudged or (rows.stop is not None and rows.stop <= n_judged):
            return judged
        last = slice(max((rows.start or 0) - n_judged, 0), None if rows.stop is None else rows.stop - n_judged)
        return pd.concat([judged, self._unjudged_labels().iloc[last]], ignore_index=True)

    def _unjudged_labels(self) -> pd.DataFrame:
        """The rows of ``labels`` for the gold items that nobody judged."""
        import pandas as pd

        assert self.gold is not None
        like = self.labels_of(slice(0, 0))
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
        )
        return unjudged.reindex(columns=like.columns).astype(like.dtypes.to_dict())

    def labels_of(self, items: slice | NDArray[np.int64]) -> pd.DataFrame:
        """The rows of ``labels`` for some of the judged items."""
        return framed(self.label_columns(items))

    def label_columns(self, items: slice | NDArray[np.int64]) -> Columns:
        """The columns of ``labels`` for some of the judged items."""
        told = self.told_columns(items)
        n = len(told["confidence"])
        return {
            "item": told["item"],
            "label": told["label"],
            "confidence": told["confidence"],
            "margin": self._known(self.peaks.margin, items),
            "entropy": self._known(self.peaks.entropy, items),
            "runner_up": told["runner_up"],
            "n_judgments": told["n_judgments"],
            "n_model_votes": np.zeros(n, np.int64) if self.models is None else self.models.votes.per_item[items],
            "majority_label": named(self.votes[0][items], self.judgments.labels),
            "source": named(self._source[items], SOURCES),
        }

    def told_columns(self, items: slice | NDArray[np.int64]) -> Columns:
        """Those that are told wherever an item is listed: its id, labels, confidence, and how many judged it."""
        import pyarrow as pa

        judgments, ids, best = self.judgments, self.judgments.item_ids, self.consensus_label[items]
        runner_up = np.where(best < 0, np.int32(-1), self.peaks.runner_up[items])
        return {
            "item": ids[items] if isinstance(items, slice) else ids.take(pa.array(items)),
            "label": named(best, judgments.labels),
            "confidence": self._known(self.peaks.confidence, items),
            "runner_up": named(runner_up, judgments.labels),
            "n_judgments": judgments.per_item[items],
        }

    def _known(self, numbers: NDArray[np.float64], items: slice | NDArray[np.int64]) -> NDArray[np.float64]:
        """Those of some items; NaN where no confidence can be stated."""
        found = numbers[items]
        return found if self.identified else np.full(len(found), np.nan)

    @property
    def posteriors(self) -> pd.DataFrame:
        """One row an item: item, then the probability of each label in a column of its name; missing where no
        confidence can be stated.
        """  # noqa: D205
        return self.posteriors_of(slice(None))

    def posteriors_of(self, items: slice) -> pd.DataFrame:
        """Some rows of ``posteriors``."""
        import pandas as pd

        known = self.beliefs.dense(items)
        if not self.identified:
            known = np.full_like(known, np.nan)
        table = pd.DataFrame(known, columns=list(self.judgments.labels))
        table.insert(0, "item", as_text(self.judgments.item_ids[items]), allow_duplicates=True)
        return table

    def confusion(self, worker: str) -> pd.DataFrame:
        """Confusion matrix of one worker: P(observed label, in columns | true label, in rows).

        Raises
        ------
        ConfigError
            No such worker.
        """
        import pandas as pd

        code = self.judgments.worker_ids.index(worker).as_py()
        if code < 0:
            among = counted(self.judgments.n_workers, "worker")
            raise ConfigError(f'no worker "{worker}" among the {among}', code="unknown_name")
        true, observed = (pd.Index(self.judgments.labels, name=name) for name in ("true_label", "label"))
        return pd.DataFrame(self.confusions.matrix(code), index=true, columns=observed)

    def settings(self) -> dict[str, Any]:
        """The settings that shaped the result (not threads and memory, which never do), but for its ``model``."""
        return self.config.model_dump(mode="json", exclude={"threads", "memory", "model"})

    def __len__(self) -> int:
        return self.judgments.n_items + (0 if self.gold is None else len(self.gold.unjudged))

    def __repr__(self) -> str:
        return shown.line("Consensus", self._in_short(), None, [one.code for one in self.warnings])

    def _in_short(self) -> str:
        items, passes = counted(len(self), "item"), counted(self.convergence.iterations, "pass", "passes")
        return f"{self.model}: {items}, {self.convergence.status} after {passes}"

    def _repr_html_(self) -> str:
        rows = [("fit", self._in_short()), ("workers", self.judgments.n_workers), ("rho", f"{self.rho:.3g}")]
        return shown.card("Consensus", rows, map(str, self.warnings))

    def to_pandas(self) -> pd.DataFrame:
        """The ``labels``: one row an item."""
        return self.labels

    def __getstate__(self) -> dict[str, Any]:
        """Without threads: they are those of the process that made them."""
        return {name: one for name, one in self.__dict__.items() if name != "backend"}


def as_text(ids: pa.StringArray) -> pd.Series[str]:
    """Ids as a pandas column of text."""
    import pandas as pd

    return pd.Series(ids.to_pandas(), dtype="str")


def decoded(codes: NDArray[np.int32], names: Sequence[str]) -> pd.Series[str]:
    """Codes as a pandas column of names; -1 is missing."""
    return as_text(named(codes, names))


def named(codes: NDArray[np.int32], names: Sequence[str]) -> pa.StringArray:
    """Codes as names; -1 is null."""
    import pyarrow as pa

    return pa.array(names, pa.string()).take(pa.array(codes, mask=codes < 0))


def people_only(columns: Columns, is_person: NDArray[np.bool_]) -> Columns:
    """The rows (n,) of a table that are about one person; ``columns`` as they are if all are."""
    import pyarrow as pa

    if is_person.all():
        return columns
    mask = pa.array(is_person)
    return {
        name: column[is_person] if isinstance(column, np.ndarray) else column.filter(mask)
        for name, column in columns.items()
    }


def framed(columns: Columns) -> pd.DataFrame:
    """Columns as a pandas table; lists of texts as one text."""
    import pandas as pd

    return pd.DataFrame(
        {
            name: column if isinstance(column, np.ndarray) else as_text(joined(column))
            for name, column in columns.items()
        }
    )


def joined(column: pa.Array) -> pa.Array:
    """Lists of texts as texts, with ``BETWEEN`` between them; anything else as it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.binary_join(column, BETWEEN) if pa.types.is_list(column.type) else column
