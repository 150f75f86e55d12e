"""The page of all that comes out, made from the registry of tables: ``python -m tests.outputs_page`` writes it."""

from pathlib import Path

from consensus.chunks import columns, evaluating
from consensus.runs.columns import Column
from consensus.runs.tables import TABLES, Table

PAGE = Path(__file__).parent.parent / "docs" / "outputs.md"
INTRODUCTION = """\
# Outputs

This page is made from `consensus/runs/tables.py` and `consensus/runs/columns.py` by `python -m tests.outputs_page`.

`consensus run` writes a folder, whole or not at all: these files, as `.csv`, `.jsonl` or `.parquet` (`--format`).
`consensus audit --table NAME` prints one table, or writes it with `-o FILE` as `.csv`, `.tsv`, `.jsonl` or `.parquet`.
The other commands print one table each. Words go to stderr. In Python, `run.table(NAME)` is the table as a frame, by
the name of its file. File names and columns only change with an entry in CHANGELOG.md.

The types: *text*; *list* is several texts (in CSV one text, joined by `" | "`; in JSON lines and Parquet a list);
*count* is a whole number; *number* may be missing; *flag* is true or false. A missing value is an empty field in CSV,
and null in JSON lines and Parquet. A column that is marked *if given* only stands in the table if its input is there.

In CSV a `'` stands before text that a spreadsheet would take for a formula: it begins with `=`, `+`, `-`, `@`, a tab or
an end of line, and is no plain number. `--raw-cells` leaves it as it is. Gold, truth, `--workers`, `--previous`, `diff`
and answers about chunks are understood either way. Programs best read JSON lines or Parquet: ids there are as given.
"""
SAME_BYTES = """\
## The same bytes

The same judgments and settings give the same bytes: in every table, in `summary.json` and in `report.html`. The number
of threads, the order of rows, how they are split into files, the format, the machine's time zone and its locale change
nothing. Only names of files, their digests, lines in them, and notes on how a file is written differ. What is drawn at
random hangs on `--seed` and on the names of items and workers. Other versions of the libraries in `summary.json` may
change last digits.

By design, three things hang on the order of rows:

- who changed, where judgments have no times: `--drift-by auto` may take the order of rows for that in time. With
  `--drift-by time` nothing hangs on it;
- which of a worker's repeats counts, where times are missing or equal. `--repeats keep` counts all, and `error` refuses
  them;
- which value of an item a column has that `--keep` carries along: the first one.

`rejects.csv` names files and lines, in the order in which they were read; where a warning shows an example, it is the
first. If a model scores the same labels of an item several times, the rows of each file are one list of scores: there
it counts how model votes are split into files.
"""
BESIDE = {
    "report.html": "The page to look at, with the extra `report` (not with `--no-report`). At most 3 MB: of millions "
    "of items it shows a sample, and says so.",
    "summary.json": "Provenance, settings, counts, label shares (`class_shares`: by gold), convergence "
    "(`confidence_by`: gold, design effect), quality (`by_label` too), escalation (what judgments will bring), "
    "changes, models, readings, warnings, understood (what columns were taken for), units (with --weight or --cluster: "
    "what items count for). The same input and settings give "
    "the same bytes.",
}
"""What a run writes that is no table."""
OF_PICTURES = """\
`consensus chunks run` writes another folder: these tables, masks, confidences, overlays, crops, `report.html` and
`summary.json`, which [pictures in chunks](chunks.md) tells of. `confusions.csv` is that of a run.
"""
PICTURES = {
    "`images.csv`": (
        "A row a picture; and a column `expected_iou_LABEL` for each class, missing where it is not painted.",
        columns.IMAGES,
    ),
    "`chunks.csv`": ("A row a chunk that is worth a click, or drawn for the audit.", columns.CHUNKS),
    "`escalations.csv`": ("The same chunks as tasks, with the columns that such lists have.", columns.ESCALATIONS),
    "`workers.csv` of pictures": ("A row a person or model; who clicks has a row of their own.", columns.WORKERS),
    "`chunks.evaluate(...).images`": ("A row a picture with a truth.", evaluating.SCORES),
}


def made() -> str:
    """The whole page."""
    beside = [f"## `{name}`\n\n{about}\n" for name, about in BESIDE.items()]
    return "\n".join([INTRODUCTION, in_short(), SAME_BYTES, *map(_section, TABLES), *beside, pictures()])


def pictures() -> str:
    """The tables of ``consensus chunks``."""
    parts = ["## Pictures in chunks\n", OF_PICTURES]
    for name, (about, known) in PICTURES.items():
        lines = [
            f"### {name}",
            "",
            about,
            "",
            "| column | type | what it holds |",
            "|---|---|---|",
            *map(_row, known),
        ]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def in_short() -> str:
    """The table at its beginning: what a run writes or ``audit --table`` prints, and what it holds."""
    rows = [(_name(table), table.about) for table in TABLES if table.rows is not None]
    rows += [(f"`{name}`", about) for name, about in BESIDE.items()]
    return "\n".join(["| file or table | what it holds |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)]) + "\n"


def _name(table: Table) -> str:
    """How users call it."""
    if table.rows is None:
        return table.name
    return f"`audit --table {table.audited}`" if _is_only_printed(table) else f"`{table.name}.csv`"


def _is_only_printed(table: Table) -> bool:
    return table.when is None and table.audited is not None


def _section(table: Table) -> str:
    lines = [f"## {_name(table)}", "", table.about]
    if table.audited is not None and not _is_only_printed(table):
        lines[-1] += f" Also `audit --table {table.audited}`."
    if _is_only_printed(table):
        lines[-1] += f' In Python `table("{table.name}")`.'
    lines += ["", "| column | type | what it holds |", "|---|---|---|", *map(_row, table.columns)]
    if table.by_label:
        lines.append("| a column for each label, of its name | number | The probability of the label, 0 to 1. |")
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    about = column.about.replace("|", r"\|")
    return f"| `{column.name}` | {column.kind}{'' if column.always else ', if given'} | {about} |"


if __name__ == "__main__":
    PAGE.write_text(made(), encoding="utf-8")
