"""Parts on a Dask cluster of two processes: the bits of threads, also where a process is killed in the middle."""

import os
import signal
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from consensus import fit, simulate
from consensus.backends import Threads
from consensus.errors import ConfigError
from consensus.inputs.judgments import Judgments
from consensus.on_dask import TRIES, Dask

distributed = pytest.importorskip("distributed", reason="Dask is not installed (extra dask)")
pytestmark = [pytest.mark.compiled, pytest.mark.usefixtures("by_dawid_skene")]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    settings = {"distributed.worker.daemon": False, "distributed.scheduler.allowed-failures": 10}
    with (
        __import__("dask").config.set(settings),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as made,
    ):
        yield made


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> Judgments:
    monkeypatch.setattr("consensus.backends.SMALLEST_SHARD", 200)
    return simulate(600, 30, 3, 5, seed=4).judgments


def same(one: Any, other: Any) -> None:
    assert np.array_equal(one.posterior, other.posterior)
    assert np.array_equal(one.confusions.counts, other.confusions.counts)
    assert one.convergence == other.convergence


def test_the_bits_of_threads(client: Any, drawn: Judgments) -> None:
    same(fit(drawn, backend=Threads(2)), fit(drawn, backend=Dask(client)))


class Killing(Dask):
    """A worker is killed in the middle of the fit."""

    n_calls = 0

    def each(self, *of: Any, **more: Any) -> Any:
        self.n_calls += 1
        if self.n_calls == 6:
            pid = next(iter(self._client.run(os.getpid).values()))
            os.kill(pid, signal.SIGKILL)
        return super().each(*of, **more)


def test_a_worker_that_is_killed_is_survived(client: Any, drawn: Judgments) -> None:
    killing = Killing(client)
    found = fit(drawn, backend=killing)
    assert killing.n_calls > 6
    same(fit(drawn, backend=Threads(1)), found)


def _dies(part: object) -> None:
    del part
    os.kill(os.getpid(), signal.SIGKILL)


def test_parts_that_kill_every_worker(client: Any) -> None:
    backend = Dask(client)
    with pytest.raises(ConfigError, match=f"workers of the Dask cluster died {TRIES} times over the same parts"):
        backend.each(_dies, backend.scatter([1]))


class Gone:
    """A client whose workers are all gone."""

    def scatter(self, *_: Any, **__: Any) -> None:
        raise distributed.comm.core.CommClosedError("gone")


def test_no_worker_takes_a_part() -> None:
    with pytest.raises(ConfigError, match="see to the cluster"):
        Dask(Gone()).scatter([1])


def test_no_parts(client: Any) -> None:
    assert Dask(client).each(_dies, Dask(client).scatter([])) == []


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consensus.on_dask.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"Dask is not installed; install crowd-consensus\[dask\]"):
        Dask(None)
