"""Tables that hold shares of labels and name no model: they are the votes of one, and that is said."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from consensus.formats.tables.streams import COMPRESSION
from consensus.inputs.notices import Notice
from consensus.inputs.understood import quoted

if TYPE_CHECKING:
    from collections.abc import Generator

    from consensus.formats.tables.blocks import Block, Reading

OF_A_FRAME = "soft labels"
"""What the model of a data frame is called."""


def named(reading: Reading) -> tuple[Reading, list[Notice]]:
    """A reading in which every row names a model; where none does, it is called like the file, which is told."""
    if "model" in reading.columns:
        return reading, []
    path = PurePath(reading.file)
    stem = PurePath(path.stem).stem if path.suffix.lower() in COMPRESSION else path.stem
    name = OF_A_FRAME if reading.digest is None else stem

    def blocks() -> Generator[Block]:
        import pyarrow as pa

        with closing(reading.blocks) as inner:
            for block in inner:
                codes = pa.array(np.zeros(len(block.columns["item"]), np.int32))
                model = pa.chunked_array([pa.DictionaryArray.from_arrays(codes, pa.array([name]))])
                yield replace(block, columns={**block.columns, "model": model})

    told = Notice(
        "unnamed_model",
        f"{reading.file}: no column names a model, so its shares of labels are read as the votes of one model, "
        f"{quoted(name)}; add a column called model if there are several",
        {"n_models": 1},
    )
    return replace(reading, blocks=blocks()), [told]
