"""``result.plot``: the charts of the report, one by one, to show in a notebook or to save as PNG or SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from consensus import escalation, worker_audit
from consensus.config import EscalateConfig
from consensus.errors import ConfigError
from consensus.report import charts, page_data
from consensus.report.page_data.plain_records import plain
from consensus.worker_audit import WorkerAudit

if TYPE_CHECKING:
    from consensus.config import AuditConfig
    from consensus.found.result import Consensus
    from consensus.report.charts import Chart


class Plots:
    """Charts of a result, as Altair charts: ``result.plot.workers().save("workers.png")`` needs no network.

    Raises
    ------
    OutputError
        The extra ``report`` is not installed.
    """

    def __init__(
        self, result: Consensus, rule: EscalateConfig | None = None, rating: AuditConfig | None = None
    ) -> None:
        charts.check()
        self._result = result
        self._rule = rule
        self._rating = rating

    def labels(self) -> Chart:
        """Which labels the items got (bars), and the shares that the model estimates (ticks)."""
        return charts.label_shares(page_data.label_records(self._result, {}))

    def confidences(self, config: EscalateConfig | None = None, **settings: Any) -> Chart:
        """How many items have which confidence, by status.

        Parameters
        ----------
        config, **settings
            When an item is accepted: an ``EscalateConfig`` or its fields, such as ``target=0.99``.
        """
        found = escalation.planned(self._result, EscalateConfig.of(config or self._rule, **settings), suggest=False)
        return charts.confidences(page_data.confidence_records(self._result, found.status(self._result)))

    def reliability(self) -> Chart:
        """The share of gold items that is right without their gold, against the confidence, in ten bins.

        Raises
        ------
        ConfigError
            The fit knows no gold.
        """
        rows = page_data.reliability_records(self._result)
        if not rows:
            raise ConfigError("reliability: no gold to hold confidences against; fit with gold=")
        return charts.reliability(rows)

    def workers(self, config: AuditConfig | None = None, **settings: Any) -> Chart:
        """Accuracy with its 95 % interval against volume, by verdict; of very many, those in question and the busy.

        Parameters
        ----------
        config, **settings
            When a worker gets which verdict: an ``AuditConfig`` or its fields, such as ``min_worker_judgments=30``.
        """
        columns = worker_audit.worker_columns(WorkerAudit.of(self._result, config or self._rating, **settings))
        people = page_data.worker_records(columns, page_data.chosen_workers(columns))
        return charts.workers(page_data.worker_points(people))

    def confusion(self, worker: str) -> Chart:
        """The confusion matrix of a worker; of very many labels, the forty that they met most.

        Raises
        ------
        ConfigError
            No such worker.
        """
        result = self._result
        self._result.confusion(worker)  # refuses one who is not there
        code = result.judgments.worker_ids.index(worker).as_py()
        counts, P = result.confusions.dense_counts(code, code + 1)[0], result.confusions.matrix(code)
        seen = counts.sum(axis=0) + counts.sum(axis=1)
        shown = np.sort(np.argsort(-seen, kind="stable")[: charts.MOST_BARS]).tolist()
        labels = result.judgments.labels
        return charts.confusion(
            [
                {
                    "true_label": labels[k],
                    "label": labels[o],
                    "probability": plain(float(P[k, o])),
                    "count": plain(float(counts[k, o])),
                }
                for k in shown
                for o in shown
            ],
            [labels[k] for k in shown],
        )

    def calibration(self) -> Chart:
        """How far the probabilities of each model are from the share that is right, as stated and as calibrated.

        Raises
        ------
        ConfigError
            No model stated probabilities, or none was met by people often enough to tell.
        """
        rows = [one for one in page_data.model_records(WorkerAudit(self._result))[0] if one["ece"] is not None]
        if not rows:
            raise ConfigError("calibration: no model whose probabilities people could check; fit with model_votes=")
        return charts.calibration(rows)

    def drift(self) -> Chart:
        """Accuracy over time of the workers who changed.

        Raises
        ------
        ConfigError
            Nobody did, or there are no timestamps (nor ``drift_by="rows"``).
        """
        _, lines = page_data.drift_records(WorkerAudit(self._result))
        if not lines:
            raise ConfigError("drift: nobody changed, or the judgments have no timestamps")
        return charts.drift(lines)

    def budget(self, config: EscalateConfig | None = None, **settings: Any) -> Chart:
        """Expected accuracy of the labels without gold against the number of more judgments.

        Parameters
        ----------
        config, **settings
            When an item is accepted: an ``EscalateConfig`` or its fields, such as ``max_judgments=5``.

        Raises
        ------
        ConfigError
            No item can be settled by more judgments.
        """
        rule = EscalateConfig.of(config or self._rule, **settings)
        found = escalation.planned(self._result, rule, suggest=False)
        rows = page_data.budget_records(self._result, found, rule)
        if not rows:
            raise ConfigError("budget: no item waits for judgments")
        return charts.budget(rows)
