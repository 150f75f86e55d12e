"""The same judgments in every format, as every kind of frame, and by the command line: the same bytes."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import consensus
from tests import workbooks
from tests.same_bytes.conftest import ran
from tests.same_bytes.crowd import SETTINGS
from tests.same_bytes.outputs import as_is, differing, neutral

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run
    from tests.same_bytes.crowd import Tables

pytestmark = pytest.mark.compiled


def _zipped(table: pd.DataFrame, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("judged.csv", table.to_csv(index=False))


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """With times and numbers as such."""
    numbers = {name: table[name].astype(float) for name in ("duration", "price")}
    return table.assign(timestamp=pd.to_datetime(table["timestamp"]), **numbers)


def _coded(table: pd.DataFrame) -> pd.DataFrame:
    """Also with texts as categories."""
    return _typed(table).astype(dict.fromkeys(("worker", "label", "batch"), "category"))


def _arrow(table: pd.DataFrame) -> pa.Table:
    return pa.Table.from_pandas(table, preserve_index=False)


def _csv(**options: Any) -> Callable[[pd.DataFrame, Path], Any]:
    return lambda table, path: table.to_csv(path, index=False, **options)


def _with_zone(table: pd.DataFrame, zone: str) -> pd.Series[Any]:
    return pd.to_datetime(table["timestamp"]).dt.tz_localize("UTC").dt.tz_convert(zone)


def _iso_with_zone(table: pd.DataFrame) -> pd.DataFrame:
    when = _with_zone(table, "America/St_Johns")
    texts = when.map(lambda one: one.isoformat(), na_action="ignore").astype(object)
    return table.assign(timestamp=texts.where(texts.notna(), None))


FILES: dict[str, Callable[[pd.DataFrame, Path], Any]] = {
    "j.tsv": _csv(sep="\t"),
    "semicolons.csv": _csv(sep=";"),
    "pipes.txt": _csv(sep="|"),
    "windows.csv": _csv(lineterminator="\r\n"),
    "bom.csv": _csv(encoding="utf-8-sig"),
    "utf16.csv": _csv(encoding="utf-16"),
    "columns.csv": lambda table, path: table[table.columns[::-1]].to_csv(path, index=False),
    "zones.csv": lambda table, path: _iso_with_zone(table).to_csv(path, index=False),
    "j.csv.gz": lambda table, path: path.write_bytes(gzip.compress(table.to_csv(index=False).encode())),
    "j.zip": _zipped,
    "j.jsonl": lambda table, path: table.to_json(path, orient="records", lines=True, force_ascii=False),
    "escaped.jsonl": lambda table, path: table.to_json(path, orient="records", lines=True),
    "j.json": lambda table, path: path.write_text(json.dumps(table.to_dict("records"), indent=1)),
    "j.parquet": lambda table, path: parquet.write_table(_arrow(table), path),
    "typed.parquet": lambda table, path: parquet.write_table(_arrow(_typed(table)), path),
    "coded.parquet": lambda table, path: parquet.write_table(_arrow(_coded(table)), path, row_group_size=100),
    "j.xlsx": lambda table, path: workbooks.xlsx(path, {"all": [list(table.columns), *table.to_numpy().tolist()]}),
}
FRAMES: dict[str, Callable[[pd.DataFrame], Any]] = {
    "pandas": lambda table: table,
    "pandas, typed": _typed,
    "pandas, categories": _coded,
    "pandas, its own texts and nulls": lambda table: table.convert_dtypes(),
    "pandas, another index": lambda table: table.set_index(pd.Index(np.arange(len(table))[::-1])),
    "pandas, another zone": lambda table: table.assign(timestamp=_with_zone(table, "Pacific/Kiritimati")),
    "arrow": _arrow,
    "arrow, in pieces": lambda table: pa.concat_tables(
        [_arrow(table).slice(begin, 100) for begin in range(0, len(table), 100)]
    ),
    "columns": lambda table: {name: table[name].tolist() for name in table},
    "records": lambda table: table.to_dict("records"),
    "an open file": lambda table: io.StringIO(table.to_csv(index=False)),
}


@pytest.mark.parametrize("name", FILES)
def test_files(name: str, reference: dict[str, Any], tables: Tables, given: dict[str, Path], tmp_path: Path) -> None:
    FILES[name](tables.judgments, tmp_path / name)
    assert differing(reference, ran(tmp_path, tmp_path / name, **given)) == []


@pytest.mark.parametrize("name", FRAMES)
def test_frames(name: str, reference: dict[str, Any], tables: Tables, given: dict[str, Path], tmp_path: Path) -> None:
    assert differing(reference, ran(tmp_path, FRAMES[name](tables.judgments), **given)) == []


def test_polars(reference: dict[str, Any], tables: Tables, given: dict[str, Path], tmp_path: Path) -> None:
    polars = pytest.importorskip("polars")
    found = polars.from_arrow(_arrow(tables.judgments))
    assert differing(reference, ran(tmp_path, found, **given)) == []


def test_everything_in_memory(reference: dict[str, Any], tables: Tables, tmp_path: Path) -> None:
    """The tables: a table of costs has no name for the settings."""
    told = tables.beside() | {"gold": pa.Table.from_pandas(tables.gold, preserve_index=False)}
    found = ran(tmp_path, tables.judgments, **told)
    assert differing(*({n: one for n, one in each.items() if n.endswith(".csv")} for each in (reference, found))) == []


def test_the_command_line(
    reference: dict[str, Any], tables: Tables, given: dict[str, Path], tmp_path: Path, run: Run
) -> None:
    file = tmp_path / "judged.csv"
    tables.judgments.to_csv(file, index=False)
    named = [text for name, path in given.items() for text in (f"--{name.replace('_', '-')}", path)]
    chosen = ["--group", "batch", "--keep", "note", "--budget", 6, "--retest", 1, "--audit-sample", 0.1]
    out = tmp_path / "out"
    assert run("run", file, *named, *chosen, "--posteriors", "--output", out, report=True).status == 0
    assert differing(reference, neutral(out, (file, *given.values()))) == []


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_tables_in_other_formats_say_the_same(
    form: str, reference: dict[str, Any], tables: Tables, given: dict[str, Path], tmp_path: Path
) -> None:
    """Also where these are written, rows in another order change nothing."""
    other = tables.shuffled(3)
    written = []
    for n, judged in enumerate((tables.judgments, other.judgments)):
        run = consensus.run(judged, **SETTINGS, **given)
        run.save(tmp_path / str(n), report=False, posteriors=True, format=form)
        found = as_is(tmp_path / str(n))
        written.append({k: v for k, v in found.items() if k.endswith(form) and not k.startswith(("rejects", "input_"))})
    assert len(written[0]) >= len([one for one in reference if one.endswith(".csv")]) - 1
    assert differing(*written) == []
