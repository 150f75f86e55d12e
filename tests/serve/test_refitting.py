"""Fits in the background: by volume, by time, one at a time, and again after one that failed."""

import time
from typing import Any

import pytest

from consensus.errors import ConsensusError
from consensus.serve import refitting
from consensus.serve.refitting import Refitting


class Made:
    """Stands in for a stream."""

    def __init__(self) -> None:
        self.n_new, self.n_fits, self.fails, self.is_behind = 0, 0, False, False

    def refit(self) -> None:
        if self.fails:
            raise ConsensusError("no luck")
        self.n_fits += 1
        self.n_new, self.is_behind = 0, False


@pytest.fixture
def stream() -> Any:
    return Made()


def test_by_volume_or_by_time(stream: Any) -> None:
    one = Refitting(stream, 60.0, 100, print)
    assert not one.look(0.0)
    stream.n_new = 99
    assert not one.look(5.0)
    stream.n_new = 100
    assert one.look(6.0)
    stream.n_new = 1
    assert not one.look(100.0)
    assert not one.look(159.9)
    assert one.look(160.0)
    stream.n_new = 1
    assert not one.look(161.0)  # the time begins anew
    stream.n_new, stream.is_behind = 0, True  # as where gold came, or another process added something
    assert not one.look(200.0)
    assert one.look(260.0)
    assert not one.look(261.0)
    assert stream.n_fits == 3


def test_after_a_failure_it_waits_longer_each_time(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    one, now = Refitting(stream, 2.0, 1, said.append), [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream.n_new, stream.fails = 5, True
    assert not one.look(0.0)
    assert not one.look(3.9)
    now[0] = 4.0
    assert not one.look(4.0)
    assert said == [f"the fit failed, and is tried again in {n} s: no luck" for n in (4, 8)]
    stream.fails = False
    assert not one.look(11.9)
    assert one.look(12.0)
    stream.n_new = 1
    assert one.look(12.1)


def test_its_thread_ends_when_it_is_told_to(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refitting, "LOOK", 0.01)
    one = Refitting(stream, 0.0, 1, print)
    stream.n_new = 3
    one.start()
    deadline = time.monotonic() + 30.0
    while not stream.n_fits and time.monotonic() < deadline:
        time.sleep(0.01)
    one.stop(30.0)
    assert stream.n_fits == 1
    assert not one._thread.is_alive()
