"""Cases that once went wrong, as small as they can be: each is read as every kind of table, and ends as it should."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from tests.fuzz import frames, kinds, settings, tables

CORPUS = Path(__file__).parent / "corpus"
FILES = sorted(CORPUS.iterdir())
DAY = pa.timestamp("s")
INTERVALS = pa.array([pa.MonthDayNano([1, 2, 3])] * 2)
FRAMES: dict[str, Any] = {
    "uuids": {"item": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"\xff" * 16] * 2, pa.binary(16)))},
    "fixed size": {"item": pa.array([b"ab", None], pa.binary(2))},
    "views": {"item": pa.array(["a", None], pa.string_view()), "worker": pa.array([b"\xff", b"a"], pa.binary_view())},
    "categories of views": {"label": pa.array(["a", None]).cast(pa.string_view()).dictionary_encode()},
    "categories twice": {"label": pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array(["a", "a"]), ordered=True)},
    "categories that are no text": {
        "label": pa.DictionaryArray.from_arrays(pa.array([0, 1]), pa.array([b"\xff", b"a"]), ordered=True)
    },
    "intervals": {
        "label": pa.array([pa.MonthDayNano([1, 2, 3])] * 2),
        "timestamp": pa.array([pa.MonthDayNano([1, 2, 3])] * 2),
    },
    "large numbers beside": {"seconds": pa.array([2**53 + 1, 2**62]), "price": pa.array([2**63 - 1, 0])},
    "far times": {"timestamp": pa.array([2**62, 3_876_000_000_000]).view(DAY)},
    "far times as items": {"item": pa.array([2**62, 0]).view(DAY)},
    "no such zone": {"item": pa.array([0, 1]).view(pa.timestamp("s", "Mars/Phobos"))},
    "unions": {"item": pa.UnionArray.from_sparse(pa.array([0, 0], pa.int8()), [pa.array(["a", "b"])])},
    "times of numpy beside numbers": {"label": [np.datetime64("2024"), np.int64(2**62)]},
    "objects that tell nothing": {"label": [frames.Awkward(), frames.Awkward()]},
    "no cells": {"label": np.array(5)},
    "too large for Arrow": {"label": pd.Series([2**70, object()], dtype=object)},
    "odd types of polars": {
        "item": pl.Series([2**100, None], dtype=pl.Int128),
        "label": pl.Series([1, "a"], dtype=pl.Object),
    },
}
"""Columns beside which the others are sound."""
COMMANDS: dict[str, dict[str, Any]] = {
    "a value that tells nothing": {"target": frames.Awkward()},
    "a label map that no file is": {"label_map": Path("a\0b")},
    "one whose name is too long": {"label_map": Path("x" * 300)},
}


@pytest.mark.parametrize("kind", kinds.ROLES)
@pytest.mark.parametrize("path", FILES, ids=[one.name for one in FILES])
def test_files(path: Path, kind: str, tmp_path: Path) -> None:
    copy = Path(shutil.copy(path, tmp_path))
    how, fault = tables.outcome_of(lambda: kinds.Made(kind, copy), tmp_path)
    assert fault is None
    assert how in {"tables", "errors"}


@pytest.mark.parametrize("name", FRAMES)
def test_columns(name: str, tmp_path: Path) -> None:
    columns = {"item": ["a", "b"], "worker": ["v", "v"], "label": ["x", "y"], **FRAMES[name]}
    for kind in ("judgments", "gold"):
        how, fault = tables.outcome_of(lambda kind=kind: kinds.Made(kind, dict(columns), {}, None), tmp_path)  # type: ignore[misc]
        assert fault is None
        assert how in {"tables", "errors"}


@pytest.mark.parametrize("name", COMMANDS)
def test_settings(name: str, tmp_path: Path) -> None:
    import consensus

    table = {"item": ["a"], "worker": ["v"], "label": ["x"]}
    how, fault = settings.ended(lambda: consensus.check(table, **COMMANDS[name]), tmp_path)
    assert (how, fault) == ("errors", None)
