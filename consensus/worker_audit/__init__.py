"""Rating workers: how accurate, how useful, in which way wrong; each with an interval and the evidence."""

from consensus.worker_audit.behaviour import behaviour_columns, behaviours
from consensus.worker_audit.confusion_table import confusion_columns, confusions
from consensus.worker_audit.drift import drift_columns, drifting, drifts
from consensus.worker_audit.forgiving import forgive, forgiven_columns
from consensus.worker_audit.gold_health import gold, gold_columns
from consensus.worker_audit.new_gold import proposal_columns, proposals
from consensus.worker_audit.retests import needed, retest
from consensus.worker_audit.worker_evidence import evidence, evidence_columns
from consensus.worker_audit.workers import audit, worker_columns

__all__ = [
    "audit",
    "behaviour_columns",
    "behaviours",
    "confusion_columns",
    "confusions",
    "drift_columns",
    "drifting",
    "drifts",
    "evidence",
    "evidence_columns",
    "forgive",
    "forgiven_columns",
    "gold",
    "gold_columns",
    "needed",
    "proposal_columns",
    "proposals",
    "retest",
    "worker_columns",
]
