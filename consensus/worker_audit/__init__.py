"""Rating workers: how accurate, how useful, in which way wrong; each with an interval and the evidence."""

from consensus.worker_audit.as_one import merged
from consensus.worker_audit.confusion_table import confusion_columns, confusions
from consensus.worker_audit.copying import copies, copies_columns, groups
from consensus.worker_audit.merging import fit_without_copies
from consensus.worker_audit.workers import audit, worker_columns

__all__ = [
    "audit",
    "confusion_columns",
    "confusions",
    "copies",
    "copies_columns",
    "fit_without_copies",
    "groups",
    "merged",
    "worker_columns",
]
