"""Which items need more judgments, why, how many, from whom, and which of them first."""

from consensus.escalation.budgets import budget_curve
from consensus.escalation.decisions import decide, decision_columns
from consensus.escalation.expectations import Outlook, outlook
from consensus.escalation.ranking import Escalation, escalate, planned, statuses
from consensus.escalation.reasons import REASONS, settled_status
from consensus.escalation.reopening import change_counts, changes
from consensus.escalation.replay import Replay, Step
from consensus.escalation.what_if import plan_budget
from consensus.inputs.earlier_run import STATUSES

__all__ = [
    "REASONS",
    "STATUSES",
    "Escalation",
    "Outlook",
    "Replay",
    "Step",
    "budget_curve",
    "change_counts",
    "changes",
    "decide",
    "decision_columns",
    "escalate",
    "outlook",
    "plan_budget",
    "planned",
    "settled_status",
    "statuses",
]
