"""Which items need more judgments, why, how many, and which of them first."""

from consensus.escalation.ranking import Ranking, escalate, ranked
from consensus.escalation.reasons import REASONS, STATUSES, reasons, status_codes, statuses

__all__ = ["REASONS", "STATUSES", "Ranking", "escalate", "ranked", "reasons", "status_codes", "statuses"]
