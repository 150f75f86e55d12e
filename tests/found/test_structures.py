"""Confusions, posteriors and tables in blocks: the same as the whole at once, written naively."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from consensus import backends, fit, simulate
from consensus.backends import Threads
from consensus.config import EscalateConfig
from consensus.errors import OutputError
from consensus.escalation import planned
from consensus.escalation.look_ahead import LookAhead
from consensus.escalation.ranking import _most_urgent
from consensus.formats import writing
from consensus.found import confusions
from consensus.found.confusions import Confusions
from consensus.found.posterior import TIE, DensePosterior
from consensus.found.result import Consensus, framed
from consensus.inputs.judgments import Judgments
from consensus.inputs.vocabulary import hashed
from consensus.models.base import MODELS
from consensus.runs import Run, folder
from tests import naive
from tests.strategies import Row, crowds, encoded, examples, tables

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

crowd = examples(40)
ONE = Threads(1)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shards of a few judgments."""
    monkeypatch.setattr(backends, "SMALLEST_SHARD", 3)


class TestConfusions:
    @staticmethod
    def of(N: np.ndarray, A: np.ndarray) -> Confusions:
        """Stored by the rows (worker, observed label) that hold anything."""
        worker, label = np.nonzero(N.sum(axis=1))
        counts = np.ascontiguousarray(N[worker, :, label])
        return Confusions.of_rows(worker.astype(np.int32), label.astype(np.int32), counts, A, len(N))

    @crowd
    @given(st.data(), st.integers(1, 5), st.integers(1, 6), st.booleans(), st.integers(1, 60))
    def test_against_the_dense_table(
        self, data: st.DataObject, n_labels: int, n_workers: int, likeliest: bool, block: int
    ) -> None:
        """Some workers without judgments, labels that nobody gave, true labels that never occur, and A = 0."""
        rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
        N = rng.gamma(0.5, 3, (n_workers, n_labels, n_labels))
        N *= rng.random(N.shape) < 0.6
        N *= (rng.random((n_workers, 1, 1)) < 0.8) & (rng.random((n_workers, n_labels, 1)) < 0.8)
        A = np.zeros((n_labels, n_labels)) if likeliest else data.draw(tables(n_labels, n_labels)) * 5
        prior = data.draw(tables(n_labels))
        C = naive.likeliest_confusions(N, 0.0) if likeliest else naive.confusions(N, A)
        found = self.of(N, A)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(confusions, "BLOCK", block)
            expected = [naive.mutual_information(prior, one) for one in C]
            np.testing.assert_allclose(found.informativeness(prior), expected, rtol=1e-9, atol=1e-12)
        assert found.n_labels == n_labels
        np.testing.assert_allclose(found.dense_counts(), N)
        np.testing.assert_allclose(found.dense(), C, rtol=1e-12)
        np.testing.assert_allclose(found.totals(), N.sum(axis=2), rtol=1e-12)
        np.testing.assert_allclose(found.right(), N.diagonal(axis1=1, axis2=2))
        worker, label = (axis.ravel() for axis in np.indices((n_workers, n_labels)))
        rows = list(zip(found.row_worker.tolist(), found.row_label.tolist(), strict=True))
        pairs = zip(worker.tolist(), label.tolist(), strict=True)
        assert found.rows_of(worker, label).tolist() == [rows.index(one) if one in rows else -1 for one in pairs]
        first, last = sorted(data.draw(st.lists(st.integers(0, n_workers), min_size=2, max_size=2)))
        np.testing.assert_allclose(found.totals(first, last), N[first:last].sum(axis=2), rtol=1e-12)
        np.testing.assert_allclose(found.dense(first, last + 9), C[first:], rtol=1e-12)
        np.testing.assert_allclose(found.dense(first, last), C[first:last], rtol=1e-12)
        for w in range(n_workers):
            np.testing.assert_allclose(found.matrix(w), C[w], rtol=1e-12)

    def test_cells_of_some_true_labels_only(self) -> None:
        """Rows may list only the true labels that their judgments can have been made under."""
        A = np.array([[3.0, 1, 1], [1, 4, 1], [2, 1, 3]])
        cells = {(0, 0): {0: 2.5, 2: 0.5}, (0, 2): {2: 1.0}, (2, 1): {0: 0.25, 1: 4.0}, (2, 2): {1: 1.0}}
        N = np.zeros((3, 3, 3))
        for (w, observed), row in cells.items():
            for k, n in row.items():
                N[w, k, observed] = n
        found = Confusions(
            row_worker=np.array([w for w, _ in cells], np.int32),
            row_label=np.array([observed for _, observed in cells], np.int32),
            cell_start=np.cumsum([0, *(len(row) for row in cells.values())]),
            true=np.array([k for row in cells.values() for k in row], np.int32),
            counts=np.array([n for row in cells.values() for n in row.values()]),
            pseudo_counts=A,
            n_workers=3,
        )
        prior = np.array([0.5, 0.3, 0.2])
        np.testing.assert_allclose(found.dense_counts(), N)
        np.testing.assert_allclose(found.totals(), N.sum(axis=2))
        np.testing.assert_allclose(found.right(), N.diagonal(axis1=1, axis2=2))
        expected = [naive.mutual_information(prior, one) for one in naive.confusions(N, A)]
        np.testing.assert_allclose(found.informativeness(prior), expected, rtol=1e-9)

    @pytest.mark.parametrize("block", [1, 7, 12, 10**6])
    def test_blocks_cover_every_worker_once(self, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(confusions, "BLOCK", block)
        found = list(self.of(np.ones((5, 2, 2)), np.ones((2, 2)))._blocks())
        assert [w for first, last in found for w in range(first, last)] == list(range(5))
        assert len(found) == {1: 5, 7: 5, 12: 3, 10**6: 1}[block]  # a worker holds 4 cells and 2 totals


class TestPosterior:
    @crowd
    @given(st.data(), crowds())
    def test_against_naive(self, data: st.DataObject, judgments: Judgments) -> None:
        table = data.draw(tables(judgments.n_items, judgments.n_labels))
        C = data.draw(tables(2, judgments.n_labels, judgments.n_labels))
        items = np.array(data.draw(st.lists(st.integers(0, judgments.n_items - 1))), np.int64)
        beliefs = DensePosterior(table)
        assert (beliefs.n_items, beliefs.n_labels) == table.shape
        assert np.array_equal(beliefs.dense(items), table[items])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(backends, "SMALLEST_SHARD", 2)
            peaks, doubt = beliefs.peaks(ONE), beliefs.doubt(judgments, ONE)
            gain = beliefs.information_gain(items, C, ONE)
        columns = (peaks.best, peaks.tied, peaks.runner_up, peaks.confidence, peaks.margin, peaks.entropy)
        for found, q in zip(zip(*columns, strict=True), table, strict=True):
            assert found == pytest.approx(naive.peak(q, TIE), rel=1e-12, abs=1e-13)
        np.testing.assert_allclose(doubt, naive.doubt(judgments, table), rtol=1e-9, atol=1e-15)
        expected = [naive.information_gain(table[i], C) for i in items]
        np.testing.assert_allclose(gain, expected, rtol=1e-9, atol=1e-12)

    @pytest.mark.usefixtures("small_shards")
    def test_any_number_of_threads_gives_the_same_bits(self) -> None:
        drawn = simulate(80, 7, 3, 3, seed=1).judgments
        beliefs = DensePosterior(fit(drawn).posterior)
        C = np.full((3, 3, 3), 0.1) + 0.7 * np.eye(3)
        items = np.arange(70, dtype=np.int64)[::-1]
        for n_threads in (2, 4):
            backend = Threads(n_threads)
            for name in ("best", "tied", "runner_up", "confidence", "margin", "entropy"):
                found, expected = (getattr(beliefs.peaks(one), name) for one in (backend, ONE))
                assert np.array_equal(found, expected)
            assert np.array_equal(beliefs.doubt(drawn, backend), beliefs.doubt(drawn, ONE))
            assert np.array_equal(beliefs.information_gain(items, C, backend), beliefs.information_gain(items, C, ONE))


def all_arrays(result: Consensus) -> list[Any]:
    peaks = result.peaks
    return [
        result.posterior,
        result.prior_shares,
        result.confusions.counts,
        result.confusions.pseudo_counts,
        peaks.best,
        peaks.margin,
        peaks.entropy,
        *result.votes,
        np.array(result.convergence.objective),
    ]


@pytest.mark.compiled
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("smallest", [20, 60, 10**6])
@pytest.mark.parametrize("n_labels", [3, 5])
def test_threads_never_matter(model: str, smallest: int, n_labels: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many shards the data is cut into, 1, 2 or 4 threads give the same bits; other cuts differ in rounding."""
    drawn = simulate(120, 9, n_labels, 4, seed=3)
    gold = drawn.truth_table(10)
    whole = all_arrays(fit(drawn.judgments, model=model, gold=gold, threads=1))
    monkeypatch.setattr(backends, "SMALLEST_SHARD", smallest)
    first, *others = [all_arrays(fit(drawn.judgments, model=model, gold=gold, threads=n)) for n in (1, 2, 4)]
    for other in others:
        for a, b in zip(first, other, strict=True):
            assert np.array_equal(a, b)
    for a, b in zip(first, whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-9)


class TestUrgency:
    @examples(100)
    @given(data=st.data())
    def test_is_the_plain_full_order(self, data: st.DataObject) -> None:
        """Few priorities, numbers of judgments and confidences: ties at every depth."""
        judged: list[Row] = [
            (f"i{i:02}", f"w{w}", f"l{w % 2}")
            for i in range(data.draw(st.integers(1, 40)))
            for w in range(data.draw(st.integers(0, 2)) + 1)
        ]
        result = fit(encoded([*judged, ("last", "w0", "l0"), ("last", "w1", "l0")]), model="majority_vote")
        n = result.judgments.n_items
        items = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), np.int64)
        levels = st.sampled_from([0.0, 0.5, 0.25])
        priority, loss = (
            np.array(data.draw(st.lists(levels, min_size=len(items), max_size=len(items))), float) for _ in range(2)
        )
        no_steps = np.zeros((len(items), 0))
        columns = np.stack([priority, *[loss] * 6], axis=1)
        ahead = LookAhead(columns, no_steps.astype(np.int64), no_steps)
        expected = np.lexsort(
            (
                np.array([int(hashed(result.judgments.item_ids[int(i) : int(i) + 1])[0]) for i in items], np.uint64),
                -loss,
                result.judgments.per_item[items],
                -priority,
            )
        )
        assert _most_urgent(result, items, ahead).tolist() == expected.tolist()

    def test_tables_of_some_rows(self) -> None:
        result = fit(simulate(60, 7, 3, 2.5, accuracy=0.7, seed=3).judgments)
        ranking = planned(result, EscalateConfig(target=0.99))
        whole = framed(ranking.columns(result, slice(None)))
        parts = [framed(ranking.columns(result, slice(n, n + 7))) for n in range(0, len(whole), 7)]
        pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)


def made(ids: list[str | None]) -> pd.DataFrame:
    n = len(ids)
    rng = np.random.default_rng(n)
    x = rng.random(n)
    x[::3] = np.nan
    text = pd.Series([None if i % 4 == 1 else f"l{i % 3}" for i in range(n)], dtype="str")
    return pd.DataFrame(
        {
            "item": pd.Series(ids, dtype="str"),
            "x": x,
            "n": np.arange(n),
            "label": text,
            "nothing": pd.Series([None] * n, dtype="str"),
        }
    )


PLAIN: list[str | None] = [f"item{n}" for n in range(11)]
NASTY: list[list[str | None]] = [
    ["a,b", *PLAIN],
    [*PLAIN, 'say "a"'],
    [*PLAIN[:6], "two\nlines", *PLAIN[6:]],
    [*PLAIN, ""],
    [*PLAIN, "tab\there"],
    [*PLAIN, "=1+1", "-x", "it's", None],
    ["äöü €", *PLAIN],
]


class TestBlocks:
    @pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl"])
    @pytest.mark.parametrize("ids", [[], PLAIN[:1], PLAIN[:4], PLAIN, *NASTY])
    @pytest.mark.parametrize(
        ("block", "n_threads", "raw_cells"), [(4, 1, False), (1, 2, True), (3, 3, False), (100, 2, True)]
    )
    def test_the_same_bytes_as_the_whole_table(
        self,
        ids: list[str | None],
        ending: str,
        block: int,
        n_threads: int,
        raw_cells: bool,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(writing, "BLOCK", block)
        table = made(ids)
        writing.write(table, tmp_path / f"whole{ending}", raw_cells=raw_cells)
        self.in_blocks(table, tmp_path / f"blocks{ending}", n_threads, raw_cells)
        assert (tmp_path / f"blocks{ending}").read_bytes() == (tmp_path / f"whole{ending}").read_bytes()
        assert len(list(tmp_path.iterdir())) == 2

    @pytest.mark.parametrize("ids", [[], PLAIN, NASTY[1]])
    def test_parquet_holds_the_same(
        self, ids: list[str | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "BLOCK", 3)
        table = made(ids)
        writing.write(table, tmp_path / "whole.parquet")
        self.in_blocks(table, tmp_path / "blocks.parquet", 2, False)
        whole, blocks = (parquet.read_table(tmp_path / f"{name}.parquet") for name in ("whole", "blocks"))
        assert blocks.equals(whole)
        groups = parquet.ParquetFile(tmp_path / "blocks.parquet").num_row_groups
        assert groups == max(-(-len(ids) // 3), 1)

    @staticmethod
    def in_blocks(table: pd.DataFrame, path: Path, n_threads: int, raw_cells: bool) -> None:
        texts = [pa.array(table[name], pa.string()) for name in ("item", "label")]
        writing.write_blocks(
            len(table),
            lambda rows: table.iloc[rows],
            path,
            plain=writing.are_plain([*texts, pa.array(list(table.columns))], path.suffix),
            backend=Threads(n_threads),
            raw_cells=raw_cells,
        )

    @pytest.mark.parametrize("ids", [["a"], ["a,b"]])
    def test_text_in_chunks_of_which_some_are_empty(self, ids: list[str]) -> None:
        """As pandas leaves them after a concatenation; pyarrow's writer takes an empty batch for a full one."""
        table = pd.concat([made(["x"])] * 2).iloc[[0, 1]].assign(item=pd.Series(ids * 2, dtype="str"))
        chunked = pd.concat([made([]), table.iloc[:0], table, table.iloc[:0]], ignore_index=True)
        assert isinstance(pa.Array.from_pandas(chunked["item"]), pa.ChunkedArray)
        assert writing.text(chunked) == writing.text(table)
        assert "\0" not in writing.text(chunked)

    def test_unknown_ending(self, tmp_path: Path) -> None:
        with pytest.raises(OutputError, match='t.xls: unknown ending ".xls"'):
            self.in_blocks(made(PLAIN), tmp_path / "t.xls", 1, False)

    @pytest.mark.parametrize("failing", [0, 8])
    def test_a_block_that_fails_leaves_the_old_file(
        self, failing: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writing, "BLOCK", 4)
        (tmp_path / "t.csv").write_text("old")
        table = made(PLAIN)

        def block(rows: slice) -> pd.DataFrame:
            if rows.start == failing and rows.stop > failing:
                raise OSError(28, "No space left on device")
            return table.iloc[rows]

        with pytest.raises(OutputError, match="t.csv: can't be written: no space left on device"):
            writing.write_blocks(11, block, tmp_path / "t.csv", plain=True, backend=Threads(2))
        assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("t.csv", "old")]

    def test_a_disk_that_fills_up_while_blocks_are_written(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The writing thread tells of its error, for the last block too."""
        from contextlib import contextmanager
        from io import BytesIO

        class Full(BytesIO):
            def writelines(self, blocks: Any) -> None:
                if blocks:
                    raise OSError(28, "No space left on device")

        @contextmanager
        def full(_: Path) -> Any:
            yield Full()

        monkeypatch.setattr(writing, "replacing", full)
        for block in (4, 100):
            monkeypatch.setattr(writing, "BLOCK", block)
            with pytest.raises(OSError, match="No space left"):
                self.in_blocks(made(PLAIN), tmp_path / "t.csv", 1, False)


def with_unjudged(n_items: int, n_unjudged: int, **settings: Any) -> Consensus:
    judged: list[Row] = [(f"i{i}", f"w{w}", f"l{i % 2}") for i in range(n_items) for w in range(3)]
    items = ["i0", *(f"new{n}" for n in range(n_unjudged))]
    gold = {"item": items, "label": [f"l{n % 2}" for n in range(len(items))]}
    return fit(encoded(judged), gold=gold, labels=("l0", "l1"), **settings)


class TestLabelRows:
    @pytest.mark.parametrize(("n_items", "n_unjudged"), [(6, 0), (6, 1), (6, 4), (2, 7)])
    @pytest.mark.parametrize("step", [1, 2, 3, 4, 6, 100])
    def test_any_blocks_make_the_whole(self, n_items: int, n_unjudged: int, step: int) -> None:
        """Gold items that nobody judged come last, also where they start within a block."""
        result = with_unjudged(n_items, n_unjudged)
        whole = result.labels
        n = n_items + n_unjudged
        assert whole["item"].tolist() == [f"i{i}" for i in range(n_items)] + [f"new{i}" for i in range(n_unjudged)]
        parts = [result.label_rows(slice(begin, min(begin + step, n))) for begin in range(0, n, step)]
        assert [len(part) for part in parts] == [min(step, n - begin) for begin in range(0, n, step)]
        pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), whole)

    @pytest.mark.parametrize(("n_items", "n_unjudged"), [(6, 2), (2, 7)])
    def test_no_rows(self, n_items: int, n_unjudged: int) -> None:
        result = with_unjudged(n_items, n_unjudged)
        for n in range(n_items + n_unjudged + 1):
            assert len(result.label_rows(slice(n, n))) == 0
        assert list(result.label_rows(slice(0, 0)).columns) == list(result.labels.columns)

    @pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
    @pytest.mark.parametrize("block", [1, 4, 5])
    def test_a_run_in_blocks_is_the_same_run(
        self, block: int, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        result = with_unjudged(6, 4)
        found, output = Run.of(result, target=0.999999), folder.Output(ending, ("posteriors",))
        folder.write(found, tmp_path / "whole", output)
        monkeypatch.setattr(writing, "BLOCK", block)
        folder.write(found, tmp_path / "blocks", output)
        for path in (tmp_path / "whole").iterdir():
            other = tmp_path / "blocks" / path.name
            if ending == ".parquet" and path.suffix == ending:
                assert parquet.read_table(other).equals(parquet.read_table(path))
            else:
                assert other.read_bytes() == path.read_bytes()
        assert len(list((tmp_path / "blocks").iterdir())) == 8
