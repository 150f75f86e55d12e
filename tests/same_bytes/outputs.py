"""What a run wrote, without what hangs on how the input was called and written: names of files, digests, lines."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

from consensus.runs import kept_inputs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PLACE = "FILE"
PROVENANCE = re.compile(r' *<tr><td data-title="input">.*</tr>\n')
"""Rows of the page that name the files that were read, and their digests."""
DIGEST = re.compile("[0-9a-f]{64}")
FILES = ("judgments", "gold", "model_votes")


def as_is(folder: Path) -> dict[str, bytes]:
    """The bytes of each file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def neutral(folder: Path, inputs: Iterable[Path] = ()) -> dict[str, Any]:
    """What each file of a run says, however its input is called: some of its files are ``inputs``.

    Of rejects it is the reason: how a row stood there hangs on the format.
    """
    found: dict[str, Any] = {}
    names = {str(folder.parent), *(name for path in inputs for name in (str(path), path.name))}
    called = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    place = re.compile(rf"(?:(?:{called})[\w./-]*|data frame|open file)(?::\d+)?")
    for name, content in as_is(folder).items():
        if name in kept_inputs.FILES.values():  # what was given in memory is written beside the results
            continue
        text = content.decode("utf-8")
        if name.startswith("rejects."):
            found[name] = sorted(row["reason"] for row in csv.DictReader(io.StringIO(text)))
        elif name == "summary.json":
            found[name] = _of_summary(json.loads(text), place)
        else:
            found[name] = DIGEST.sub("DIGEST", place.sub(PLACE, PROVENANCE.sub("", text)))
    return found


def _of_summary(told: dict[str, Any], place: re.Pattern[str]) -> Any:
    """A summary without the files it came from, and what is said of how these are written."""
    for name in FILES:
        told["provenance"].pop(name)
    text = DIGEST.sub("DIGEST", place.sub(PLACE, json.dumps(told, ensure_ascii=False, indent=1)))
    told = json.loads(text)
    notes = [one for one in told.pop("notes", ()) if not one.startswith(PLACE)]
    return told | {"notes": notes}


def differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of files that are not the same, with the first line that differs."""
    found = []
    for name in sorted(one.keys() | other.keys()):
        a, b = (_lines(each.get(name, "not there")) for each in (one, other))
        if a != b:
            n = next((n for n, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            found.append(f"{name}, line {n + 1}: {a[n : n + 1]} / {b[n : n + 1]}")
    return found


def _lines(content: Any) -> list[str]:
    if isinstance(content, bytes):
        return content.decode("utf-8", "backslashreplace").split("\n")
    text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False, indent=1)
    return text.split("\n")
