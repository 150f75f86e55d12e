"""Damage to exports of platforms: cut, swapped, doubled and renamed fields, other types, junk at any depth."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
import re
from typing import TYPE_CHECKING, Any

from tests.fuzz import kinds

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator


RAW = {
    "@huge@": "1e999",
    "@long@": "9" * 5_000,
    "@nan@": "NaN",
    "@half@": '"\\ud800"',
    "@deep@": "[" * 3_000 + "]" * 3_000,
    "@deeper@": '{"a":' * 500 + "1" + "}" * 500,
    "@twice@": '{"id": 1, "id": 2}',
    "@bare@": "",
}
"""What no JSON writer writes."""
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**40, 2**63, 1e-320, "", " ", "x", "nan", "a\nb", "\x00", "\u202e", "é" * 300,
    [], {}, [[]], [{}], [None], ["x"], ["x", "y"], {"x": 1}, {"": None}, [[["x"]]], {"a": {"b": [{"c": 1}]}},
    "2024-13-40", "1700000000000000000000", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "[", '{"a": 1}', *RAW,
)  # fmt: skip
CELLS = tuple(one for one in kinds.ODD if isinstance(one, str))
JSON, LINES, TABLE = "json", "lines", "table"


def _places(value: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """All containers and keys, the outer ones first."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield value, key
            yield from _places(inner, depth + 1)
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield value, n
            yield from _places(inner, depth + 1)


