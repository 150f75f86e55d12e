"""Text that is not UTF-8: told by its byte order mark or by the user, decoded on the way; or an error that helps."""

from __future__ import annotations

import codecs
import re
import unicodedata
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # begins with that of UTF-16
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Encodings by their byte order mark. That of UTF-8 changes nothing: it is passed over by whoever reads lines."""
LONGEST_MARK = 4
LIKELY = (
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "koi8_r",
    "cp932",
    "euc_jp",
    "gb18030",
    "big5",
    "cp949",
    "mac_roman",
    "cp850",
)
"""Encodings that tables come in; of those that read a sample alike, the first is named."""
LIKE = {
    "iso8859-1": "cp1252",
    "iso8859-15": "cp1252",
    "iso8859-2": "cp1250",
    "iso8859-7": "cp1253",
    "iso8859-9": "cp1254",
}
"""Encodings for which others are mistaken, which have letters and quotes where these have control characters."""
SIGNS = {"Sk", "So", "Lm", "No"}  # accents alone, boxes, raised figures
CONTROLS = re.compile(rb"[\x80-\x9f]")
SAMPLE = 1 << 15  # bytes of lines that tell the encoding
SHOWN = 60  # characters of a line in a message


def marked(start: bytes) -> str | None:
    """The encoding that the byte order mark at the ``start`` of a file tells, if it is not UTF-8."""
    return next((name for mark, name in MARKS.items() if start.startswith(mark)), None)


class Decoding:
    """Bytes of a file in some encoding to UTF-8, piece by piece."""

    def __init__(self, path: Path, encoding: str, is_named: bool) -> None:
        self._path = path
        self._encoding = encoding
        self._is_named = is_named
        self._decoder = codecs.getincrementaldecoder(encoding)("strict")
        self._n_lines = 0
        self._ended_in_return = False

    def utf8(self, data: bytes) -> bytes:
        """The next bytes as UTF-8; empty ``data`` is the end.

        Raises
        ------
        FormatError
            They do not fit the encoding.
        """
        try:
            text = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            self._count(error.object[: error.start].decode(self._encoding, "replace"))
            raise self._misfit(f"the byte 0x{error.object[error.start]:02x} does not fit") from None
        except UnicodeError as error:  # UTF-16 by its name, without the mark that tells the order of bytes
            raise self._misfit(f"it can't be decoded ({error})") from None
        self._count(text)
        return text.encode("utf-8", "surrogatepass")

    def _misfit(self, what: str) -> FormatError:
        way_out = (
            "name another with --encoding" if self._is_named else "the file is damaged or cut off: export it again"
        )
        by = "" if self._is_named else ", which its byte order mark tells"
        return FormatError(
            f"{what} the encoding {self._encoding}{by}; {way_out}", self._path, 1 + self._n_lines, code="bad_encoding"
        )

    def _count(self, text: str) -> None:
        self._n_lines += text.count("\n") + text.count("\r") - text.count("\r\n")
        self._n_lines -= self._ended_in_return and text.startswith("\n")
        self._ended_in_return = text.endswith("\r") if text else self._ended_in_return


def text_in(start: bytes) -> bytes:
    """The ``start`` of a text in UTF-8 without its byte order mark, and without blanks before what it says."""
    return start.removeprefix(codecs.BOM_UTF8).lstrip()


def is_utf8(blocks: Iterable[bytes]) -> bool:
    """Whether text is UTF-8 beyond doubt: it has characters that ASCII lacks, and all are valid."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    is_plain = True
    try:
        for block in blocks:
            if b"\0" in block:
                return False
            is_plain = is_plain and block.isascii()
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return not is_plain


def message(path: Path, lines: Iterable[tuple[int, bytes]], can_be_named: bool) -> str:
    """What ``misread`` says."""
    return str(misread(path, lines, can_be_named))


def misread(path: Path, lines: Iterable[tuple[int, bytes]], can_be_named: bool) -> FormatError:
    """What to say of a file whose ``lines``, with their numbers, are not UTF-8; its encoding may be an option."""
    odd: list[bytes] = []
    first, n_bytes = 0, 0
    for number, line in lines:
        if _decodes(line):
            continue
        first = first or number
        odd.append(line)
        n_bytes += len(line)
        if n_bytes > SAMPLE:
            break
    guess = looks_like(b"".join(odd))
    seems = ""
    if guess is not None:
        shown = one_line(odd[0].decode(guess, "replace").strip()[:SHOWN])
        seems = f"; it looks like {guess}, in which this line reads: {shown}"
    way_out = (
        f"name its encoding with --encoding {guess or 'cp1252'}, or another" if can_be_named else "save it as UTF-8"
    )
    return FormatError(f"the file is not UTF-8{seems}; {way_out}", path, first, code="bad_encoding")


def looks_like(sample: bytes) -> str | None:
    """The most likely encoding of lines that are not UTF-8; None where nothing fits."""
    from charset_normalizer import from_bytes

    found = from_bytes(sample, cp_isolation=list(LIKELY), enable_fallback=False, threshold=0.5)
    scores = [
        (round(match.chaos - match.coherence + _signs(str(match)), 2), min(map(_rank, match.could_be_from_charset)))
        for match in found
    ]
    best = min(scores, default=(0.0, len(LIKELY)))[1]
    return LIKELY[best] if best < len(LIKELY) else None


def _signs(text: str) -> float:
    """Share of signs, of which there are few in what people write, among the characters that ASCII lacks."""
    odd = [one for one in text if not one.isascii()]
    return sum(unicodedata.category(one) in SIGNS for one in odd) / max(len(odd), 1)


def _rank(name: str) -> int:
    return LIKELY.index(name) if name in LIKELY else len(LIKELY)


def _decodes(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def without_mark(start: bytes) -> str | None:
    """UTF-16 in which ASCII text leaves every second byte of the ``start`` of a file zero; None if it does not."""
    pairs = len(start) // 2
    low, high = start[0 : 2 * pairs : 2].count(0), start[1 : 2 * pairs : 2].count(0)
    if not pairs or max(low, high) < pairs / 2 or min(low, high) > pairs / 10:
        return None
    return "utf-16-le" if high > low else "utf-16-be"
