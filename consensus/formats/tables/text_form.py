"""How a text file is written, where the user says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consensus.config import ReadConfig


@dataclass(frozen=True, slots=True)
class TextForm:
    """What the user said of text files; by default their content tells."""

    encoding: str | None = None
    """Of what is not UTF-8."""
    delimiter: str | None = None
    """Between fields."""
    has_header: bool = True
    takes_encoding: bool = False
    """An option can name the encoding."""
    takes_header: bool = False
    """An option can say that there is no header."""

    @classmethod
    def of(cls, settings: ReadConfig) -> TextForm:
        """The form of the judgments."""
        return cls(settings.encoding, settings.delimiter, not settings.no_header, True, True)


PLAIN = TextForm()
