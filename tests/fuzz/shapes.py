"""Small random tables of other shapes than a row a judgment in one text file: wide ones, workbooks, archives, folders.

Also times, money, dialects that are asked for, JSON documents and files under wrong names. Each is told by its seed.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pyarrow as pa

from tests.fuzz import kinds

if TYPE_CHECKING:
    from pathlib import Path


TIMES = (
    "2024-03-{d:02} 10:0{m}:01", "2024-03-{d:02}T10:0{m}:01Z", "2024-03-{d:02}T10:0{m}:01.123+02:00",
    "2024-03-{d:02} 10:0{m}:01 UTC", "17000000{d:02}", "17000000{d:02}123", "17000000{d:02}123456",
    "3/{d}/2024 10:0{m}",
    "{d}/3/2024 10:0{m}:01", "3/{d}/2024 1:0{m}:01 PM", "{d}.3.2024 10:0{m}", "Sat Mar {d:02} 19:0{m}:00 PST 2024",
    "Sat, {d:02} Mar 2024 19:0{m}:00 GMT", "453{d:02}.{m}", "2024-02-3{m}", "Mar {d}, 2024", "{d}-Mar-24", "24/3/{d}",
)  # fmt: skip
FORMATS = ("month-first", "day-first", "year-first", "excel", "epoch", "%d.%m.%Y %H:%M", "%Y", "%Q", "", "%", "fast")
MONEY = ("$0.01", "0.05", "$1,000.00", "€ 2", "2,50 €", "free", "", "-1", "USD 3", "1e400", "0.05$", "nan")
NAMES = (
    "a.csv", "b.tsv", "deep/er/c.csv", "__MACOSX/._a.csv", "._a.csv", ".hidden.csv", "é.csv", "a b.csv", "../up.csv",
    "/root.csv", "readme.txt", "img.png", "x.zip", "CON", "a\\b.csv", "folder/", "a.csv.gz", "a\nb.csv",
    "w" * 200 + ".csv",
    "a.jsonl", "a.CSV", "table",
)  # fmt: skip
WIDE: tuple[dict[str, Any], ...] = (
    {"wide": "workers"}, {"wide": "questions", "only": "q1"}, {"wide": "counts"}, {"wide": "questions"},
    {"questions": ["q1", "q2"], "only": "q2"}, {"questions": ["q1"]}, {"questions": ["q9"]}, {"counts": "n"},
    {"wide": "workers", "wide_columns": ["w1", "w2"]}, {"wide": "counts", "wide_columns": ["yes", "no"]},
    {"wide": "workers", "wide_columns": ["nobody"]}, {"only": "q1"}, {"by": "q1"}, {"by": "note", "only": "a"},
    {"by": "question", "only": "q1"}, {"by": "question"}, {"by": "item", "only": "i1"}, {"by": "no such", "only": "a"},
    {"by": "question", "only": "q1", "wide": "workers"}, {"counts": "note"}, {"wide": "counts", "counts": "n"}, {},
)  # fmt: skip
CELLS = (
    "",
    "a",
    "b",
    "a",
    "b",
    "yes",
    "no",
    "1",
    "0",
    "2",
    "-1",
    "1.0",
    "1.5",
    "NA",
    "x y",
    "9" * 30,
    "[1]",
    "é",
    "nan",
)


def made(seed: int, folder: Path) -> kinds.Made:
    """The table of a seed, with its files in ``folder``: half of them of the shapes here."""
    rng = random.Random(f"shape {seed}")
    if rng.random() < 0.5:
        return kinds.made(seed, folder)
    form = rng.choices(
        (_wide, _timed, _asked, _workbook, _archive, _folder, _document, _misnamed), (6, 3, 3, 2, 2, 1, 2, 1)
    )[0]
    table = form(rng, folder)
    if rng.random() < 0.2:
        table.settings |= {"repeats": rng.choice(("first", "last", "keep"))}
    table.then = rng.choices(("", "check", "run"), (90, 9, 1))[0]
    return table


def _written(rng: random.Random, rows: list[list[str]], delimiter: str = ",") -> bytes:
    always, end = rng.random() < 0.2, rng.choice(("\n", "\n", "\r\n"))
    return "".join(delimiter.join(kinds.quoted(one, delimiter, always) for one in row) + end for row in rows).encode()


def _plain(rng: random.Random, *others: str) -> list[list[str]]:
    """A header and rows, with other columns."""
    n, wide = rng.choice((0, 1, 3, 10, 25)), rng.choice((2, 5, 12))
    labels = rng.choice(kinds.LABELS)
    rows = [["item", "worker", "label", *others]]
    return rows + [
        [f"i{rng.randrange(wide)}", f"w{rng.randrange(wide)}", rng.choice(labels), *[""] * len(others)]
        for _ in range(n)
    ]


def _wide(rng: random.Random, folder: Path) -> kinds.Made:
    """A column a worker, a question or a label; with the settings for it, or those for another."""
    way = rng.randrange(4)
    names = ("w1", "w2", "w3", "w4") if way == 0 else ("q1", "q2", "q3") if way == 1 else ("yes", "no", "maybe")
    header = ["item", "worker", *names] if way == 1 else ["item", *names]
    if way == 3:
        header = ["item", "question", "worker", "label", "n"]
    if rng.random() < 0.2:
        rng.shuffle(header)
    if rng.random() < 0.15:
        header[rng.randrange(len(header))] = rng.choice(("", "item", "w1", "q1", "note", "é", "1"))
    if rng.random() < 0.1:
        header.append("note")
    labels, odd = (("0", "3", "12") if way == 2 else rng.choice(kinds.LABELS)), rng.choice((0.0, 0.05, 0.3))

    def cell(name: str) -> str:
        if rng.random() < odd:
            return rng.choice(CELLS)
        if name in {"item", "worker", "question"}:
            return f"{name[0]}{rng.randrange(1, 9)}"
        return rng.choice(("1", "2", "30")) if name == "n" else rng.choice(labels)

    rows = [header, *([cell(name) for name in header] for _ in range(rng.choice((0, 1, 4, 12))))]
    if rng.random() < 0.1:
        rows.pop(0)
    path = folder / "table.csv"
    data = _written(rng, rows, rng.choice(",;\t"))
    path.write_bytes(kinds.broken(rng, data) if rng.random() < 0.05 else data)
    return kinds.Made("judgments", path, dict(rng.choice(WIDE)))


def _timed(rng: random.Random, folder: Path) -> kinds.Made:
    """Times of any form, money, seconds; some with the form asked for."""
    rows = _plain(rng, rng.choice(("timestamp", "created_at", "SubmitTime", "when")), "reward", "seconds")
    form, mixed = rng.choice(TIMES), rng.random() < 0.15
    for row in rows[1:]:
        row[3] = (rng.choice(TIMES) if mixed else form).format(d=rng.randrange(1, 29), m=rng.randrange(10))
        row[4] = rng.choice(MONEY) if rng.random() < 0.3 else "$0.02"
        row[5] = rng.choice(("12", "3.5", "00:01:05", "", "-3", "1e9")) if rng.random() < 0.3 else "7"
        if rng.random() < 0.05:
            row[3] = rng.choice(("", "n/a", "yesterday", "0", "99999999999999999999"))
    settings: dict[str, Any] = {}
    if rng.random() < 0.4:
        settings["time_format"] = rng.choice(FORMATS)
    if rng.random() < 0.4:
        settings["timestamp"] = rows[0][3]
    if rng.random() < 0.2:
        settings["price_column"] = rng.choice(("reward", "seconds", "label"))
    path = folder / "table.csv"
    path.write_bytes(_written(rng, rows))
    return kinds.Made("judgments", path, settings)


def _asked(rng: random.Random, folder: Path) -> kinds.Made:
    """Dialects with the settings that tell them, right or wrong."""
    rows, delimiter = _plain(rng, "note"), rng.choice(",;\t|:^ ")
    for row in rows[1:]:
        row[3] = rng.choice(("", "é", "ü, x", "日本", 'say "x"', "a\nb"))
        if rng.random() < 0.03:
            row.pop() if rng.random() < 0.5 else row.append("more")
    settings: dict[str, Any] = {}
    if rng.random() < 0.4:
        settings["no_header"] = True
        if rng.random() < 0.7:
            rows.pop(0)
        if rng.random() < 0.4:
            settings |= {"item": "column 1", "worker": "column 2", "label": rng.choice(("column 3", "column 9"))}
    elif rng.random() < 0.2:
        rows.pop(0)
    if rng.random() < 0.5:
        settings["delimiter"] = delimiter if rng.random() < 0.7 else rng.choice(("tab", ",", "ab", "", '"', "\n", "é"))
    text = _written(rng, rows, delimiter).decode()
    for start in ("# a comment\n", f"sep={delimiter}\n", "\n", "// x\n"):
        if rng.random() < 0.06:
            text = start + text
    encoding = rng.choice(kinds.ENCODINGS)
    if rng.random() < 0.6:
        settings["encoding"] = (
            encoding if rng.random() < 0.7 else rng.choice(("cp1252", "utf-16", "klingon", "", "hex"))
        )
    data = text.encode(encoding, "replace")
    path = folder / rng.choice(("table.csv", "table.csv", "table.tsv", "table.csv.gz"))
    path.write_bytes(kinds.packed(rng, kinds.broken(rng, data) if rng.random() < 0.05 else data, path.name))
    return kinds.Made("judgments", path, settings)


def _sheet(rng: random.Random, rows: list[list[str]]) -> str:
    """The part of a workbook that holds a sheet, with cells of several types and some that are no cells."""

    def cell(text: str) -> str:
        way = rng.randrange(20)
        if way == 0:
            return rng.choice(('<c t="e"><v>#N/A</v></c>', '<c t="b"><v>1</v></c>', "<c/>", '<c t="s"><v>99</v></c>'))
        if way == 1:
            return f"<c><v>{rng.choice((1, 2.5, 1e300, 'x', 45000.25))}</v></c>"
        return f'<c t="inlineStr"><is><t>{escape(text)}</t></is></c>'

    lines = ["<row>" + "".join(cell(one) for one in row) + "</row>" for row in rows]
    for one in ("<row/>", "<row><c/></row>", '<row r="9999"><c><v>1</v></c></row>'):
        if rng.random() < 0.06:
            lines.insert(rng.randrange(len(lines) + 1), one)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def _workbook(rng: random.Random, folder: Path) -> kinds.Made:
    """A workbook of one or two sheets; some damaged."""
    packages = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    names = rng.choice((["Sheet1"], ["empty", "data"], ["a", "b"], ["a", "a"]))
    sheets = "".join(f'<sheet name="{one}" sheetId="{n}" r:id="r{n}"/>' for n, one in enumerate(names))
    targets = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(len(names))
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{packages}/relationships"><Relationship Id="r" '
        f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{sheets}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{packages}/relationships">{targets}</Relationships>',
    }
    for n, one in enumerate(names):
        parts[f"xl/worksheets/sheet{n}.xml"] = _sheet(rng, [] if one == "empty" else _plain(rng, "note"))
    if rng.random() < 0.15:
        del parts[rng.choice(list(parts))]
    if rng.random() < 0.1:
        one = rng.choice(list(parts))
        parts[one] = parts[one][: rng.randrange(len(parts[one]))]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in parts.items():
            book.writestr(name, text)
    path = folder / rng.choice(("table.xlsx", "table.xlsx", "table.xls", "table.csv", "table.zip"))
    path.write_bytes(kinds.broken(rng, held.getvalue()) if rng.random() < 0.15 else held.getvalue())
    settings = {"sheet": rng.choice((*names, "none", ""))} if rng.random() < 0.3 else {}
    return kinds.Made("judgments", path, settings)


def _member(rng: random.Random, name: str) -> bytes:
    """What stands under a name."""
    if name.endswith((".png", "/")) or rng.random() < 0.05:
        return rng.choice((b"", b"\x89PNG\r\n\x1a\n", rng.randbytes(50)))
    if name.endswith(".txt"):
        return b"how to read this\n"
    rows = _plain(rng)
    if name.endswith("l"):
        return "".join(json.dumps(dict(zip(rows[0], row, strict=True))) + "\n" for row in rows[1:]).encode()
    data = _written(rng, rows, "\t" if name.endswith("tsv") else ",")
    return gzip.compress(data, 1) if name.endswith(".gz") else data


def _zipped(rng: random.Random, deep: int = 0) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name in rng.sample(NAMES, rng.choice((0, 1, 1, 2, 4))):
            inner = name == "x.zip" and deep < 3
            archive.writestr(name, _zipped(rng, deep + 1) if inner else _member(rng, name))
    return held.getvalue()


def _archive(rng: random.Random, folder: Path) -> kinds.Made:
    """An archive of files of any name; cut, changed, or one in another."""
    data = _zipped(rng)
    if rng.random() < 0.2:
        data = kinds.broken(rng, data)
    path = folder / rng.choice(("table.zip", "table.zip", "table.csv", "table"))
    path.write_bytes(data)
    return kinds.Made("judgments", path, {"worker_from_file": True} if rng.random() < 0.2 else {})


def _folder(rng: random.Random, folder: Path) -> kinds.Made:
    """A folder of files, and folders in it."""
    top = folder / "tables"
    top.mkdir()
    for name in rng.sample([one for one in NAMES if one[0] not in "./" and "\n" not in one], rng.choice((0, 1, 2, 4))):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_bytes(_zipped(rng) if name.endswith(".zip") else _member(rng, name))
    return kinds.Made("judgments", top, {"worker_from_file": True} if rng.random() < 0.2 else {})


def _document(rng: random.Random, folder: Path) -> kinds.Made:
    """A document of JSON: an array, one in an object, objects in objects; some cut."""
    rows = _plain(rng, "note")
    records: list[Any] = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    for one in records:
        if rng.random() < 0.1:
            one[rng.choice(rows[0])] = rng.choice((None, 1, 2.5, True, [], {}, [1, "a"], {"a": 1}, "\ud800"))
        if rng.random() < 0.05:
            one.pop(rng.choice(rows[0]))
    way = rng.randrange(6)
    nested: Any = (
        records
        if way < 2
        else {"data": records}
        if way == 2
        else {"meta": {"n": 1}, "results": {"rows": records}, "more": [1]}
        if way == 3
        else {one.get("item", "") if isinstance(one.get("item"), str) else "i": one for one in records}
        if way == 4
        else [{"item": one.get("item"), "answers": [one, one]} for one in records]
    )
    text = json.dumps(nested, indent=rng.choice((None, 2)))
    if rng.random() < 0.15:
        text = text[: rng.randrange(len(text))]
    path = folder / rng.choice(("table.json", "table.json", "table.jsonl", "table.csv", "table.json.gz"))
    path.write_bytes(kinds.packed(rng, text.encode(), path.name))
    settings: dict[str, Any] = {"label": rng.choice(("label", "answers.label", "a.b"))} if rng.random() < 0.2 else {}
    return kinds.Made("judgments", path, settings)


def _misnamed(rng: random.Random, folder: Path) -> kinds.Made:
    """Packed files under names that say nothing of it, and the other way round."""
    data = _written(rng, _plain(rng, "note"))
    for _ in range(rng.choice((0, 1, 1, 2))):
        data = gzip.compress(data, 1) if rng.random() < 0.5 else pa.compress(data, "zstd", asbytes=True)
    path = (
        folder / f"table{rng.choice((*kinds.TEXTS, '.xlsx', '.zip', '.json', '.gz', '.zst', '.csv.zip', '.manifest'))}"
    )
    path.write_bytes(kinds.broken(rng, data) if rng.random() < 0.1 else data)
    return kinds.Made("judgments", path)
