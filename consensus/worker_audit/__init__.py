"""Rating workers: how accurate, how useful, in which way wrong; each with an interval and the evidence."""

from consensus.worker_audit.as_one import merged
from consensus.worker_audit.audit_of_result import WorkerAudit
from consensus.worker_audit.behaviour import behaviour_columns, behaviours
from consensus.worker_audit.confusion_table import accuracy_by_label, confusion_columns, confusions
from consensus.worker_audit.copying import groups
from consensus.worker_audit.copying_table import copies, copies_columns
from consensus.worker_audit.drift import drifts
from consensus.worker_audit.drift_table import drift_columns, drifting
from consensus.worker_audit.forgiving import forgive, forgiven_columns
from consensus.worker_audit.gold_health import gold, gold_columns
from consensus.worker_audit.merging import fit_without_copies
from consensus.worker_audit.new_gold import proposal_columns, proposals
from consensus.worker_audit.retests import needed, retest_columns, retest_table
from consensus.worker_audit.verdicts import VERDICTS
from consensus.worker_audit.worker_evidence import evidence, evidence_columns
from consensus.worker_audit.workers import audit, verdict_counts, worker_columns

__all__ = [
    "VERDICTS",
    "WorkerAudit",
    "accuracy_by_label",
    "audit",
    "behaviour_columns",
    "behaviours",
    "confusion_columns",
    "confusions",
    "copies",
    "copies_columns",
    "drift_columns",
    "drifting",
    "drifts",
    "evidence",
    "evidence_columns",
    "fit_without_copies",
    "forgive",
    "forgiven_columns",
    "gold",
    "gold_columns",
    "groups",
    "merged",
    "needed",
    "proposal_columns",
    "proposals",
    "retest_columns",
    "retest_table",
    "verdict_counts",
    "worker_columns",
]
