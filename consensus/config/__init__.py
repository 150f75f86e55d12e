"""Settings: frozen, typed, checked once. The same class serves Python, the command line and TOML files."""

from consensus.config.audit_settings import AuditConfig, Collusion, CollusionConfig
from consensus.config.chunk_settings import ChunksConfig
from consensus.config.crowd_settings import CrowdConfig, ModelsConfig
from consensus.config.documented import described
from consensus.config.read_settings import GoldConfig, ReadConfig, Repeats, ScoreScale, VotesConfig
from consensus.config.run_settings import (
    BudgetConfig,
    EscalateConfig,
    FitConfig,
    Model,
    Prior,
    RunConfig,
    Ties,
)
from consensus.config.settings_base import GROUPS, RENAMED, nearest

__all__ = [
    "GROUPS",
    "RENAMED",
    "AuditConfig",
    "BudgetConfig",
    "ChunksConfig",
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
    "nearest",
]

for _kind in (
    AuditConfig,
    BudgetConfig,
    ChunksConfig,
    CollusionConfig,
    CrowdConfig,
    EscalateConfig,
    FitConfig,
    GoldConfig,
    ModelsConfig,
    ReadConfig,
    RunConfig,
    VotesConfig,
):
    _kind.__doc__ = described(_kind)
