"""What the report and the charts show, as plain records: numbers that were computed elsewhere, chosen and rounded.

Records are lists of dictionaries of text, numbers and None (never NaN), so that they can go into JSON as they are.
"""

from consensus.report.page_data.about_costs import target_records, waste_records
from consensus.report.page_data.about_escalations import budget_records, reason_records, top_records
from consensus.report.page_data.about_items import MOST_ITEMS, disputed_records, item_facts, majority_records
from consensus.report.page_data.about_labels import confidence_records, label_records, reliability_records
from consensus.report.page_data.about_models import model_records
from consensus.report.page_data.about_workers import (
    MOST_CELLS,
    MOST_EVIDENCE,
    MOST_POINTS,
    MOST_WORKERS,
    WORST_FIRST,
    accuracies,
    chosen_workers,
    confusion_records,
    copying_records,
    drift_records,
    evidence_records,
    most_in_question,
    n_changed,
    n_people,
    some_points,
    worker_points,
    worker_records,
)
from consensus.report.page_data.decisions import confused_pairs, decision_records, n_suspect

__all__ = [
    "MOST_CELLS",
    "MOST_EVIDENCE",
    "MOST_ITEMS",
    "MOST_POINTS",
    "MOST_WORKERS",
    "WORST_FIRST",
    "accuracies",
    "budget_records",
    "chosen_workers",
    "confidence_records",
    "confused_pairs",
    "confusion_records",
    "copying_records",
    "decision_records",
    "disputed_records",
    "drift_records",
    "evidence_records",
    "item_facts",
    "label_records",
    "majority_records",
    "model_records",
    "most_in_question",
    "n_changed",
    "n_people",
    "n_suspect",
    "reason_records",
    "reliability_records",
    "some_points",
    "target_records",
    "top_records",
    "waste_records",
    "worker_points",
    "worker_records",
]
