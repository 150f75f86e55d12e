"""Which columns the sources turned out to have, and what each was taken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.formats.tables.roles import AMOUNTS, NUMBERS
from consensus.inputs.understood import BY_NAME, NAMED, Column, n_distinct

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.roles import Roles
    from consensus.inputs.judgments import Judgments

SHOWN = ("item", "worker", "label", "timestamp", "duration", "price", "group", "weight", "cluster")
"""Roles that are told, in this order."""


class Understanding:
    """Gathers from one source after the other what its columns were taken for."""

    def __init__(self, roles: Roles) -> None:
        self._roles = roles
        self._names: dict[str, dict[str, str]] = {}  # of each role, the rule of each name
        self._header: dict[str, None] = {}
        self._in_all: set[str] | None = None

    def add(self, reading: Reading) -> None:
        """Note the columns of a source."""
        self._header |= dict.fromkeys(reading.header)
        self._in_all = set(reading.header) if self._in_all is None else self._in_all & set(reading.header)
        for role, name in reading.columns.items():
            named = self._roles.named.get(role) == name
            because = NAMED if named else reading.because.get(role) or reading.platform or BY_NAME
            self._names.setdefault(role, {}).setdefault(name, because)

    def named(self, role: str) -> str | None:
        """The column of a role, if it has one name in all sources."""
        names = list(self._names.get(role, ()))
        return names[0] if len(names) == 1 else None

    def others(self, unused: Sequence[str]) -> list[str]:
        """Those of the columns that are ``unused`` which all sources have."""
        return [name for name in unused if name in (self._in_all or ())]

    def of(self, judgments: Judgments) -> tuple[tuple[Column, ...], tuple[str, ...]]:
        """What is used, and the names of the columns that are not."""
        counts = {"item": judgments.n_items, "worker": judgments.n_workers, "label": judgments.n_labels}
        counts |= {"group": judgments.n_groups, "cluster": judgments.n_clusters}
        for role in ("timestamp", *NUMBERS):
            cells = getattr(judgments, role)
            counts[role] = 0 if cells is None else n_distinct(cells)
        passed_over = {role for role in AMOUNTS if getattr(judgments, role) is None and self._roles.is_guessed(role)}
        found = {role: names for role, names in self._names.items() if role not in passed_over}
        used = {name for names in found.values() for name in names}
        columns = tuple(
            Column(role, " / ".join(found[role]), " / ".join(dict.fromkeys(found[role].values())), counts[role])
            for role in SHOWN
            if role in found
        )
        return columns, tuple(name for name in self._header if name not in used)
