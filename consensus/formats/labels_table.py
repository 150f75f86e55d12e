"""Reading back what a run wrote: labels or posteriors."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats import sources
from consensus.formats.tables.streams import Tap, start_of, unreadable
from consensus.formats.writing import CELLS
from consensus.inputs import formulas

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

REALS = ("confidence", "margin", "entropy", "weight")
FROM_A_FOLDER = ("posteriors", "labels")


def read_scored(path: Path) -> pd.DataFrame:
    """A table of labels (item, label, ...) or of posteriors (item, one column a label); ids and labels stay text.

    A folder stands for its posteriors, or its labels where it has none; ``-`` for standard input.

    Raises
    ------
    FormatError
        It can't be read, or has no item column, or a probability is no number.
    """
    if sources.is_read_once(path):
        with sources.opened(path) as opened:
            assert opened is not None
            with sources.named(opened.files[0]):
                return read_scored(opened.files[0].path)
    if path.is_dir():
        found = [one for name in FROM_A_FOLDER for one in sorted(path.glob(f"{name}.*"))]
        if not found:
            raise FormatError("holds neither posteriors nor labels; give a file, or the folder of a run", path)
        return _with_source(found)
    with unreadable(path):
        table = _frame(path)
    if are_defused(path):
        table = table.rename(columns=formulas.as_given)
        for name in table.columns:
            table[name] = [formulas.as_given(cell) for cell in table[name]]
    if "item" not in table.columns:
        raise FormatError(f"no item column; the columns are: {', '.join(map(str, table.columns))}", path)
    table["item"] = table["item"].astype("str")
    numeric = REALS if "label" in table.columns else [name for name in table.columns if name not in {"item", "source"}]
    for name in set(numeric) & set(table.columns):
        table[name] = _numbers(table[name], path)
    return table


def label_set_of(path: Path) -> tuple[str, ...] | None:
    """The label set of the run that wrote a folder, or a file in it; None where no summary.json tells."""
    shares = _summary(path).get("label_shares")
    return tuple(shares) if isinstance(shares, dict) and shares else None


def counted_by(path: Path) -> pd.DataFrame | None:
    """What the items of such a run count for: item, and weight, cluster or both; None where it was not told.

    Raises
    ------
    FormatError
        Its labels can't be read.
    """
    folder = path if path.is_dir() else path.parent
    labels = sorted(folder.glob("labels.*"))
    if "units" not in _summary(path) or not labels:
        return None
    table = read_scored(labels[0])
    return table[["item", *(name for name in ("weight", "cluster") if name in table.columns)]]


def are_defused(path: Path) -> bool | None:
    """Whether ``'`` stands before formulas in a table of a run; None where no summary.json tells."""
    if path.suffix.lower() not in CELLS:
        return False
    raw = (_summary(path).get("provenance") or {}).get("raw_cells")
    return None if raw is None else not raw


def _summary(path: Path) -> dict[str, Any]:
    """What the run says of itself that wrote a folder, or a file in it; nothing where no summary.json tells."""
    if not path.is_dir() and path.stem not in FROM_A_FOLDER:
        return {}
    folder = path if path.is_dir() else path.parent
    try:
        told = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _with_source(found: list[Path]) -> pd.DataFrame:
    """The table of a folder; posteriors with the source that stands beside the labels."""
    table = read_scored(found[0])
    if len(found) > 1:
        labels = read_scored(found[-1])
        if "source" in labels.columns:
            table["source"] = table["item"].map(labels.set_index("item")["source"])
    return table


def _frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    if path.suffix.lower() == ".parquet":
        return pd.read_parquet(path)
    start_of(path)
    if path.suffix.lower() == ".jsonl":
        return pd.read_json(path, lines=True, dtype=False)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    try:
        with io.BufferedReader(Tap(path)) as text:
            return pd.read_csv(text, dtype="str", keep_default_na=False, na_filter=False, sep=delimiter)
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise FormatError(f"can't be read as a table: {str(error).strip()}", path) from None


def _numbers(column: pd.Series[str], path: Path) -> pd.Series[float]:
    import pandas as pd

    numbers = pd.to_numeric(column.replace("", None), errors="coerce").astype("float64")
    wrong = numbers.isna() & column.notna() & (column.astype("str") != "")
    if wrong.any():
        what = "a number above 0" if column.name == "weight" else "a probability"
        raise FormatError(f'"{column[wrong].iloc[0]}" in column {column.name} is no number; expected {what}', path)
    return numbers
