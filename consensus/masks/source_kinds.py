"""Which reader a source gets: by what its files hold."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from consensus.errors import FormatError
from consensus.formats import sources
from consensus.formats.tables.streams import COMPRESSION, unreadable
from consensus.inputs.judgments import Source
from consensus.masks import coco, label_studio
from consensus.masks.given_masks import GivenMasks
from consensus.masks.manifest import NAMES, OF_MODELS, read_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = (b"[", b"{")


def given_masks(
    source: Any,
    columns: Mapping[str, str] | None = None,
    *,
    worker: str | None = None,
    worker_from_file: bool = False,
    of_models: bool = False,
) -> GivenMasks:
    """All masks that a source names or holds.

    Parameters
    ----------
    source
        What ``consensus.read`` takes: files, or a table.
    columns
        As in ``read_masks``.
    worker
        Who painted, where nothing tells.
    worker_from_file
        Each file is one worker's, and called by its name.
    of_models
        A manifest may call the worker a model.

    Raises
    ------
    FormatError
        A file can't be read, or is of no kind that holds masks.
    """
    names = OF_MODELS if of_models else NAMES
    made = GivenMasks()
    with sources.opened(source) as found:
        if found is None:
            return read_manifest(source, columns, worker=worker, names=names)
        made.notes += found.notes
        for file in found.files:
            one = _name(PurePath(file.shown)) if worker_from_file else worker
            with sources.named(file):
                document = _document(file.path)
                if document is None:
                    masks = read_manifest(sources.Opened((file,)), columns, worker=one, names=names)
                else:
                    masks = _of_json(document, file.shown, one)
                    masks.sources.append(Source(file.shown, hashlib.sha256(file.path.read_bytes()).hexdigest()))
            if worker_from_file and one is not None:
                masks.called(one)
            made.add(masks)
    return made


def _name(path: PurePath) -> str:
    """What the worker of a file is called."""
    return PurePath(path.stem).stem if path.suffix.lower() in COMPRESSION else path.stem


def _document(path: Path) -> Any:
    """What a file of JSON holds, if it may hold masks; None for a table.

    Raises
    ------
    FormatError
        It can't be read, or is no JSON, though it begins so.
    """
    with unreadable(path), path.open("rb") as file:
        start = file.read(1 << 10).removeprefix(b"\xef\xbb\xbf").lstrip()
    if path.suffix.lower() != ".json" or not start.startswith(JSON):
        return None
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"not JSON: {f'{error}'[:200]}; export it again", path) from None
    return document if coco.is_coco(document) or label_studio.is_label_studio(document) else None


def _of_json(document: Any, file: str, worker: str | None) -> GivenMasks:
    folder = Path(file).parent
    if coco.is_coco(document):
        return coco.read_coco(document, file, folder, worker)
    return label_studio.read_label_studio(document, file, folder, worker)
