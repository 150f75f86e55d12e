"""The folder of a run over pictures: written whole or not at all, and made again from what it names."""

from __future__ import annotations

import json
import os
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.chunks import image_files, page, tables, whole_run
from consensus.chunks.cuts import Cuts
from consensus.chunks.gallery import CROPS, MOST_CROPS, OVERLAYS
from consensus.chunks.looks import Looks
from consensus.config import ChunksConfig
from consensus.errors import OutputError, RunError
from consensus.formats import partials, read, writing
from consensus.inputs import formulas
from consensus.masks.reading import read_masks
from consensus.runs import folder as folders
from consensus.runs.listening import SILENT
from consensus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pandas as pd

    from consensus.chunks.listing import Listed
    from consensus.chunks.painting import Painted
    from consensus.chunks.whole_run import ChunkRun
    from consensus.runs.listening import Listener

MASKS, CONFIDENCE, SUMMARY, CLICKS = "masks", "confidence", "summary.json", "clicks.csv"
TABLES = ("images", "chunks", "escalations", "workers", "confusions")
JUDGED = ("item", "worker", "label")
"""Columns of clicks."""
OURS = frozenset({MASKS, CONFIDENCE, SUMMARY, CLICKS, *(f"{name}.csv" for name in TABLES), OVERLAYS, CROPS, page.FILE})


def save(
    run: ChunkRun,
    out: Path | str,
    *,
    overwrite: bool = False,
    raw_cells: bool = False,
    crops: int = MOST_CROPS,
    report: bool | None = None,
    spreadsheet_safe: bool | None = None,
) -> Path:
    """Write a run into a folder; return its real path.

    Parameters
    ----------
    run
        What was found.
    out
        Folder to write.
    overwrite
        It may hold an older run.
    raw_cells
        Leave text that a spreadsheet would take for a formula as it is; else ``'`` stands before it.
    crops
        Pictures of single chunks to write at most.
    report
        Also write report.html; by default if its libraries are installed.
    spreadsheet_safe
        Of earlier versions: what it asked for is done anyway.

    Raises
    ------
    OutputError
        It can't be written, or something stands there; then it is as it was.
    """
    if spreadsheet_safe is not None:
        warnings.warn(folders.NEEDLESS, FutureWarning, stacklevel=2)
    drawn = Looks.of(crops, report, str(out))
    real = check(Path(out), overwrite=overwrite)
    write(run, real, raw_cells=raw_cells, drawn=drawn, overwrite=overwrite)
    return real


def check(out: Path, *, overwrite: bool, inputs: Iterable[Path] = ()) -> Path:
    """Refuse, before any work is done, a folder that could not be written in the end; return its real path.

    Raises
    ------
    OutputError
        Something stands there, or one of the ``inputs``, or it can't be written.
    ConfigError
        Pillow is not installed.
    """
    image_files.pillow()
    return folders.check(out, overwrite=overwrite, ours=OURS, inputs=inputs)


@contextmanager
def alone(path: Path, listener: Listener = SILENT) -> Iterator[None]:
    """Have the folder of a run for oneself, from reading it to writing it: else of two who add to it, one is lost."""

    def waits() -> None:
        listener.say(f"waiting for another command that writes {path}")

    with partials.held(Path(os.path.realpath(path)), waits):
        yield


def write(run: ChunkRun, real: Path, *, raw_cells: bool = False, drawn: Looks, overwrite: bool = True) -> None:
    """Write a run into a folder that was checked.

    Raises
    ------
    OutputError
        It can't be written, or masks or pictures lie in it; then it is as it was.
    """
    for path in run.masks.files():
        if real in Path(os.path.realpath(path)).parents:
            raise OutputError(
                f"{path}, which was read, lies in it and would be lost; choose another folder with --output",
                real,
                code="output_exists",
            )
    with folders.whole(real, overwrite=overwrite) as folder:
        fill(run, folder, raw_cells=raw_cells, drawn=drawn)