class Damage:
    """Damages by what a generator of random numbers says."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.in_place = True
        """Every value is still where it was, or gone."""

    def of(self, content: bytes, form: str) -> bytes:
        """A damaged copy."""
        rng = self._rng
        content = self._table(content.decode()) if form == TABLE else self._json(content.decode(), form)
        for _ in range(rng.choices((0, 1, 2), (85, 12, 3))[0]):
            content = self._text(content)
        if rng.random() < 0.05:
            self.in_place = False
            content = content.decode("utf-8", "replace").encode(rng.choice(kinds.ENCODINGS), "replace")
        return content

    def packed(self, content: bytes) -> bytes:
        """Sometimes compressed, and sometimes cut then."""
        rng = self._rng
        if rng.random() < 0.97:
            return content
        whole = gzip.compress(content)
        return whole if rng.random() < 0.6 else whole[: rng.randrange(len(whole))]

    def _text(self, content: bytes) -> bytes:
        rng = self._rng
        self.in_place = False
        a, b = sorted((rng.randrange(len(content) + 1), rng.randrange(len(content) + 1)))
        b = min(b, a + rng.choice((1, 1, 20, 400, 1 << 20)))
        junk = rng.choice(
            (b"\xff\xfe", b"\0", b'"', b"'", b"\n", b"\r", b",", b"\t", b"{", b"}", b"]", b"[", b"\\", b"\xe9")
        )
        ways = (
            content[:b],
            content[:a] + content[b:],
            content[:b] + content[a:],
            content[:a] + junk + content[a:],
            content[:a] + junk + content[b:],
            content[b:] + content[:b],
            content.replace(b'"', b"'") if rng.random() < 0.2 else content[:a] + content[a:b][::-1] + content[b:],
            content.replace(b"\n", b"\r\n" if rng.random() < 0.7 else b"\r"),
        )
        return rng.choice(ways)

    def _json(self, text: str, form: str) -> bytes:
        rng = self._rng
        whole = [json.loads(line) for line in text.splitlines()] if form == LINES else json.loads(text)
        many = rng.choices((0, 1, 3, 30), (8, 40, 42, 10))[0]
        for _ in range(many):
            whole = self._value(whole)
        if rng.random() < 0.03:
            form = JSON if form == LINES else LINES
        ascii_ = rng.random() < 0.5
        if form == LINES and isinstance(whole, list):
            told = "\n".join(json.dumps(one, ensure_ascii=ascii_) for one in whole) + "\n"
        else:
            told = json.dumps(whole, ensure_ascii=ascii_, indent=rng.choice((None, None, 1)))
        told = re.sub('"(@[a-z]+@)"', lambda found: RAW.get(found[1], found[0]), told)
        return told.encode("utf-8", "surrogatepass")

    def _value(self, whole: Any) -> Any:
        """One thing changed, in place."""
        rng = self._rng
        places = list(_places(whole))
        if not places:
            return copy.deepcopy(rng.choice(ODD))
        if rng.random() < 0.3:
            places = places[: 1 + len(places) // 10]
        container, key = rng.choice(places)
        ways = (
            "odd",
            "odd",
            "odd",
            "gone",
            "renamed",
            "swapped",
            "wrapped",
            "text",
            "doubled",
            "emptied",
            "everywhere",
        )
        way = rng.choice(ways)
        if way in {"renamed", "swapped", "wrapped", "text", "everywhere"}:
            self.in_place = False
        value = container[key]
        if way == "odd":
            container[key] = copy.deepcopy(rng.choice(ODD))
        elif way == "gone":
            del container[key]
        elif way == "wrapped":
            container[key] = rng.choice(([value], {"value": value}, [value, value], {str(key): value}, [[value]]))
        elif way == "text":
            container[key] = value if isinstance(value, str) else json.dumps(value)
        elif way == "doubled" and isinstance(container, list):
            container.insert(rng.randrange(len(container) + 1), copy.deepcopy(value))
        elif way == "emptied" and isinstance(value, (dict, list)):
            value.clear()
        elif way == "renamed" and isinstance(container, dict):
            other = rng.choice(
                (str(key).upper(), f" {key}", f"{key}2", "", "id", "label", "x.y", rng.choice(list(container)))
            )
            container[other] = container.pop(key)
        elif way == "swapped":
            other, at = rng.choice(places)
            if not isinstance(value, (dict, list)) and not isinstance(other[at], (dict, list)):
                container[key], other[at] = other[at], value
        elif way == "everywhere" and isinstance(container, dict):
            new = rng.choice(ODD)
            for there, one in places:
                if one == key and isinstance(there, dict) and key in there:
                    there[key] = copy.deepcopy(new)
        return whole

    def _table(self, text: str) -> bytes:
        rng = self._rng
        delimiter = "\t" if "\t" in text.partition("\n")[0] else ","
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
        for _ in range(rng.choices((0, 1, 3, 30), (8, 40, 42, 10))[0]):
            self._row(rows)
        if rng.random() < 0.06:
            delimiter = rng.choice((",", "\t", ";", "|"))
        always, end = rng.random() < 0.3, rng.choice(("\n", "\n", "\n", "\r\n", "\r"))
        told = "".join(delimiter.join(kinds.quoted(one, delimiter, always) for one in row) + end for row in rows)
        return told.encode("utf-8", "replace")

    def _row(self, rows: list[list[str]]) -> None:
        """One thing changed, in place."""
        rng = self._rng
        if not any(rows):
            rows.append([rng.choice(CELLS)])
            return
        n = rng.choice([n for n, row in enumerate(rows) if row])
        n = 0 if rng.random() < 0.25 and rows[0] else n
        row = rows[n]
        at = rng.randrange(len(row))
        way = rng.choice(
            ("odd", "odd", "cell", "cell", "ragged", "short", "doubled", "gone", "swapped", "column", "head")
        )
        if way in {"ragged", "swapped", "column", "head"} or n == 0:
            self.in_place = False
        if way == "odd":
            row[at] = rng.choice(CELLS)
        elif way == "cell":
            row[at] = self._cell(row[at])
        elif way == "ragged":
            row[at:at] = [rng.choice(CELLS)] * rng.choice((1, 1, 40))
        elif way == "short":
            del row[at:]
        elif way == "doubled":
            rows.insert(rng.randrange(n, len(rows) + 1), list(row))
        elif way == "gone":
            del rows[n]
        elif way == "swapped":
            other = rng.choice([one for one in rows if one])
            there = rng.randrange(len(other))
            row[at], other[there] = other[there], row[at]
        elif way == "column":
            self._column(rows, at)
        else:
            name = rows[0][min(at, len(rows[0]) - 1)] if rows[0] else "x"
            rows[0][at : at + 1] = [
                rng.choice((name.upper(), f" {name}", f"{name}_gold", "", rows[0][0] if rows[0] else ""))
            ]

    def _column(self, rows: list[list[str]], at: int) -> None:
        """A column gone, doubled, or filled with one thing."""
        rng = self._rng
        way, cell = rng.choice(("gone", "doubled", "filled", "filled")), rng.choice(CELLS)
        for n, row in enumerate(rows):
            if at >= len(row):
                continue
            if way == "gone":
                del row[at]
            elif way == "doubled":
                row.insert(at, row[at])
            elif n:
                row[at] = cell

    def _cell(self, cell: str) -> str:
        """A cell that holds JSON with something in it changed; of another, the half."""
        rng = self._rng
        if cell[:1] in {"[", "{"} and rng.random() < 0.8:
            try:
                return self._json(cell, JSON).decode("utf-8", "replace")
            except (ValueError, RecursionError):  # damaged before
                pass
        return cell[: rng.randrange(len(cell) + 1)] if rng.random() < 0.5 else cell * 2
