"""Redundant judgments in; labels with confidence, audited workers and items that need more judgments out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from consensus.version import VERSION

if TYPE_CHECKING:
    from consensus.config import AuditConfig, EscalateConfig, FitConfig, ReadConfig, RunConfig
    from consensus.errors import ConsensusError, ConsensusWarning
    from consensus.escalation import Replay, decide, escalate, plan_budget
    from consensus.explanation import Explanation
    from consensus.formats import read, read_costs, read_gold, read_model_votes, read_previous, read_workers
    from consensus.found.result import Consensus
    from consensus.guarantees import plan_gold
    from consensus.guarantees.shares_table import shares
    from consensus.inputs.gold import Gold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelVotes
    from consensus.runs import Check, Evaluation, Questions, Run, check, diff, evaluate, fit, load, run, run_by
    from consensus.simulation import simulate
    from consensus.state.streams import Stream, open
    from consensus.worker_agreement import agreement
    from consensus.worker_audit import audit

__version__ = VERSION

__all__ = [
    "AuditConfig",
    "Check",
    "Consensus",
    "ConsensusError",
    "ConsensusWarning",
    "EscalateConfig",
    "Evaluation",
    "Explanation",
    "FitConfig",
    "Gold",
    "Judgments",
    "ModelVotes",
    "Questions",
    "ReadConfig",
    "Replay",
    "Run",
    "RunConfig",
    "Stream",
    "__version__",
    "agreement",
    "audit",
    "check",
    "decide",
    "diff",
    "escalate",
    "evaluate",
    "fit",
    "load",
    "open",
    "plan_budget",
    "plan_gold",
    "read",
    "read_costs",
    "read_gold",
    "read_model_votes",
    "read_previous",
    "read_workers",
    "run",
    "run_by",
    "shares",
    "simulate",
]

_HOME = {
    "AuditConfig": "consensus.config",
    "Check": "consensus.runs",
    "Consensus": "consensus.found.result",
    "ConsensusError": "consensus.errors",
    "ConsensusWarning": "consensus.errors",
    "EscalateConfig": "consensus.config",
    "Evaluation": "consensus.runs",
    "Explanation": "consensus.explanation",
    "FitConfig": "consensus.config",
    "Gold": "consensus.inputs.gold",
    "Judgments": "consensus.inputs.judgments",
    "ModelVotes": "consensus.inputs.model_votes",
    "Questions": "consensus.runs",
    "ReadConfig": "consensus.config",
    "Replay": "consensus.escalation",
    "Run": "consensus.runs",
    "RunConfig": "consensus.config",
    "Stream": "consensus.state.streams",
    "agreement": "consensus.worker_agreement",
    "audit": "consensus.worker_audit",
    "check": "consensus.runs",
    "decide": "consensus.escalation",
    "diff": "consensus.runs",
    "escalate": "consensus.escalation",
    "evaluate": "consensus.runs",
    "fit": "consensus.runs",
    "load": "consensus.runs",
    "open": "consensus.state.streams",
    "plan_budget": "consensus.escalation",
    "plan_gold": "consensus.guarantees",
    "read": "consensus.formats",
    "read_costs": "consensus.formats",
    "read_gold": "consensus.formats",
    "read_model_votes": "consensus.formats",
    "read_previous": "consensus.formats",
    "read_workers": "consensus.formats",
    "run": "consensus.runs",
    "run_by": "consensus.runs",
    "shares": "consensus.guarantees.shares_table",
    "simulate": "consensus.simulation",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that ``import consensus`` (and ``--help``) stays light."""
    if name not in _HOME:
        raise AttributeError(f"module 'consensus' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