def fill(run: ChunkRun, folder: Path, *, raw_cells: bool, drawn: Looks) -> None:
    """Write masks, confidences, pictures to look at, tables and summary into an empty ``folder``."""
    for name in (MASKS, CONFIDENCE):
        (folder / name).mkdir()
    colours, gallery = run.masks.classes.colours, drawn.gallery(run, folder)

    def taken(number: int, painted: Painted, listed: Listed) -> None:
        labels, confidences = painted.pixels
        image_files.write_labels(labels, colours, folder / MASKS / f"{run.files[number]}.png")
        image_files.write_confidences(confidences, folder / CONFIDENCE / f"{run.files[number]}.png")
        gallery.add(number, painted, listed)

    run.look_again(taken)
    crops = gallery.finish()
    drawn.write_page(run, gallery, folder)
    run.listener.stage("writing tables")
    for name in TABLES:
        table = getattr(run, name)
        shown = table.assign(crop=crops) if "crop" in table else table
        writing.write(shown, folder / f"{name}.csv", raw_cells=raw_cells)
    if run.clicks:
        writing.write(click_rows(run), folder / CLICKS, raw_cells=raw_cells)
    said = {**summary(run), "raw_cells": raw_cells, "crops": drawn.crops, "report": drawn.asked}
    told = json.dumps(said, indent=2, ensure_ascii=False, allow_nan=False)
    writing.write_bytes(f"{told}\n".encode(), folder / SUMMARY)


def click_rows(run: ChunkRun) -> pd.DataFrame:
    """One row a click: item, worker, label."""
    import pandas as pd

    hashes = dict(zip(run.images["image"], run.images["chunks"], strict=True))
    rows = []
    for number, name in enumerate(run.names):
        width = run.masks.pictures[number].width
        for first, given in run.clicks.get(name, {}).items():
            y, x = divmod(first, width)
            rows += [(f"{name}#{x},{y}-{hashes[name]}", one.worker, run.labels[one.label]) for one in given]
    return pd.DataFrame(rows, columns=list(JUDGED), dtype="str")


def summary(run: ChunkRun) -> dict[str, Any]:
    """What summary.json says."""
    units, images = run.result.units, run.images
    assert units is not None
    pixels = (images["height"] * images["width"]).astype("int64")
    settings = run.config.model_dump(mode="json", exclude={"threads"})

    def mean(name: str) -> float | None:
        known = images[name].dropna()
        return float(known.mean()) if len(known) else None

    return {
        "consensus": VERSION,
        "kind": "chunks",
        "settings": settings,
        "inputs": run.inputs,
        "labels": list(run.labels),
        "n_images": len(images),
        "n_pixels": int(pixels.sum()),
        "n_masks": int(images["n_masks"].sum()),
        "n_workers": len(run.masks.workers),
        "n_models": len(run.masks.models),
        "n_patterns": int(sum(len(one.area) for one in run.counted)),
        "n_eff": units.n_eff,
        "n_eff_estimated": units.told,
        "agreement": mean("agreement"),
        "expected_foreground_iou": mean("expected_foreground_iou"),
        "expected_iou": mean("expected_iou"),
        "uncertain_share": float((images["uncertain_share"] * pixels).sum() / pixels.sum()),
        "images": {status: int((images["status"] == status).sum()) for status in tables.IMAGE_STATUSES},
        "n_chunks_listed": len(run.chunks),
        "clicks_to_ask": int(run.chunks["judgments"].sum()),
        "n_clicks": sum(len(given) for chunks in run.clicks.values() for given in chunks.values()),
        "n_clicks_waiting": run.n_waiting,
        "fit": {"status": run.result.convergence.status, "passes": run.result.convergence.iterations},
        "notes": list(run.masks.notes),
        "cautions": run.cautions,
    }


