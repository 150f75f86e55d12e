"""Random small crowds for property tests: up to 8 items, 5 workers, 4 labels."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st
from numpy.typing import NDArray

from consensus.backends import Threads
from consensus.judgments import Judgments, encode

Row = tuple[str, str, str | None]


@st.composite
def rows(draw: st.DrawFn, min_size: int = 1, max_labels: int = 4, abstains: bool = True) -> list[Row]:
    """Judgments as rows of text, each (item, worker) at most once; some without a label, at least one with."""
    n_items, n_workers = draw(st.integers(1, 8)), draw(st.integers(1, 5))
    labels = [f"l{k}" for k in range(draw(st.integers(1, max_labels)))]
    pairs = st.tuples(st.integers(0, n_items - 1), st.integers(0, n_workers - 1))
    chosen = draw(st.lists(pairs, min_size=min_size, max_size=n_items * n_workers, unique=True))
    answer = st.sampled_from([*labels, None] if abstains else labels)
    found: list[Row] = [(f"i{i}", f"w{w}", draw(answer)) for i, w in chosen]
    if all(label is None for _, _, label in found):
        item, worker, _ = found[0]
        found[0] = (item, worker, labels[0])
    return found


def encoded(judged: Sequence[tuple[str, str, str | None]]) -> Judgments:
    """Rows as Judgments."""
    item, worker, label = (coded([row[n] for row in judged]) for n in range(3))
    return encode(item, worker, label, None, repeats="last", locate=str, backend=Threads(1))


def coded(texts: Sequence[str | None]) -> tuple[NDArray[np.int32], pa.StringArray]:
    """Codes into the sorted distinct texts, -1 for None."""
    known = sorted({text for text in texts if text is not None})
    position = {text: code for code, text in enumerate(known)}
    return np.array([-1 if text is None else position[text] for text in texts], np.int32), pa.array(known, pa.string())


@st.composite
def crowds(draw: st.DrawFn, max_labels: int = 4) -> Judgments:
    """Judgments of a small crowd."""
    return encoded(draw(rows(max_labels=max_labels)))


@st.composite
def tables(draw: st.DrawFn, *shape: int) -> np.ndarray:
    """Probabilities, none of them 0; the last axis sums to 1."""
    cells = draw(st.lists(st.floats(0.01, 1.0), min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    table = np.array(cells).reshape(shape)
    return np.asarray(table / table.sum(axis=-1, keepdims=True), np.float64)
