"""What workers are called where an export names them by their e-mail."""

from __future__ import annotations

import hashlib
import re

MAIL = re.compile(r"[^\s@,;<>]{1,320}@[^\s@,;<>]+")
"""With a limit in front: else a text of a million letters would be read from each of them to its end."""
MADE = "annotator "
"""Begins a made name."""


def called(name: str) -> str:
    """The name; of an e-mail, "annotator" and the first 8 digits of its SHA-256: the same in every export."""
    mail = MAIL.search(name)
    return name if mail is None else f"{MADE}{hashlib.sha256(mail[0].lower().encode()).hexdigest()[:8]}"