def load(folder: Path | str, listener: Listener = SILENT, *, pseudonyms: Path | None = None) -> ChunkRun:
    """Make the run of a folder again, from the masks that it names, with the clicks that it holds.

    The key of its ``pseudonyms`` may lie in another place now.

    Raises
    ------
    RunError
        It is no such folder, its masks were in no file, something else is said in them than then, or the key of its
        pseudonyms is another one.
    ConfigError
        That can't be read.
    FormatError
        A mask can't be read.
    """
    path = Path(folder)
    told = summary_of(path)
    if told["inputs"] is None:
        raise RunError(
            "it does not tell what its masks are, so that it can't be made again: they were given in memory, or each "
            "file is called like a worker who has a pseudonym; keep them in files, and name workers in these",
            path,
        )
    given = {name: _read(one) for name, one in told["inputs"].items()}
    if pseudonyms is not None:
        if given.get("pseudonyms") is None:
            raise RunError("it has no pseudonyms; make it again with --pseudonyms", path)
        given["pseudonyms"] = pseudonyms
    listener.stage("reading")
    cuts = Cuts.of(given.pop("cuts", None))
    masks = read_masks(**given)
    config = ChunksConfig.of(None, **told["settings"])
    run = whole_run.of_masks(masks, config, cuts, inputs=told["inputs"], listener=listener)
    digests, raw = _table(path / "images.csv", ("image", "digest")), is_raw(told)
    if [_as_given(name, raw) for name, _ in digests] != list(run.names):
        raise RunError("there are other pictures than there were; run it again", path)
    if masks.key is not None:
        _refuse_another_key(masks.workers, path, raw)
    for (name, digest), one in zip(digests, run.counted, strict=True):
        if digest != one.digest:
            raise RunError(f'the masks of "{name}" are not what they were; run it again', path)
    if not (path / CLICKS).is_file():
        return run
    import pandas as pd

    from consensus.chunks import answering

    rows = [tuple(_as_given(cell, raw) for cell in row) for row in _table(path / CLICKS, JUDGED)]
    clicks = read(pd.DataFrame(rows, columns=list(JUDGED), dtype="str"))
    return run.with_clicks(answering.clicks_of(run, clicks))


def summary_of(path: Path) -> dict[str, Any]:
    """What summary.json in a folder says.

    Raises
    ------
    RunError
        There is none, or it is of another kind.
    """
    try:
        told = json.loads((path / SUMMARY).read_text(encoding="utf-8"))
        if told["kind"] == "chunks" and isinstance(told["settings"], dict) and isinstance(told["inputs"], dict | None):
            return dict(told)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise RunError("this is no folder of a run over pictures: its summary.json is missing or another one", path)


def images_of(path: Path) -> dict[str, tuple[str, float]]:
    """Status and expected foreground IoU of each picture, as they stand in a folder; NaN where it is missing."""
    rows = _table(path / "images.csv", ("image", "status", "expected_foreground_iou"))
    raw = is_raw(summary_of(path))
    return {_as_given(name, raw): (status, float(iou or "nan")) for name, status, iou in rows}


def is_raw(told: Mapping[str, Any]) -> bool:
    """Whether formulas stand in a folder as they are, given what its summary.json says."""
    return told.get("raw_cells", told.get("spreadsheet_safe") is not True) is True


def looks_of(told: Mapping[str, Any], out: str, crops: int | None = None, report: bool | None = None) -> Looks:
    """What is drawn of a folder that is written again: as ``crops`` and ``report`` say, else as it was.

    ``told`` is what its summary.json says.

    Raises
    ------
    OutputError
        The page is asked for, and its libraries are not there.
    """
    most, asked = told.get("crops"), told.get("report")
    if crops is None:
        crops = most if type(most) is int and most >= 0 else MOST_CROPS
    if report is None and isinstance(asked, bool):
        report = asked
    return Looks.of(crops, report, out)


def _refuse_another_key(workers: Iterable[str], path: Path, raw: bool) -> None:
    """Refuse a run whose people get other pseudonyms now.

    Raises
    ------
    RunError
        They do.
    """
    known = {_as_given(name, raw) for (name,) in _table(path / "workers.csv", ("worker",))}
    if not known.issuperset(workers):
        raise RunError("the key of its pseudonyms is not what it was; name that with --pseudonyms", path)


def _as_given(text: str, raw: bool) -> str:
    """A text as it was before ``'`` was put before it."""
    return text if raw else formulas.as_given(text)


def _table(path: Path, columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Some columns of a table of ours, as texts."""
    import pandas as pd

    try:
        found = pd.read_csv(path, dtype="str", keep_default_na=False)[list(columns)]
    except (OSError, ValueError, KeyError):
        raise RunError(f"its {path.name} is missing, or not what was written; run it again", path.parent) from None
    return list(found.itertuples(index=False, name=None))


def _read(one: Any) -> Any:
    """An argument, as it was before ``whole_run.stored``."""
    return dict(map(tuple, one["pairs"])) if isinstance(one, dict) else one
