"""What ``help`` says of settings: the fields, as they are described for the command line."""

from __future__ import annotations

import inspect
import textwrap
from typing import TYPE_CHECKING

from pydantic_core import PydanticUndefined

from consensus.wording import in_python

if TYPE_CHECKING:
    from consensus.config.settings_base import Settings

WIDTH = 96


def described(kind: type[Settings]) -> str:
    """The docstring of a ``kind`` of settings, with each of its fields."""
    text, mark, examples = inspect.cleandoc(kind.__doc__ or "").partition("Examples\n")
    parts = [text.rstrip(), "", "Parameters", "----------"]
    for name, field in kind.model_fields.items():
        default = (
            "" if field.default is PydanticUndefined or field.default in (None, ()) else f", default {field.default!r}"
        )
        parts.append(f"{name} : {_kind(field.annotation)}{default}")
        parts += textwrap.wrap(
            in_python(field.description or ""), WIDTH, initial_indent="    ", subsequent_indent="    "
        )
    return "\n".join([*parts, *(["", mark + examples] if examples else [])])


def _kind(annotation: object) -> str:
    """Such as ``float | None``."""
    shown = (
        annotation.__name__ if isinstance(annotation, type) and not hasattr(annotation, "__args__") else str(annotation)
    )
    return (
        shown.replace("typing.", "").replace("pathlib._local.", "").replace("pathlib.", "").replace("NoneType", "None")
    )
