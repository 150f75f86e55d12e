"""Objects come back as they were, and nothing else than data is kept."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from consensus.config import FitConfig, ReadConfig
from consensus.errors import Place
from consensus.formats import sealed
from consensus.formats.tables.row_choice import RowChoice
from consensus.found.cautions import Caution
from consensus.found.result import Consensus
from consensus.inputs.understood import Column
from consensus.models.base import fit
from consensus.state import kept_objects


def again(one: Any, path: Path) -> Any:
    kept_objects.write({"one": one}, path / "kept")
    return kept_objects.read(path / "kept")["one"]


@pytest.mark.parametrize(
    "one",
    [
        None,
        True,
        7,
        0.1,
        float("inf"),
        "text \ud800",
        Path("a/b"),
        (1, "a", (2.5,)),
        [1, [2]],
        {"a": 1, ("b", 2): [3]},
        {"x", "y"},
        frozenset({1, 2}),
        Column("item", "unit", "by its name", 3),
        Caution("small_data", "too few", {"n": 3}),
        FitConfig(seed=3),
        Consensus,
        (),
    ],
)
def test_it_comes_back(tmp_path: Path, one: Any) -> None:
    found = again(one, tmp_path)
    assert found == one
    assert type(found) is type(one)


def test_a_place_comes_back_with_its_parts(tmp_path: Path) -> None:
    found = again(Place.of("a.csv", 3), tmp_path)
    assert (found, found.file, found.line) == ("a.csv:3", "a.csv", 3)


@pytest.mark.parametrize(
    "one",
    [
        np.arange(6, dtype=np.int32).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros((0, 3)),
        np.array(["2024-01-01", "NaT"], "datetime64[us]"),
        np.array([True, False]),
        np.float64(2.5),
        np.arange(10)[::2],
    ],
)
def test_arrays_come_back_bit_for_bit(tmp_path: Path, one: Any) -> None:
    found = again(one, tmp_path)
    np.testing.assert_array_equal(found, one)
    assert found.dtype == one.dtype
    assert found.shape == one.shape


@pytest.mark.parametrize("one", [pa.array(["a", None]), pa.array([], pa.string()), pa.chunked_array([["a"], ["b"]])])
def test_arrow_comes_back(tmp_path: Path, one: Any) -> None:
    found = again(one, tmp_path)
    assert found.equals(one)
    assert isinstance(found, type(one))


def test_an_object_that_is_no_dataclass_comes_back_by_what_it_has(tmp_path: Path) -> None:
    choice = RowChoice(ReadConfig(drop=("status=bad",)))
    choice.n_dropped = 7
    found = again(choice, tmp_path)
    assert (found.n_dropped, found.roles) == (7, choice.roles)


def test_what_is_reached_twice_is_one_object(tmp_path: Path) -> None:
    shared = np.arange(3)
    kept_objects.write({"a": [shared, shared], "b": shared}, tmp_path / "kept")
    found = kept_objects.read(tmp_path / "kept")
    assert found["a"][0] is found["a"][1] is found["b"]


@pytest.mark.parametrize("one", [len, object(), np.array([object()]), json])
def test_what_is_no_data_is_refused(tmp_path: Path, one: Any) -> None:
    with pytest.raises(kept_objects.CannotKeepError):
        kept_objects.write({"one": one}, tmp_path / "kept")


def test_a_class_that_is_not_ours_is_never_made(tmp_path: Path) -> None:
    kept_objects.write({"one": Column("item", "unit", "by its name", 3)}, tmp_path / "kept")
    file = tmp_path / "kept.json"
    others = ("os:system", "consensus.inputs.understood:line", "consensus.inputs.understood:gone")
    for name in (*others, "consensus.state.kept_objects:Path", "consensus.found.cautions:Caution"):
        told = sealed.unsealed(file).decode()
        file.write_bytes(sealed.sealed(told.replace("consensus.inputs.understood:Column", name).encode()))
        with pytest.raises(ValueError, match="is no class of this package"):
            kept_objects.read(tmp_path / "kept")
        file.write_bytes(sealed.sealed(told.encode()))


def test_a_file_that_is_cut_is_refused(tmp_path: Path) -> None:
    kept_objects.write({"one": np.arange(9)}, tmp_path / "kept")
    file = tmp_path / "kept.bin"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match="not as long as it was written"):
        kept_objects.read(tmp_path / "kept")


def test_a_fit_comes_back_without_its_threads(tmp_path: Path) -> None:
    result = fit({"item": ["a", "a", "b"], "worker": ["x", "y", "x"], "label": ["1", "2", "1"]})
    _ = result.backend, result.peaks
    found = again(result, tmp_path)
    assert found.labels.equals(result.labels)
