"""Which column of an export holds what: the one that the user named, else the usual one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats.tables.roles import KEEP, Roles, listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def columns_for(
    roles: Roles, usual: Mapping[str, str], header: Sequence[str], path: Path, title: str, hidden: Sequence[str] = ()
) -> dict[str, str]:
    """Role to column, of all roles but the label: what the user named, else what is ``usual``.

    Parameters
    ----------
    roles, path, title
        What the user named, and of which export.
    usual
        Role to the column of ``header`` that holds it.
    header
        All that can be named.
    hidden
        What is never read.

    Raises
    ------
    FormatError
        A named column is missing or hidden.
    """
    named = {role: name for role, name in roles.named.items() if name is not None and role != "label"}
    refuse_hidden(named, hidden, path, title)
    wanted = {**usual, **{role: name for role, name in named.items() if name in header or not roles.lenient}}
    found = Roles(wanted).positions(header, str(path))
    return {role: header[n] for role, n in found.items()}


def refuse_hidden(named: Mapping[str, str], hidden: Sequence[str], path: Path, title: str) -> None:
    """Refuse columns of an export that tell where somebody is, by role.

    Raises
    ------
    FormatError
        One is named.
    """
    for role, name in named.items():
        if name in hidden:
            why = f"read; choose another for the {role}, or read the file as a plain table with --platform none"
            if role.startswith(KEEP):
                why = "written, for it may tell who or where somebody is; leave it out of --keep"
            raise FormatError(f'column "{name}" of a {title} is never {why}', path)


def made_columns(roles: Roles, usual: Mapping[str, str], path: Path, title: str) -> dict[str, str]:
    """The same, with the label, for files without a header: what is ``usual`` are names that the reader made.

    Raises
    ------
    FormatError
        There is no such name.
    """
    names, label = list(usual.values()), roles.named.get("label")
    if label not in names:
        if label is not None and not roles.lenient:
            raise FormatError(
                f'no column "{label}" for the label; the columns are: {listed(names)}; correct --label', path
            )
        label = usual["label"]
    others = {role: name for role, name in usual.items() if role != "label"}
    return {**columns_for(roles, others, names, path, title), "label": label}
