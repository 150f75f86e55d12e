"""Files as streams: what they leave behind."""

from __future__ import annotations

import gc
import gzip
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from consensus.formats.tables.streams import Tap

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"item,worker,label\n" * 1000


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_what_was_read_leaves_no_memory_behind(compression: str, tmp_path: Path) -> None:
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(TEXT) if compression == "gzip" else pa.compress(TEXT, "zstd", asbytes=True))
    held = []
    for _ in range(4):
        with Tap(path) as tap:
            assert tap.read(2 * len(TEXT)) == TEXT
            assert tap.read(1) == b""
            assert tap.done == 1
        del tap
        held.append(pa.total_allocated_bytes())
    assert held[-1] == held[0]


@pytest.mark.parametrize("compression", ["gzip", "zstd", None])
def test_all_of_it_at_once(compression: str | None, tmp_path: Path) -> None:
    path = tmp_path / "packed"
    packed = {"gzip": gzip.compress(TEXT), "zstd": pa.compress(TEXT, "zstd", asbytes=True), None: TEXT}
    path.write_bytes(packed[compression])
    with Tap(path) as tap:
        assert tap.read() == TEXT


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_what_can_not_be_unpacked_leaves_no_memory_behind(compression: str, tmp_path: Path) -> None:
    path, size = tmp_path / "packed", 1 << 20
    text = np.random.default_rng(1).integers(32, 127, 1 << 20, np.uint8).tobytes()
    packed = bytearray(gzip.compress(text) if compression == "gzip" else pa.compress(text, "zstd", asbytes=True))
    packed[len(packed) // 2 :] = bytes(len(packed) - len(packed) // 2)
    path.write_bytes(packed)

    def unpacked() -> None:
        with Tap(path) as tap:
            while tap.read(size):
                pass

    def held() -> int:
        for _ in range(20):
            with pytest.raises(OSError, match="(?i)compress"):
                unpacked()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    held()
    tracemalloc.start()
    try:
        before = held()
        assert held() - before < size
    finally:
        tracemalloc.stop()
