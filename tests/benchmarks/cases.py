"""Large seeded crowds with a planted truth, written in chunks to CSV or Parquet.

``consensus.simulate`` draws distinct workers item by item and holds all judgments; this draws a hundred million of them
in bounded memory. Each worker has their own accuracy (.75, standard deviation .1), labels differ in how hard they are,
errors go to the label that the true one is taken for more often than to others, and a few workers do most of the work.

The judgments of an item are numbered r = 0, 1, ..; judgment r of item i is slot r I + i, so that all items have the
same number of judgments or one more. The rows of the file are the slots in the order of a pseudo-random permutation
that is computed (``shuffled``), not stored. The workers are split into as many groups as an item has judgments, and
each judgment of an item comes from another group: that keeps its workers distinct.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

VERSION = 1  # of what is drawn: files of another one are not reused
CHUNK = 1_000_000  # rows
HEADER = b"item,worker,label\n"
LEAST_ACCURACY, MOST_ACCURACY = 0.3, 0.98


@dataclass(frozen=True, slots=True)
class Case:
    """Sizes of one input."""

    name: str
    n_judgments: int
    n_items: int
    n_workers: int
    n_labels: int = 4
    ending: str = ".csv"

    @property
    def per_item(self) -> int:
        """Most judgments of an item."""
        return -(-self.n_judgments // self.n_items)

    def scaled(self, divisor: int) -> Case:
        """The same crowd with sizes divided; the labels stay."""
        n_workers = max(self.n_workers // divisor, 4 * self.per_item)
        return replace(
            self, n_judgments=self.n_judgments // divisor, n_items=self.n_items // divisor, n_workers=n_workers
        )


CASES = {
    case.name: case
    for case in (
        Case("complaint", 1_800_000, 500_000, 5_000),
        Case("ten", 10_000_000, 2_000_000, 20_000),
        Case("ten-parquet", 10_000_000, 2_000_000, 20_000, ending=".parquet"),
        Case("labels", 5_000_000, 1_000_000, 20_000, 1_000),
        Case("hundred", 100_000_000, 20_000_000, 20_000, ending=".parquet"),
    )
}
SMALL = Case("small", 50_000, 10_000, 200)  # where a dense table of items and workers fits


@dataclass(frozen=True, slots=True)
class Files:
    """A case on disk."""

    judgments: Path
    truth: Path
    """npz: ``truth`` (I,) true label codes, ``accuracy`` (W,) planted."""


@dataclass(frozen=True, slots=True, eq=False)
class Crowd:
    """What judgments are drawn from."""

    truth: NDArray[np.int16]
    """(I,) true label."""
    accuracy: NDArray[np.float32]
    """(W,) over labels of equal hardness."""
    hardness: NDArray[np.float32]
    """(K,) added to a worker's accuracy on items of this true label."""
    taken_for: NDArray[np.int16]
    """(K,) the label that errors on this true label favour."""
    favouring: NDArray[np.float32]
    """(W,) share of a worker's errors that go there."""
    worker_of: NDArray[np.int32]
    """(W,) workers, group by group."""
    ends: NDArray[np.float64]
    """(W,) ascending: group g's shares of activity, accumulated, plus g."""
    first_group: NDArray[np.int8]
    """(I,) group of an item's judgment 0; judgment r comes from group r further on, round about."""

    @classmethod
    def draw(cls, case: Case, seed: int) -> Crowd:
        rng = np.random.default_rng([seed, case.n_items, case.n_workers, case.n_labels])
        n_workers, n_labels, groups = case.n_workers, case.n_labels, case.per_item
        worker_of = rng.permutation(n_workers).astype(np.int32)
        activity = rng.lognormal(0.0, 1.5, n_workers)
        bounds = np.linspace(0, n_workers, groups + 1).astype(np.int64)
        ends = np.empty(n_workers)
        for g, (begin, end) in enumerate(itertools.pairwise(bounds)):
            shares = np.cumsum(activity[begin:end])
            ends[begin:end] = g + shares / shares[-1]
        prior = rng.dirichlet(np.full(n_labels, 5.0))
        return cls(
            truth=rng.choice(n_labels, case.n_items, p=prior).astype(np.int16),
            accuracy=rng.normal(0.75, 0.1, n_workers).clip(LEAST_ACCURACY, MOST_ACCURACY).astype(np.float32),
            hardness=rng.normal(0.0, 0.05, n_labels).astype(np.float32),
            taken_for=((np.arange(n_labels) + rng.integers(1, n_labels, n_labels)) % n_labels).astype(np.int16),
            favouring=rng.uniform(0.3, 0.8, n_workers).astype(np.float32),
            worker_of=worker_of,
            ends=ends,
            first_group=rng.integers(groups, size=case.n_items, dtype=np.int8),
        )

    def workers(
        self, item: NDArray[np.int64], r: NDArray[np.int64], groups: int, rng: np.random.Generator
    ) -> NDArray[np.int32]:
        """Who gives judgment r of each item."""
        group = (self.first_group[item] + r) % groups
        place = np.searchsorted(self.ends, group + rng.random(len(item)), side="right")
        return self.worker_of[np.minimum(place, len(self.ends) - 1)]

    def labels(self, item: NDArray[np.int64], worker: NDArray[np.int32], rng: np.random.Generator) -> NDArray[np.int16]:
        """What is answered."""
        n_labels = np.int16(len(self.hardness))
        true = self.truth[item]
        right = (self.accuracy[worker] + self.hardness[true]).clip(LEAST_ACCURACY, MOST_ACCURACY)
        wrong = (true + rng.integers(1, n_labels, len(item), dtype=np.int16)) % n_labels
        favoured = rng.random(len(item), dtype=np.float32) < self.favouring[worker]
        wrong[favoured] = self.taken_for[true[favoured]]
        return np.where(rng.random(len(item), dtype=np.float32) < right, true, wrong)


