"""Small random tables with every kind of mess: what the fuzz of the readers is made of.

Each is told by its seed alone. How many rows one holds is known to the maker wherever the mess leaves no doubt about
it, and so is what must come of each row wherever there is no mess but that of the dialect.
"""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMES = {
    "item": ("item", "task", "task_id", "unit_id", "question", "Item", "_unit", "HITId", "itemid"),
    "worker": ("worker", "annotator", "WorkerId", "rater", "user", "_worker_id", "who"),
    "label": ("label", "answer", "response", "rating", "Class", "verdict"),
    "model": ("model", "judge", "llm", "model_version", "system"),
    "probability": ("probability", "score", "p", "confidence"),
    **{name: (name,) for name in ("status", "n_judgments", "true", "decided", "cost", "available", "fee", "skills")},
}
ROLES = {
    "judgments": ("item", "worker", "label"),
    "votes": ("item", "model", "label", "probability"),
    "gold": ("item", "label"),
    "previous": ("item", "label", "status", "n_judgments"),
    "costs": ("true", "decided", "cost"),
    "workers": ("worker", "available", "fee", "skills"),
}
"""Columns that each kind of table has."""
PLAIN_NAMES = frozenset(name for names in NAMES.values() for name in names)
"""All names that tell a role."""
NUMBERS = ("probability", "cost", "n_judgments", "available", "fee")
OTHERS = (
    "note", "", " ", "created_at", "timestamp", "seconds", "price", "source", "text, long", "é", "日本", "a\tb", 'a"b',
    "label_gold", "gold", "truth", "p_a", "p_b", "p_", "family", "trust", "item ", "ITEM", "worker", "label", "x" * 300,
    "__proto__", "1", "-", "a.b", "\u200b", "\ufeffitem", "=1+1", "probability",
)  # fmt: skip
LABELS = (("a", "b"), ("yes", "no"), ("1", "2", "3"), ("Yes", "yes ", "no"), ("cat", "dog", "bird"), ("true", "false"))
ODD = (
    "", " ", "nan", "NaN", "NA", "N/A", "null", "None", "[]", "{}", "-", "-1", "?", "0", "00", "1.0", "1e3", "1e999",
    "inf", "-inf", "NaT", "2024-01-02", "02/01/2024 10:02", "1700000000", "1700000000000000000", "45000.5",
    "Tue Mar 07 10:00:01 PST 2017", "true", "TRUE", '["a", "b"]', '{"a": {"b": 1}}', "a|b", "b,a", "a;b", 'say "x"',
    "'", "\\N", "\u00a0", "é", "e\u0301", "ß", "\u202e", "\U0001f600", "long " * 60, "9" * 40, "=cmd()",
    "a\nb", "a\r\nb", "a\rb", "anonymous", "guest", "73%", "0,5", ".5", "$0.04", "<script>",
)  # fmt: skip
SCORES = (
    "0",
    "1",
    "0.5",
    ".73",
    "73",
    "-0.1",
    "1.0000001",
    "2",
    "1e-300",
    "-3.2",
    "nan",
    "",
    "x",
    "inf",
    "0,7",
    "50%",
    "10",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252", "shift_jis")
ENDS = ("\n", "\r\n", "\r")
TEXTS = (".csv", ".tsv", ".txt", ".tab", ".TSV", ".csv.gz", ".csv.zst", ".dat", "", ".jsonl", ".parquet")
OPTIONS: dict[str, Sequence[Any]] = {
    "abstain": (["NA"], [""], ["a", "nan"], [" "]),
    "fold": (["labels"], ["workers", "items"], ["labels", "workers", "items"]),
    "drop": (["note="], ["label=a"], ["nothing=1"], ["item=i1", "worker="]),
    "repeats": ("first", "last", "keep", "error"),
    "anonymous": (["w1"], [""], ["guest", "w0"]),
    "worker_from_file": (True,),
    "drift_by": ("auto", "time", "rows"),
    "group": ("note", "item", "none"),
    "item": ("item", "note", "1"),
    "worker": ("worker", "note"),
    "label": ("label", "p_a", "no such"),
    "timestamp": ("note", "created_at"),
    "duration": ("seconds", "note"),
    "platform": ("none", "crowdflower", "nowhere"),
    "threads": (2,),
}
"""Settings that are given now and then."""


@dataclass(slots=True)
class Made:
    """A table, and what is known of it."""

    kind: str
    """Which of ROLES: what it is read as."""
    source: Any
    """Its path, or the table itself."""
    settings: dict[str, Any] = field(default_factory=dict)
    n_rows: int | None = None
    """Rows; None where the mess leaves it open."""
    header: Sequence[str] = ()
    """Its columns, where their cells are known."""
    rows: Sequence[Sequence[str | None]] = ()
    """The cells of its rows, None where one is absent."""
    first_line: int = 1
    """The lowest number of a line; that of objects which are counted from 0."""
    then: str = ""
    """Judgments are also checked ("check") or run ("run")."""


def made(seed: int, folder: Path) -> Made:
    """The table of a seed, with its files in ``folder``."""
    rng = random.Random(seed)
    kind = rng.choices(tuple(ROLES), (60, 20, 15, 2, 2, 2))[0]
    form = rng.choices((_delimited, _clean, _json, _parquet, _frame, _noise), (10, 4, 4, 2, 2, 1))[0]
    table = form(rng, folder, kind)
    if kind == "judgments" and rng.random() < 0.6:
        table.settings |= settings_of(rng, folder)
    if kind == "judgments":
        table.then = rng.choices(("", "check", "run"), (95, 4, 1))[0]
    elif kind == "votes" and rng.random() < 0.3:
        table.settings = {"score_scale": rng.choice(("1", "10", "100", "logit", "log")), "abstain": ["a"]}
    return table


def settings_of(rng: random.Random, folder: Path) -> dict[str, Any]:
    chosen = {name: rng.choice(values) for name, values in OPTIONS.items() if rng.random() < 0.05}
    if rng.random() < 0.05:
        path = folder / "map.csv"
        pairs = "".join(f"{rng.choice(ODD[:40])},{rng.choice(ODD[:40])}\n" for _ in range(rng.randrange(4)))
        path.write_text(rng.choice(("from,to\n", "from,to\na,b\n", "a,b\n", "")) + pairs, encoding="utf-8")
        chosen["label_map"] = path
    return chosen


def header_of(rng: random.Random, kind: str) -> tuple[list[str], list[str | None]]:
    """Names of columns, and the role of each."""
    roles: list[str | None] = [role for role in ROLES[kind] if rng.random() > 0.01]
    roles += [None] * rng.choices((0, 1, 2, 5), (5, 3, 2, 1))[0]
    if rng.random() < 0.3:
        rng.shuffle(roles)
    header = [rng.choice(OTHERS) if role is None else NAMES[role][0] for role in roles]
    if rng.random() < 0.3:
        header = [old if role is None else rng.choice(NAMES[role]) for role, old in zip(roles, header, strict=True)]
    return header, roles


def rows_of(rng: random.Random, roles: Sequence[str | None], odd: float) -> list[list[str]]:
    """Cells of up to 30 rows; a share of ``odd`` ones."""
    n = rng.choices((0, 1, 2, 8, 30), (1, 1, 2, 5, 3))[0]
    labels, wide = rng.choice(LABELS), rng.choice((2, 5, 12))

    def cell(role: str | None) -> str:
        if rng.random() < odd:
            return rng.choice(SCORES if role in NUMBERS else ODD)
        if role in {"item", "worker", "model"}:
            return f"{role[0]}{rng.randrange(wide)}"
        if role in NUMBERS:
            return rng.choice(("0", "1", "3")) if role != "probability" else f"{rng.random():.3f}"
        if role == "status":
            return rng.choice(("accepted", "escalate", "expert", "gold", "unaudited"))
        return rng.choice(labels) if role in {"label", "true", "decided"} else rng.choice(ODD[:24])

    return [[cell(role) for role in roles] for _ in range(n)]


def quoted(cell: str, delimiter: str, always: bool) -> str:
    if always or any(one in cell for one in (delimiter, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _clean(rng: random.Random, folder: Path, kind: str) -> Made:
    """A table in one dialect without mess."""
    delimiter, end = rng.choice(",;\t"), rng.choice(ENDS[:2])
    named = list(ROLES[kind])
    rng.shuffle(named)
    rows = rows_of(rng, named, 0.0)
    always = rng.random() < 0.3
    for row in rows:
        if rng.random() < 0.1:
            row[rng.randrange(len(row)) if "label" not in named else named.index("label")] = ""
    lines = [delimiter.join(quoted(cell, delimiter, always and cell != "") for cell in row) for row in [named, *rows]]
    path = folder / ("table.tsv" if delimiter == "\t" else "table.csv")
    path.write_bytes("".join(line + end for line in lines).encode())
    settings: dict[str, Any] = {"repeats": "last"} if kind == "judgments" else {}
    return Made(kind, path, settings, len(rows), named, [[cell or None for cell in row] for row in rows])


def _delimited(rng: random.Random, folder: Path, kind: str) -> Made:
    """A table in text with anything that goes wrong there."""
    header, roles = header_of(rng, kind)
    rows = rows_of(rng, roles, rng.choice((0.0, 0.02, 0.2)))
    delimiter, end = rng.choices((",", ";", "\t", "|", " ", "::"), (8, 3, 4, 2, 1, 1))[0], rng.choice(ENDS)
    always, sure = rng.random() < 0.3, len(header) > 1 and delimiter in ",;\t" and "\x00" not in str(rows)
    lines = [delimiter.join(quoted(cell, delimiter, always) for cell in row) for row in [header, *rows]]

    def happens(share: float = 0.06) -> bool:
        return rng.random() < share

    known = [[cell if cell or always else None for cell in row] for row in rows]
    if happens():  # ragged rows: they are rejects or not, but each is a row
        for n in range(1, len(lines)):
            if rng.random() < 0.4:
                lines[n] += delimiter * rng.randrange(1, 4) if rng.random() < 0.5 else delimiter + "more"
            elif delimiter in lines[n] and '"' not in lines[n] and rng.random() < 0.4:
                lines[n] = lines[n].rpartition(delimiter)[0]
        known = []
    for share, mess in (
        (0.03, lambda: lines.pop(0)),
        (0.03, lambda: lines.insert(0, f"sep={delimiter}")),
        (0.03, lambda: lines.insert(0, "# a comment")),
        (0.05, lambda: lines.insert(rng.randrange(len(lines) + 1), rng.choice(("", "   ", delimiter * 2)))),
        (0.03, lambda: lines.insert(rng.randrange(len(lines) + 1), '"' if happens(0.5) else 'a"b,"c')),
        (0.02, lambda: lines.insert(rng.randrange(len(lines) + 1), "a\0b")),
    ):
        if happens(share) and lines:
            mess()
            sure = False
    if happens(0.1):
        text, sure = "".join(line + rng.choice(ENDS) for line in lines), False
    else:
        text = end.join(lines) + ("" if happens() else end)
    encoding = rng.choice(ENCODINGS) if happens(0.15) else "utf-8"
    data = text.encode(encoding, "replace")
    if happens(0.08):
        data, sure = broken(rng, data), False
    ending = rng.choice(TEXTS) if happens(0.2) else ".csv"
    path = folder / f"table{ending}"
    path.write_bytes(packed(rng, data, ending))
    sure = sure and encoding == "utf-8" and ending == ".csv" and "\r" not in text.replace("\r\n", "")
    sure = sure and all(any(row) for row in rows)  # an empty row may be a blank line
    return Made(kind, path, {}, len(rows), header, known) if sure else Made(kind, path)


def broken(rng: random.Random, data: bytes) -> bytes:
    """The bytes with some changed, cut off, or put in twice."""
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data) + 1)
        way = rng.randrange(3)
        if way == 0:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
        else:
            data = data[:at] if way == 1 else data[:at] + data[max(at - 9, 0) :]
    return data


def packed(rng: random.Random, data: bytes, ending: str) -> bytes:
    """The bytes as the ending says, now and then cut off."""
    if ending.endswith(".gz"):
        data = gzip.compress(data, 1)
    elif ending.endswith(".zst"):
        data = pa.compress(data, "zstd", asbytes=True)
    else:
        return data
    return data[: rng.randrange(len(data))] if rng.random() < 0.3 else data


def _json(rng: random.Random, folder: Path, kind: str) -> Made:
    """JSON lines, or an array; with cells of any kind."""
    header, roles = header_of(rng, kind)
    rows = rows_of(rng, roles, rng.choice((0.0, 0.1)))
    odd: tuple[Any, ...] = (
        1,
        2.5,
        True,
        None,
        [1, "a"],
        {"b": {"c": "d"}},
        "\ud800",
        10**400,
        float("nan"),
        {},
        [],
        "",
    )
    objects = [dict(zip(header, row, strict=True)) for row in rows]
    plain = rng.random() < 0.5
    if not plain:
        for one in objects:
            for name in one:
                if rng.random() < 0.1:
                    one[name] = rng.choice(odd)
    lines = [json.dumps(one, ensure_ascii=rng.random() < 0.8 or "\\ud800" in json.dumps(one)) for one in objects]
    sure: int | None = len(lines)
    known: list[list[str | None]] = [[*row] for row in rows]
    if rng.random() < 0.1:
        lines.insert(
            rng.randrange(len(lines) + 1), rng.choice(("{", "1", '"x"', "[" * 3000, "{}", "\ufeff{}", "[1]", "nul"))
        )
        sure = len(lines)
    text = "".join(line + "\n" for line in lines)
    if rng.random() < 0.15:
        text, sure = rng.choice(("[{}]", '{{"rows": [{}]}}', "[{},]", "[{}")).format(",".join(lines)), None
    data, ending = text.encode(), rng.choice((".jsonl", ".jsonl", ".ndjson", ".json", ".jsonl.gz"))
    if rng.random() < 0.1:
        data, sure = broken(rng, data), None
    path = folder / f"table{ending}"
    path.write_bytes(packed(rng, data, ending))
    return Made(kind, path, {}, sure, header, known if plain and sure is not None else ())


def _columns(rng: random.Random, kind: str) -> tuple[dict[str, Any], int]:
    """Columns of odd types, and how many rows they have."""
    header, roles = header_of(rng, kind)
    rows = rows_of(rng, roles, rng.choice((0.0, 0.1)))
    columns: dict[str, Any] = {}
    for n, name in enumerate(header):
        cells = [row[n] for row in rows]
        way = rng.randrange(16)
        columns[name] = (
            pa.array([rng.randrange(3) for _ in cells], rng.choice((pa.int8(), pa.int64(), pa.uint32(), pa.float32())))
            if way == 0
            else pa.array([rng.random() < 0.5 for _ in cells])
            if way == 1
            else pa.array(cells).dictionary_encode()
            if way == 2
            else pa.array([None if rng.random() < 0.3 else one for one in cells], pa.large_string())
            if way == 3
            else pa.array([[one] for one in cells], pa.list_(pa.string()))
            if way == 4
            else pa.array([{"value": one} for one in cells], pa.struct({"value": pa.string()}))
            if way == 5
            else pa.array([rng.randrange(10**15) for _ in cells], pa.timestamp("us"))
            if way == 6
            else pa.nulls(len(cells))
            if way == 7
            else pa.array([one.encode("utf-16") for one in cells], pa.binary())
            if way == 8
            else pa.array([rng.randrange(9999) for _ in cells], pa.int64()).cast(pa.decimal128(24, 2))
            if way == 9
            else pa.array(cells, pa.string())
        )
    return columns, len(rows)


def _parquet(rng: random.Random, folder: Path, kind: str) -> Made:
    columns, n = _columns(rng, kind)
    path = folder / "table.parquet"
    pq.write_table(pa.table(columns), path)
    if rng.random() < 0.1:
        path.write_bytes(broken(rng, path.read_bytes()))
        return Made(kind, path)
    return Made(kind, path, {}, n)


def _frame(rng: random.Random, folder: Path, kind: str) -> Made:
    """A table in memory; some columns of lists of anything."""
    del folder
    columns, n = _columns(rng, kind)
    if rng.random() < 0.3:
        return Made(kind, pa.table(columns), {}, n)
    anything: tuple[Any, ...] = (1, "a", None, 2.5, True, b"\xff", float("nan"), 2**70, [1], {"a": 1}, "\ud800", object)
    for name in columns:
        columns[name] = columns[name].to_pylist()
        if rng.random() < 0.1:
            columns[name] = [rng.choice(anything) for _ in range(n)]
    if columns and rng.random() < 0.05:
        columns[next(iter(columns))] = rng.choice((["x"] * (n + 1), "x", None, 5))
        return Made(kind, columns)
    return Made(kind, columns, {}, n)


def _noise(rng: random.Random, folder: Path, kind: str) -> Made:
    """Bytes of no table at all."""
    path = folder / f"table{rng.choice(TEXTS)}"
    some = rng.randbytes(rng.randrange(300)) if rng.random() < 0.5 else bytes(rng.choices(b'ab,;"\n\r\t {}[]:', k=200))
    path.write_bytes(rng.choice((b"", b"\n", b"\xef\xbb\xbf", b"PK\x03\x04", b"PAR1", b"\x1f\x8b", b"{", b'"')) + some)
    return Made(kind, path)
