"""Which items need more judgments, why, how many, from whom, and which of them first."""

from consensus.escalation.ranking import Escalation, escalate, planned, statuses
from consensus.escalation.reasons import REASONS, STATUSES
from consensus.escalation.reopening import changes

__all__ = ["REASONS", "STATUSES", "Escalation", "changes", "escalate", "planned", "statuses"]
