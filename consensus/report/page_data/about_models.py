"""About the models: what each is worth, and whether its probabilities mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consensus.report.page_data.plain_records import records
from consensus.votes_audit import models_table

if TYPE_CHECKING:
    from consensus.worker_audit import WorkerAudit

    Records = list[dict[str, Any]]


def model_records(audit: WorkerAudit) -> tuple[Records, Records]:
    """The rows of models.csv that are about a whole model, and those about a family."""
    if audit.result.models is None:
        return [], []
    columns = models_table.table(audit)
    table = records(columns, columns)
    return [one for one in table if one["model"] and one["label"] is None], [one for one in table if not one["model"]]
