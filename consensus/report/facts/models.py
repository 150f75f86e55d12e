"""About the models: what each is worth, and whether its probabilities mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consensus import model_tables
from consensus.report.facts.records import records

if TYPE_CHECKING:
    from consensus.result import Consensus

    Records = list[dict[str, Any]]


def model_records(result: Consensus) -> tuple[Records, Records]:
    """The rows of models.csv that are about a whole model, and those about a family."""
    if result.models is None:
        return [], []
    columns = model_tables.table(result)
    table = records(columns, columns)
    return [one for one in table if one["model"] and one["label"] is None], [one for one in table if not one["model"]]
