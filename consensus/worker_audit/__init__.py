"""Rating workers: how accurate, how useful, in which way wrong; each with an interval and the evidence."""

from consensus.worker_audit.accuracy.confusion_table import ConfusionCells, accuracy_by_label, confusions
from consensus.worker_audit.accuracy.evidence_table import evidence, evidence_columns
from consensus.worker_audit.accuracy.verdicts import VERDICTS
from consensus.worker_audit.accuracy.workers_table import audit, verdict_counts, worker_columns
from consensus.worker_audit.audit_of_result import WorkerAudit
from consensus.worker_audit.copying.copying_groups import groups
from consensus.worker_audit.copying.copying_table import copies, copies_columns
from consensus.worker_audit.copying.groups_as_one import fit_without_copies
from consensus.worker_audit.copying.merged_judgments import merged
from consensus.worker_audit.on_gold.forgiving import forgive, forgiven_columns
from consensus.worker_audit.on_gold.gold_health import gold, gold_columns, suspect_gold
from consensus.worker_audit.on_gold.new_gold import proposal_columns, proposals
from consensus.worker_audit.on_gold.retest_items import missing_judgments, needed, retest_columns, retest_table
from consensus.worker_audit.over_time.behaviour import behaviour_columns, behaviours
from consensus.worker_audit.over_time.drift import drifts, fallen
from consensus.worker_audit.over_time.drift_table import drift_columns, drifting, tells_drift

__all__ = [
    "VERDICTS",
    "ConfusionCells",
    "WorkerAudit",
    "accuracy_by_label",
    "audit",
    "behaviour_columns",
    "behaviours",
    "confusions",
    "copies",
    "copies_columns",
    "drift_columns",
    "drifting",
    "drifts",
    "evidence",
    "evidence_columns",
    "fallen",
    "fit_without_copies",
    "forgive",
    "forgiven_columns",
    "gold",
    "gold_columns",
    "groups",
    "merged",
    "missing_judgments",
    "needed",
    "proposal_columns",
    "proposals",
    "retest_columns",
    "retest_table",
    "suspect_gold",
    "tells_drift",
    "verdict_counts",
    "worker_columns",
]