def shuffled(position: NDArray[np.int64], n: int, seed: int) -> NDArray[np.int64]:
    """Where a pseudo-random permutation of 0 .. n-1 puts each position.

    A Feistel network of four rounds on pairs of digits of base ceil(sqrt(n)); what falls beyond n goes through again.
    """
    base = np.uint64(np.ceil(np.sqrt(n)))
    keys = np.random.default_rng([seed, n]).integers(2**63, size=4, dtype=np.uint64)
    found = position.astype(np.uint64)
    todo = np.arange(len(found))
    while len(todo):
        left, right = np.divmod(found[todo], base)
        for key in keys:
            mixed = (right + key) * np.uint64(0x9E3779B97F4A7C15)  # wraps round; the high bits are the mixed ones
            mixed ^= mixed >> np.uint64(29)
            mixed *= np.uint64(0xBF58476D1CE4E5B9)
            left, right = right, (left + (mixed >> np.uint64(32))) % base
        found[todo] = left * base + right
        todo = todo[found[todo] >= n]
    return found.astype(np.int64)


def chunks(case: Case, crowd: Crowd, seed: int) -> Iterator[tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]]:
    """Item, worker and label codes of the rows of the file, in their order."""
    for begin in range(0, case.n_judgments, CHUNK):
        rng = np.random.default_rng([seed, 1, begin])
        position = np.arange(begin, min(begin + CHUNK, case.n_judgments))
        r, item = np.divmod(shuffled(position, case.n_judgments, seed), case.n_items)
        worker = crowd.workers(item, r, case.per_item, rng)
        yield item, worker, crowd.labels(item, worker, rng)


def ids(prefix: bytes, codes: NDArray[Any], n: int) -> NDArray[np.uint8]:
    """(len(codes), width) bytes of the ids: the prefix, then the code with as many digits as n - 1 has."""
    width = len(str(n - 1))
    out = np.empty((len(codes), len(prefix) + width), np.uint8)
    out[:, : len(prefix)] = np.frombuffer(prefix, np.uint8)
    rest = codes.astype(np.uint32)
    for place in range(out.shape[1] - 1, len(prefix) - 1, -1):
        rest, digit = np.divmod(rest, np.uint32(10))
        out[:, place] = digit + ord("0")
    return out


def strings(fixed: NDArray[np.uint8]) -> pa.Array:
    """A string array of bytes of equal width."""
    n, width = fixed.shape
    offsets = np.arange(0, (n + 1) * width, width, dtype=np.int32)
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(fixed)))


def made(case: Case, folder: Path, seed: int) -> Files:
    """The files of a case in the folder: those that are there if they were made from the same parameters, or new."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{case.name}-{case.n_judgments}-{seed}"
    files = Files(folder / f"{stem}{case.ending}", folder / f"{stem}.truth.npz")
    note = folder / f"{stem}.json"
    parameters = json.dumps({"version": VERSION, "seed": seed, "chunk": CHUNK} | asdict(case), indent=1) + "\n"
    present = files.judgments.exists() and files.truth.exists() and note.exists()
    if present and note.read_text(encoding="utf-8") == parameters:
        return files
    note.unlink(missing_ok=True)
    crowd = Crowd.draw(case, seed)
    np.savez(files.truth, truth=crowd.truth, accuracy=crowd.accuracy)
    if case.ending == ".parquet":
        _write_parquet(case, crowd, seed, files.judgments)
    else:
        _write_csv(case, crowd, seed, files.judgments)
    note.write_text(parameters, encoding="utf-8")  # last: its presence says that the others are whole
    return files


def _columns(
    case: Case, item: NDArray[Any], worker: NDArray[Any], label: NDArray[Any]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    return (
        ids(b"item", item, case.n_items),
        ids(b"w", worker, case.n_workers),
        ids(b"label_", label, case.n_labels),
    )


def _write_csv(case: Case, crowd: Crowd, seed: int, path: Path) -> None:
    with path.open("wb") as file:
        file.write(HEADER)
        for codes in chunks(case, crowd, seed):
            columns = _columns(case, *codes)
            comma = np.full((len(codes[0]), 1), ord(","), np.uint8)
            end = np.full((len(codes[0]), 1), ord("\n"), np.uint8)
            np.hstack([columns[0], comma, columns[1], comma, columns[2], end]).tofile(file)


def _write_parquet(case: Case, crowd: Crowd, seed: int, path: Path) -> None:
    schema = pa.schema([(name, pa.string()) for name in ("item", "worker", "label")])
    with pq.ParquetWriter(path, schema) as writer:
        for codes in chunks(case, crowd, seed):
            writer.write_table(pa.table([strings(column) for column in _columns(case, *codes)], schema=schema))
