"""Which column holds what: found by name, or named by the user."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from consensus.errors import FormatError

NAMES: Mapping[str, tuple[str, ...]] = {
    "item": (
        "item",
        "task",
        "task_id",
        "unit",
        "unit_id",
        "question",
        "subject",
        "example",
        "hit_id",
    ),
    "worker": (
        "worker",
        "worker_id",
        "annotator",
        "annotator_id",
        "rater",
        "coder",
        "user",
        "contributor",
        "performer",
        "labeler",
    ),
    "label": (
        "label",
        "answer",
        "response",
        "judgment",
        "rating",
        "annotation",
        "category",
        "class",
    ),
    "timestamp": ("timestamp", "created_at", "submitted_at", "submit_time", "judged_at"),
}
"""Names of the column of each role; case and leading underscores do not matter."""

OPTIONAL = {"timestamp"}
Chosen = Mapping[str, str | None]
"""Role to the column that the user named for it, or None to find it."""


def positions(header: Sequence[str], chosen: Chosen, place: str) -> dict[str, int]:
    """Position in ``header`` of the column of each role in ``chosen``.

    Raises
    ------
    FormatError
        A column is missing, or several could be meant.
    """
    listed = ", ".join(header)
    found: dict[str, int] = {}
    for role, name in chosen.items():
        if name is not None:
            candidates = [n for n, column in enumerate(header) if column == name]
            if not candidates:
                raise FormatError(
                    f'{place}: no column "{name}" for the {role}; the columns are: {listed}; correct --{role}'
                )
        else:
            candidates = [n for n, column in enumerate(header) if column.strip().lstrip("_").lower() in NAMES[role]]
        if len(candidates) > 1:
            if name is not None:
                raise FormatError(f'{place}: {len(candidates)} columns are called "{name}"; rename all but one')
            if role in OPTIONAL:
                continue
            several = ", ".join(header[n] for n in candidates)
            raise FormatError(
                f"{place}: several columns could hold the {role}: {several}; choose one with --{role}, such as "
                f"--{role} {header[candidates[0]]}"
            )
        if candidates:
            found[role] = candidates[0]
        elif role not in OPTIONAL:
            raise FormatError(f"{place}: no column holds the {role}; the columns are: {listed}; name it with --{role}")
    return found
