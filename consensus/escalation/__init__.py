"""Which items need more judgments, why, how many, from whom, and which of them first."""

from consensus.escalation.ranking import Escalation, escalate, planned, statuses
from consensus.escalation.reasons import REASONS, STATUSES, reasons, status_codes
from consensus.escalation.reopening import Previous
from consensus.escalation.replay import Replay, Step

__all__ = [
    "REASONS",
    "STATUSES",
    "Escalation",
    "Previous",
    "Replay",
    "Step",
    "escalate",
    "planned",
    "reasons",
    "status_codes",
    "statuses",
]
