"""What keeps a page harmless, whatever strangers call themselves: nothing that hides or turns text, and only our code.

Texts are escaped where they are written; a policy (W3C, Content Security Policy Level 3) forbids everything else to a
page: to load from anywhere, to run scripts and use style sheets that are not ours, to send forms, to be a frame's base.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control characters but tabs and new lines, and those that change the direction of text."""


def cleaned(value: Any) -> Any:
    r"""Records with such characters written as codes, such as ``\u202e``: so names stay apart."""
    if isinstance(value, str):
        return ODD.sub(lambda one: f"\\u{ord(one[0]):04x}", value)
    if isinstance(value, dict):
        return {cleaned(name): cleaned(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(cleaned, value)) if type(value) in (list, tuple) else value
    return value


def policy(css: str, scripts: Sequence[str] = ()) -> str:
    """The content of a page's Content-Security-Policy, given its style sheet and its ``scripts``.

    Attributes may style elements, as charts do: without a network that can't tell anything to anybody.
    """
    run = " ".join(map(_digest, scripts)) or "'none'"
    return (
        f"default-src 'none'; script-src {run}; style-src {_digest(css)}; style-src-attr 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
