"""Pages that did not arrive, kept in a file to be sent later: JSON lines, one page a line."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.errors import FormatError
from consensus.formats import writing
from consensus.push.pages import KEY, Page

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Letter:
    """A page that did not arrive."""

    page: Page
    why: str


def write_letters(letters: Iterable[Letter], path: Path) -> None:
    """Write them to a file, whole or not at all.

    Raises
    ------
    OutputError
        It can't be written.
    """
    told = (
        {"key": one.page.key, "page": one.page.number, "why": one.why, "body": one.page.body.decode()}
        for one in letters
    )
    with writing.replacing(path) as file:
        file.writelines(json.dumps(one, ensure_ascii=False).encode() + b"\n" for one in told)


def read_letters(path: Path) -> list[Page]:
    """The pages of such a file.

    Raises
    ------
    FormatError
        It can't be read, or a page is not as it was written.
    """
    found = []
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        raise FormatError("no such file; name the one that consensus push wrote", path, code="file_not_found") from None
    except OSError as error:
        raise FormatError(f"can't be read: {(error.strerror or str(error)).lower()}", path) from None
    for n, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            body = told["body"].encode()
            page = Page(str(told["key"]), int(told["page"]), body)
        except (ValueError, KeyError, TypeError, AttributeError):
            page = Page("", 0, b"")
        if page.key != hashlib.sha256(page.body).hexdigest()[:KEY]:
            raise FormatError(
                "no page that consensus push wrote; name the file with those that did not arrive", f"{path}:{n}"
            )
        found.append(page)
    return found
