"""How much memory a job needs, part by part; ``tests/cli/test_checking.py`` holds the sum against measured peaks."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from consensus import memory
from consensus.backends import number_of_shards
from consensus.inputs.judgments import Judgments
from consensus.models import layout, memory_needs
from consensus.simulation import simulate

MB = 1_000_000


def sizes(judgments: Judgments) -> tuple[int, int, int, int, int]:
    texts = int(judgments.item_ids.nbytes + judgments.worker_ids.nbytes)
    return judgments.n_judgments, judgments.n_items, judgments.n_workers, judgments.n_labels, texts


def test_all_labels_are_weighed() -> None:
    """300 workers give any of 40 labels: most is the tables of their confusions."""
    judgments = simulate(20_000, 300, 40, 2).judgments
    J, I, W, K, texts = sizes(judgments)  # noqa: E741
    found = memory_needs.of(judgments)
    rows = W * K
    assert rows < J
    held = memory.LIBRARIES + 12 * J + 8 * I + texts
    assert found.reading == memory.of_reading(judgments.tally.read, I + W, texts)
    tables = 8 * rows * (K * (number_of_shards(J, rows * K) + 1) + K) + 8 * W * K
    assert found.fitting == held + 4 * J + max(8 * J, tables + 8 * I * K + 12 * I, 200 * MB)
    cells = rows * K
    assert found.tables == held + 4 * J + 8 * I * K + 12 * rows * K + 200 * I + max(300 * MB, 110 * cells)
    assert memory_needs.of(judgments, report=True).tables == found.tables + 150 * MB
    assert memory_needs.of(judgments, report=True).fitting == found.fitting
    beside = memory_needs.of(judgments, gold=True)
    assert beside.fitting > found.fitting
    assert beside.tables > found.tables
    assert found.peak == max(found.reading, found.fitting, found.tables)


def test_of_few_labels_tables_are_four_wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_needs, "PAIRS_COMPARED", 0)
    judgments = simulate(2_000, 1_900, 2, 2).judgments  # more rows than judgments are not touched
    J, I, W, K, texts = sizes(judgments)  # noqa: E741
    rows = min(J, W * K)
    held = memory.LIBRARIES + 12 * J + 8 * I + texts
    tables = 8 * rows * (4 * (number_of_shards(J, rows * K) + 1) + K) + 8 * W * K
    assert memory_needs.of(judgments).fitting == held + 4 * J + tables + 8 * I * K + 12 * I
    alone = simulate(500, 480, 3, 1).judgments
    assert alone.n_judgments < 3 * alone.n_workers
    J, I, W, K, texts = sizes(alone)  # noqa: E741
    tables = 8 * J * (4 * (number_of_shards(J, J * K) + 1) + K) + 8 * W * K
    held = memory.LIBRARIES + 12 * J + 8 * I + texts
    assert memory_needs.of(alone).fitting == held + 4 * J + tables + 8 * I * K + 12 * I


def test_of_few_workers_judgments_are_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than the tables of their confusions and the posterior: 8 bytes each, beside 4 that are held."""
    monkeypatch.setattr(memory_needs, "PAIRS_COMPARED", 0)
    judgments = simulate(100, 6, 2, 6).judgments
    J, I, _, _, texts = sizes(judgments)  # noqa: E741
    assert memory_needs.of(judgments).fitting == memory.LIBRARIES + 12 * J + 8 * I + texts + 12 * J


def test_very_many_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item costs by the labels that were given to it."""
    monkeypatch.setattr(layout, "MOST_CELLS", 0)
    judgments = simulate(4_000, 40, 50, 3, accuracy=0.5).judgments
    J, I, _, K, texts = sizes(judgments)  # noqa: E741
    given = np.unique(judgments.item.astype(np.int64) * K + judgments.label) // K
    distinct = np.bincount(given, minlength=I)
    pairs, candidates = int((distinct * judgments.per_item).sum()), len(given)
    held = memory.LIBRARIES + 12 * J + 8 * I + texts
    found = memory_needs.of(judgments)
    assert found.fitting == held + 4 * J + 60 * pairs + 40 * K * K + 28 * candidates + 40 * I
    assert 110 * pairs < 300 * MB
    assert found.tables == held + 4 * J + 12 * candidates + 8 * I + 12 * pairs + 200 * I + 300 * MB
    monkeypatch.setattr(memory_needs, "BLOCKS", 0)
    assert memory_needs.of(judgments).tables == found.tables - 300 * MB + 110 * pairs


def test_times_and_prices_beside_judgments() -> None:
    judgments = simulate(400, 20, 3, 3).judgments
    J, plain = judgments.n_judgments, memory_needs.of(judgments)
    beside = replace(judgments, price=np.ones(J), timestamp=np.zeros(J, "datetime64[us]"))
    found = memory_needs.of(beside)
    assert found.reading - plain.reading == 24 * 2 * judgments.tally.read
    assert found.fitting - plain.fitting == found.tables - plain.tables == 8 * 2 * J


def test_votes_of_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stated probabilities as they are read and as they are aligned; their logarithms, and priors of the items."""
    monkeypatch.setattr(memory_needs, "_of_models", lambda *_: 0)
    judgments = simulate(400, 20, 3, 3).judgments
    plain = memory_needs.of(judgments)
    votes: Any = SimpleNamespace(probability=np.zeros((70, 3)), model=np.zeros(100), per_item=np.array([2] * 50 + [0]))
    found = memory_needs.of(judgments, votes)
    held = 8 * 70 * 3 + 40 * 100
    assert found.tables - plain.tables == held
    assert found.fitting - plain.fitting == held + 12 * 70 * 3 + 40 * 100 + 8 * 50 * (4 + 2 * 3)
    wide = simulate(400, 20, 9, 3).judgments
    votes = SimpleNamespace(probability=np.zeros((70, 9)), model=np.zeros(100), per_item=np.array([2] * 50 + [0]))
    more = memory_needs.of(wide, votes).fitting - memory_needs.of(wide).fitting
    assert more == 8 * 70 * 9 + 40 * 100 + 12 * 70 * 9 + 40 * 100 + 8 * 50 * (9 + 2 * 9)


@pytest.mark.parametrize(("n_workers", "n_h"), [(20, 4), (9, 8)])
def test_what_models_are_tested_on(n_workers: int, n_h: int) -> None:
    """Posteriors by people alone, of few workers twice as many; once more with gold; and confusions of the models."""
    judgments = simulate(400, n_workers, 3, 3).judgments

    def beyond(M: int, n: int, *, gold: bool = False) -> int:
        votes: Any = SimpleNamespace(
            probability=np.zeros((0, 3)), model=np.zeros(n), per_item=np.ones(n, int), n_models=M
        )
        with_votes, without = (memory_needs.of(judgments, one, gold=gold).fitting for one in (votes, None))
        return with_votes - without - 2 * 40 * n - 8 * n * (4 + 6)

    confusions = 8 * 9 * (6 + 2 * number_of_shards(300))
    assert beyond(1, 300) == 300 * (8 * 3 * (3 * n_h + 2) + 8) + confusions
    assert beyond(5, 300) == 300 * (8 * 3 * (3 * n_h + 2) + 40) + 5 * confusions
    assert beyond(1, 300, gold=True) == 300 * (8 * 3 * (4 * n_h + 2) + 8) + confusions
    many = beyond(500, 9_000) - 500 * 8 * 9 * (6 + 2 * number_of_shards(9_000))
    assert many == 2_000 * (8 * 3 * (3 * n_h + 2) + 4_000)
