"""Objects of this package as JSON and one file of arrays, and back: no code is run, and none is kept.

What may be kept: None, truth values, numbers, texts, paths, lists, tuples, sets, mappings, arrays of numpy and Arrow,
settings, and instances of the package's own classes by their fields. One object that is reached in several ways is kept
once. Arrays are mapped into memory when they are read, so that what nobody asks for is not read.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config.settings_base import Settings
from consensus.errors import Place
from consensus.formats import sealed

if TYPE_CHECKING:
    from typing import BinaryIO

PACKAGE = "consensus."
ALIGNED = 64  # bytes
PLAIN = (bool, int, float, str)
COLLECTIONS: dict[str, type] = {"tuple": tuple, "list": list, "set": set, "frozenset": frozenset}
PASSED = ("backend",)
"""Cached values that belong to a process, and are made anew."""


class CannotKeepError(TypeError):
    """Something is of no kind that may be kept."""


def write(kept: Mapping[str, Any], path: Path) -> None:
    """Write objects by name into two files at ``path``: ``.json`` and ``.bin``; both are on the disk then.

    Raises
    ------
    CannotKeepError
        One holds something that may not be kept.
    """
    with path.with_suffix(".bin").open("wb") as arrays:
        writer = _Writer(arrays)
        roots = {name: writer.told(one) for name, one in kept.items()}
        told = {"roots": roots, "objects": writer.objects, "size": arrays.tell()}
        arrays.flush()
        os.fsync(arrays.fileno())
    with path.with_suffix(".json").open("wb") as file:
        file.write(sealed.sealed(json.dumps(told, ensure_ascii=False).encode("utf-8", "surrogatepass")))
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> dict[str, Any]:
    """What was written at a ``path``.

    Raises
    ------
    OSError
        It is not there.
    StateError, ValueError, KeyError, TypeError, AttributeError
        It is not what this version writes.
    """
    size = path.with_suffix(".bin").stat().st_size
    told = json.loads(sealed.unsealed(path.with_suffix(".json")).decode("utf-8", "surrogatepass"))
    if size != told["size"]:
        raise ValueError("the file of arrays is not as long as it was written")
    arrays = np.memmap(path.with_suffix(".bin"), np.uint8, "r") if size else np.zeros(0, np.uint8)
    reader = _Reader(told["objects"], np.asarray(arrays))
    return {name: reader.made(one) for name, one in told["roots"].items()}


class _Writer:
    def __init__(self, arrays: BinaryIO) -> None:
        self.objects: list[Any] = []
        self._arrays = arrays
        self._known: dict[int, int] = {}
        self._held: list[Any] = []  # so that no id is given twice

    def told(self, one: Any) -> Any:
        """JSON of an object, or of where it stands among ``objects``."""
        if one is None or type(one) in PLAIN:
            return one
        if id(one) not in self._known:
            self._held.append(one)
            made = self._made(one)  # first, so that what it holds stands before it
            self._known[id(one)] = len(self.objects)
            self.objects.append(made)
        return {"@": self._known[id(one)]}

    def _made(self, one: Any) -> Any:
        import pyarrow as pa

        kind = type(one)
        if isinstance(one, np.ndarray):
            return self._array(one)
        if isinstance(one, np.generic):
            return {"scalar": self._array(np.asarray(one))}
        if isinstance(one, (pa.Array, pa.ChunkedArray)):
            return self._arrow(one)
        if isinstance(one, Place):
            return {"place": [one.file, one.line, str(one)]}
        if isinstance(one, Path):
            return {"path": str(one)}
        if isinstance(one, Settings):
            return {"settings": _name(kind), "given": one.model_dump(mode="json", exclude_unset=True)}
        if isinstance(one, tuple) and hasattr(kind, "_fields"):
            return {"named": _name(kind), "values": [self.told(each) for each in one]}
        if kind.__name__ in COLLECTIONS and kind in COLLECTIONS.values():
            ordered = sorted(one) if isinstance(one, (set, frozenset)) else one
            return {kind.__name__: [self.told(each) for each in ordered]}
        if isinstance(one, Mapping):
            return {"mapping": [[self.told(key), self.told(value)] for key, value in one.items()]}
        if isinstance(one, type) and one.__module__.startswith(PACKAGE):
            return {"class": _name(one)}
        if kind.__module__.startswith(PACKAGE):
            return {"object": _name(kind), "fields": {name: self.told(each) for name, each in _fields(one).items()}}
        raise CannotKeepError(f"{kind.__module__}.{kind.__qualname__}")

    def _array(self, one: np.ndarray[Any, Any]) -> Any:
        if one.dtype.hasobject:
            raise CannotKeepError("an array of objects")
        order = "F" if one.flags.f_contiguous and not one.flags.c_contiguous else "C"
        start = self._put(np.ascontiguousarray(one.T if order == "F" else one).tobytes())
        return {"array": one.dtype.str, "shape": one.shape, "order": order, "start": start}

    def _arrow(self, one: Any) -> Any:
        import pyarrow as pa

        column = one if isinstance(one, pa.ChunkedArray) else pa.chunked_array([one])
        sink = pa.BufferOutputStream()
        table = pa.table({"": column})
        with pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
        content = sink.getvalue()
        return {"arrow": [self._put(memoryview(content)), content.size], "whole": isinstance(one, pa.Array)}

    def _put(self, content: bytes | memoryview) -> int:
        start = self._arrays.tell()
        self._arrays.write(bytes(-start % ALIGNED))
        start = self._arrays.tell()
        self._arrays.write(content)
        return start


class _Reader:
    def __init__(self, objects: list[Any], arrays: np.ndarray[Any, Any]) -> None:
        self._made: list[Any] = []
        self._arrays = arrays
        for told in objects:
            self._made.append(self._of(told))

    def made(self, told: Any) -> Any:
        """The object of some JSON."""
        return self._made[told["@"]] if isinstance(told, dict) else told

    def _of(self, told: dict[str, Any]) -> Any:
        kind = next(iter(told))
        if kind == "array":
            return self._array(told)
        if kind == "scalar":
            return self._array(told["scalar"])[()]
        if kind == "arrow":
            return self._arrow(told["arrow"][0], told["arrow"][1], told["whole"])
        if kind == "place":
            return Place.restored(*told["place"])
        if kind == "path":
            return Path(told["path"])
        if kind == "settings":
            return _named(told["settings"], Settings).of(None, **told["given"])
        if kind == "named":
            return tuple.__new__(_named(told["named"], tuple), map(self.made, told["values"]))
        if kind in COLLECTIONS:
            return COLLECTIONS[kind](map(self.made, told[kind]))
        if kind == "mapping":
            return {self.made(key): self.made(value) for key, value in told["mapping"]}
        if kind == "class":
            return _named(told["class"])
        found = object.__new__(_named(told["object"]))
        for name, one in told["fields"].items():
            object.__setattr__(found, name, self.made(one))
        return found

    def _array(self, told: dict[str, Any]) -> np.ndarray[Any, Any]:
        dtype, shape = np.dtype(told["array"]), tuple(told["shape"])
        n_bytes = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        flat = self._arrays[told["start"] : told["start"] + n_bytes]
        turned = told["order"] == "F"
        found: np.ndarray[Any, Any] = flat.view(dtype).reshape(shape[::-1] if turned else shape)
        return found.T if turned else found

    def _arrow(self, start: int, size: int, whole: bool) -> Any:
        import pyarrow as pa

        column = pa.ipc.open_stream(pa.py_buffer(self._arrays[start : start + size])).read_all().column(0)
        if not whole:
            return column
        return column.chunk(0) if column.num_chunks == 1 else pa.array([], column.type)


def _fields(one: Any) -> dict[str, Any]:
    """What an instance holds: the fields of a dataclass, else what it has, but for what belongs to a process."""
    if is_dataclass(one):
        return {field.name: getattr(one, field.name) for field in fields(one)}
    return {name: each for name, each in vars(one).items() if name not in PASSED}


def _name(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _named(name: str, base: type = object) -> Any:
    """A class of this package, and no other that one of its modules imports; one of a ``base``.

    Raises
    ------
    ValueError
        It is none.
    """
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module) if module.startswith(PACKAGE) else None
    for part in path.split("."):
        found = getattr(found, part, None)
    if not (isinstance(found, type) and issubclass(found, base) and found.__module__.startswith(PACKAGE)):
        raise ValueError(f"{name} is no class of this package")
    return found
