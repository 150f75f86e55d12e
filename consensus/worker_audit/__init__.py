"""Rating workers: how accurate, how useful, in which way wrong; each with an interval and the evidence."""

from consensus.worker_audit.confusion_table import confusion_columns, confusions
from consensus.worker_audit.gold_health import gold, gold_columns
from consensus.worker_audit.workers import audit, worker_columns

__all__ = ["audit", "confusion_columns", "confusions", "gold", "gold_columns", "worker_columns"]
