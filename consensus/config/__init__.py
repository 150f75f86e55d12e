"""Settings: frozen, typed, checked once. The same class serves Python, the command line and TOML files."""

from consensus.config.crowd_settings import CrowdConfig, ModelsConfig
from consensus.config.run_settings import (
    AuditConfig,
    BudgetConfig,
    Collusion,
    CollusionConfig,
    EscalateConfig,
    FitConfig,
    GoldConfig,
    Model,
    Prior,
    ReadConfig,
    Repeats,
    RunConfig,
    ScoreScale,
    Ties,
    VotesConfig,
)
from consensus.config.settings_base import GROUPS

__all__ = [
    "GROUPS",
    "AuditConfig",
    "BudgetConfig",
    "Collusion",
    "CollusionConfig",
    "CrowdConfig",
    "EscalateConfig",
    "FitConfig",
    "GoldConfig",
    "Model",
    "ModelsConfig",
    "Prior",
    "ReadConfig",
    "Repeats",
    "RunConfig",
    "ScoreScale",
    "Ties",
    "VotesConfig",
]
