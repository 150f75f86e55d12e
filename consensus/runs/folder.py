"""Writing an output folder: built beside its place under another name, then renamed."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.config import nearest
from consensus.errors import ConfigError, OutputError, reason
from consensus.formats import partials, writing
from consensus.report import charts, page
from consensus.report.page_options import PageOptions
from consensus.runs import kept_inputs, tables
from consensus.runs.listening import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from consensus.runs.listening import Listener
    from consensus.runs.whole_run import Run
    from consensus.simulation import Simulation

OF_A_RUN = frozenset(
    {
        "summary.json",
        page.FILE,
        *kept_inputs.FILES.values(),
        *(
            name + ending
            for name in (*(one.name for one in tables.TABLES), "pseudonyms")  # the last up to 0.4
            for ending in writing.ENDINGS
        ),
    }
)
FORMATS = (".csv", ".parquet", ".jsonl")
SAVING = ("folder", "overwrite", "format", "report", "posteriors", "raw_cells")
"""What ``Run.save`` takes besides the fields of ``PageOptions``."""
NEEDLESS = "spreadsheet_safe is what is done anyway: leave it out; raw_cells=True leaves formulas as they are"
OF_A_SIMULATION = frozenset({"judgments.csv", "gold.csv", "truth.csv", "planted.csv"})


def check(out: Path, *, overwrite: bool, ours: frozenset[str] = OF_A_RUN, inputs: Iterable[Path] = ()) -> Path:
    """Refuse, before any work is done, a folder that could not be written in the end; return its real path.

    Parameters
    ----------
    out
        Folder to write.
    overwrite
        It may exist, if it holds nothing but files that we wrote.
    ours
        Names of such files.
    inputs
        Files that are read; none may lie in ``out``.

    Raises
    ------
    OutputError
        It exists (and ``overwrite`` is not set, or it holds something else than such an output), it is the current
        folder, or its parent is missing or may not be written.
    """
    if str(out) == "-":
        raise OutputError("- is standard output, and this is a folder; name one with --output", out)
    real = Path(os.path.realpath(out))
    try:
        is_another = real.exists() and not real.is_dir()
    except OSError as error:  # a folder on the way to it is closed
        raise OutputError.of(error, out) from None
    if is_another:
        raise OutputError("a file stands there; choose another folder with --output", out, code="output_exists")
    if real == Path.cwd() or real in Path.cwd().parents:
        raise OutputError("this is the folder you are in; choose another with --output", out)
    for path in inputs:
        if real in Path(os.path.realpath(path)).parents:
            raise OutputError(
                f"{path}, which is to be read, lies in it; choose another folder with --output",
                out,
                code="output_exists",
            )
    partials.tidy(real)
    found = _names_in(real)
    if found and not overwrite:
        raise OutputError(
            "exists already; choose another folder with --output, or pass --overwrite", out, code="output_exists"
        )
    others = [name for name in found if name not in ours]
    if others:
        raise OutputError(
            f"holds {others[0]}, which is not ours and would be lost; choose another folder with --output",
            out,
            code="output_exists",
        )
    if not real.parent.is_dir():
        raise OutputError(f"there is no folder {real.parent}; create it first", out)
    try:
        with tempfile.TemporaryFile(dir=real.parent):
            pass
    except OSError as error:
        raise OutputError(
            f"{real.parent} can't be written ({reason(error)}); choose another with --output", out
        ) from None
    return real


def _names_in(out: Path) -> list[str]:
    """What a folder holds, which may not be there.

    Raises
    ------
    OutputError
        It can't be read.
    """
    try:
        return sorted(path.name for path in out.iterdir()) if out.exists() else []
    except OSError as error:
        raise OutputError(f"can't be read: {reason(error)}; choose another folder with --output", out) from None


@contextmanager
def whole(out: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """A folder to fill that takes the place of ``out`` when all went well, and else disappears.

    An older ``out`` stays as it is until then (see ``partials.put``).

    Raises
    ------
    OutputError
        The disk is full, a rename is refused, or another run wrote ``out`` meanwhile and ``overwrite`` is not set.
    """
    try:
        with partials.claimed(out, is_folder=True) as partial:
            try:
                yield partial
            except OutputError as error:  # of a file in it: that is called as it would have been
                raise error.elsewhere(partial, out) from None
            if not partials.put(partial, out, overwrite=overwrite):
                raise OutputError(
                    "another run wrote it meanwhile; choose another folder with --output, or pass --overwrite",
                    out,
                    code="output_exists",
                )
    except OSError as error:
        raise OutputError.of(error, out) from None


@dataclass(frozen=True, slots=True)
class Output:
    """What a run writes, and how."""

    ending: str = ".csv"
    """Of the tables: .csv, .parquet or .jsonl."""
    also: tuple[str, ...] = ()
    """Tables that are only written if asked for, such as posteriors."""
    raw_cells: bool = False
    """Leave ids that a spreadsheet would take for a formula as they are, in CSV, too."""
    report: bool = False
    """Also write report.html; it needs the extra ``report``."""
    page: PageOptions = field(default_factory=PageOptions)
    """How that is written."""
    overwrite: bool = True
    """An output that another run wrote meanwhile may be replaced."""

    @classmethod
    def of(
        cls,
        *,
        format: str = "csv",
        report: bool | None = None,
        posteriors: bool = False,
        raw_cells: bool = False,
        **page: Any,
    ) -> Output:
        """What ``Run.save`` was asked for; ``page`` are fields of ``PageOptions``.

        Raises
        ------
        ConfigError
            There is no such format or field, or something is said of a page that is not written.
        OutputError
            A report is wanted, and the extra ``report`` is not installed.
        """
        if f".{format}" not in FORMATS:
            raise ConfigError(f"format = {format!r}: expected one of {', '.join(one[1:] for one in FORMATS)}")
        if page.pop("spreadsheet_safe", None) is not None:
            warnings.warn(NEEDLESS, FutureWarning, stacklevel=3)
        if "pseudonyms" in page:
            raise ConfigError("pseudonyms: workers are named where judgments are read; give the file of a key there")
        names = [one.name for one in fields(PageOptions)]
        for name in page:
            if name not in names:
                raise ConfigError(f'unknown setting "{name}"{nearest(name, [*SAVING, *names])}')
            if report is False:
                raise ConfigError(f"--{name.replace('_', '-')}: it is about the page, which --no-report leaves out")
        if report:
            charts.check()
        with_report = charts.are_there() if report is None else report
        also = ("posteriors",) if posteriors else ()
        return cls(f".{format}", also, raw_cells, with_report, PageOptions(**page))


def write(run: Run, out: Path, output: Output, listener: Listener = SILENT) -> None:
    """Write all tables of a run into ``out``, which ``check`` returned, the summary, and the report if wanted.

    Raises
    ------
    OutputError
        Something can't be written; then ``out`` is as it was.
    """
    import pyarrow as pa

    told = run.summary
    with whole(out, overwrite=output.overwrite) as folder:
        plain = _are_plain(run, output.ending)
        judged = run.result.judgments
        kept = [text for one in judged.kept for text in (one.texts, pa.array([one.name]))]
        kept += [] if judged.cluster_ids is None else [judged.cluster_ids]
        plain_labels = plain and writing.are_plain(kept, output.ending)
        for table in tables.TABLES:
            wanted = table.name in output.also if table.when is None else table.when(run)
            if not wanted:
                continue
            file = f"{table.name}{output.ending}"
            listener.stage(f"{table.stage} {file}")
            assert table.rows is not None
            rows = table.rows(run)
            if isinstance(rows, tables.Blocks):
                backend = run.result.backend
                quoteless = plain_labels if table.name == "labels" else plain
                writing.write_blocks(
                    rows.n_rows, rows.block, folder / file, plain=quoteless, backend=backend, raw_cells=output.raw_cells
                )
            else:
                writing.write(pa.table(rows), folder / file, raw_cells=output.raw_cells)
            del rows
        if output.report:
            writing.write_bytes(page.made(run, listener.stage, output.page), folder / page.FILE)
        listener.stage("writing summary.json")
        is_nameless = run.result.judgments.renaming.key is not None
        read = {} if is_nameless else kept_inputs.written(run.inputs.tables, folder)  # they name workers
        told = {**told, "provenance": {**told["provenance"], **read, "raw_cells": output.raw_cells}}
        text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        writing.write_bytes(text.encode(), folder / "summary.json")


def encode_confusions(run: Run, ending: str, file: BinaryIO, raw_cells: bool) -> None:
    """Write the table of confusions to an open file, as a run does: in blocks, since all its texts may be too long."""
    rows, plain = tables.confusions(run), _are_plain(run, ending)
    writing.encode_blocks(
        rows.n_rows, rows.block, ending, file, plain=plain, backend=run.result.backend, raw_cells=raw_cells
    )


def _are_plain(run: Run, ending: str) -> bool:
    """Whether no id, label or name of a column that a table of many rows may hold needs quotes."""
    import pyarrow as pa

    result = run.result
    judgments = result.judgments
    names = [*result.label_columns(slice(0, 0)), *judgments.labels]
    unjudged = [] if result.gold is None else list(result.gold.unjudged)
    texts = (judgments.item_ids, judgments.worker_ids, pa.array([*names, *unjudged], pa.string()))
    return writing.are_plain(texts, ending)


def write_simulation(drawn: Simulation, out: Path, *, n_gold: int, seed: int) -> None:
    """Write a simulated crowd into ``out``: judgments, gold, truth and the planted confusions.

    Raises
    ------
    OutputError
        Something can't be written; then ``out`` is as it was.
    """
    with whole(out) as folder:
        writing.write(drawn.judgments_table(), folder / "judgments.csv")
        writing.write(drawn.truth_table(n_gold, seed), folder / "gold.csv")
        writing.write(drawn.truth_table(), folder / "truth.csv")
        writing.write(drawn.confusions_table(), folder / "planted.csv")
