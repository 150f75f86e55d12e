"""Which columns of a table of judgments are looked for, by the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.formats.tables.keeping import Keeping
from consensus.formats.tables.roles import NAMED_ONLY, Roles
from consensus.formats.tables.row_choice import RowChoice
from consensus.formats.tables.wide import Shape

if TYPE_CHECKING:
    from consensus.config import ReadConfig


def roles_of(settings: ReadConfig) -> Roles:
    """The columns that are looked for, before it is known which of them hold several judgments."""
    named_only = {role: name for role in NAMED_ONLY if (name := getattr(settings, role)) is not None}
    return Roles(
        Shape(settings).named(_named(settings)) | named_only | RowChoice(settings).roles | Keeping(settings).roles
    )


def _named(settings: ReadConfig) -> dict[str, str | None]:
    """The columns that the user named, by role; None where their names tell."""
    roles = ("item", "worker", "label", "timestamp", "duration")
    named = {role: getattr(settings, role) for role in roles if role != "worker" or not settings.worker_from_file}
    return {**named, "price": settings.price_column}
