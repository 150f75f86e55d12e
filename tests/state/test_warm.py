"""Fits that begin with the last parameters: any sequence of events, held against a run from nothing.

``--full`` gives its tables bit for bit; without, labels of at most .1 % of the items differ (of one, where that is
more), and posteriors of items that nothing came to by at most .01.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from consensus.config import RunConfig
from consensus.models.base import fit
from consensus.models.carried import Carried, Parameters
from consensus.runs import run
from consensus.simulation import simulate, simulate_votes
from consensus.state import State, updating
from tests.benchmarks import state as benchmark
from tests.state.crowds import rows, write

N_EVENTS = 10


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("seed", [1, 2])
def test_any_sequence_of_events(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updating, "SMALL", 0)
    found = benchmark.sequence(tmp_path, seed, N_EVENTS, n_items=1_500)
    assert found.n_warm >= 3
    assert found.full_differs == []
    assert found.labels_worst <= benchmark.MOST_LABELS
    assert found.moved_worst <= benchmark.MOST_MOVED


def crowd(seed: int = 1, **more: Any) -> Any:
    return simulate(1_000, 30, 3, 4, seed=seed, spammers=0.1, **more).judgments


def test_with_the_same_judgments_nothing_moves() -> None:
    judgments = crowd()
    first, second = Carried(), Carried()
    before = fit(judgments, model="dawid_skene", carried=first)
    second.begin = first.found
    after = fit(judgments, model="dawid_skene", carried=second)
    assert after.convergence.iterations < before.convergence.iterations / 3
    assert np.abs(after.posterior - before.posterior).max() < 0.003
    assert second.found.keys() == first.found.keys() == {"fitting 1"}


def test_nobody_carries_anything_by_themselves() -> None:
    judgments = crowd()
    plain, carried = fit(judgments, model="dawid_skene"), fit(judgments, model="dawid_skene", carried=Carried())
    assert (plain.posterior == carried.posterior).all()


@pytest.mark.parametrize("prior", ["learnt", "fixed", "none"])
def test_rows_of_new_workers_get_what_the_prior_says(prior: str) -> None:
    judgments = crowd()
    old = judgments.subset(judgments.worker < 25)
    first = Carried()
    fit(old, model="dawid_skene", prior=prior, carried=first)
    second = Carried(first.found)
    after, whole = (fit(judgments, model="dawid_skene", prior=prior, carried=one) for one in (second, None))
    assert (after.consensus_label != whole.consensus_label).mean() < 0.02
    last = first.found["fitting 1"]
    assert isinstance(last, Parameters)
    assert last.prior == prior


def test_where_more_is_learnt_nothing_is_carried() -> None:
    judgments = crowd()
    drawn = simulate(1_000, 30, 3, 4, seed=1, spammers=0.1)
    carried = Carried()
    fit(judgments, model_votes=simulate_votes(drawn, 2), carried=carried)
    assert carried.found == {}
    first = Carried()
    fit(judgments, model="dawid_skene", carried=first)
    renamed = judgments.with_labels([*judgments.labels, "another"])
    second = Carried(first.found)
    plain = fit(renamed, model="dawid_skene")
    assert (fit(renamed, model="dawid_skene", carried=second).posterior == plain.posterior).all()


def test_when_a_fit_begins_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updating, "SMALL", 0)
    some = rows(2_100, 1, n_items=300, n_workers=20)
    files = [write(tmp_path / f"{n}.csv", part) for n, part in enumerate((some[:2000], some[2000:2040], some[2040:]))]
    state = State.create(tmp_path / "s", RunConfig(model="dawid_skene"))
    state.append(files[0])
    assert state.update().full, "the first"
    state.append(files[1])
    warm = state.update()
    assert (warm.full, warm.n_new) == (False, 40)
    told = warm.run.summary["state"]
    assert told["fit"] == "warm"
    assert told["items_of_full"] == len({row[0] for row in some[:2000]})
    assert 0 <= told["confidence_moved_mean"] <= told["confidence_moved_most"] < 0.5
    again = state.update()
    assert (again.full, again.n_new) == (False, 40), "nothing came"
    assert again.run.labels.equals(warm.run.labels)
    state.append(files[2])
    assert state.update(full_after=0.04).full, "much came"
    state.append(retract={"worker": ["w1"]})
    taken_back = state.update(full_after=0.5)
    assert not taken_back.full
    assert taken_back.n_new == sum(row[1] == "w1" for row in some)
    state.append(gold={"i000": "cat"})
    assert state.update().full, "gold came"
    state.append(gold={"i001": "cat"})
    assert not state.update().full
    monkeypatch.setattr(updating, "SMALL", 5_000)
    state.append(gold={"i002": "cat"})
    assert state.update().full, "the data are small"
    found = run(files, model="dawid_skene")
    assert found.result.model == "dawid_skene"


def test_the_average_of_readings_always_begins_from_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(updating, "SMALL", 0)
    state = State.create(tmp_path / "s", RunConfig())
    some = rows(500, 1, n_items=200)
    for n, part in enumerate((some[:490], some[490:])):
        state.append(write(tmp_path / f"{n}.csv", part))
        assert state.update().full
