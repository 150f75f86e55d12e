"""The service under load: judgments a second, nothing acknowledged is lost by kill -9; and how long ``next`` takes.

``python -m tests.benchmarks.serve --seconds 60``: clients post batches to ``consensus serve`` on loopback, which is
killed (SIGKILL) in the middle and started again; in the end each judgment that was acknowledged must be in the state
once. ``--next 1000000,10000000`` times ``Stream.next(10, worker)`` and ``Stream.add`` on states of so many judgments.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from consensus import RunConfig, simulate
from consensus.state import State, streams

READY = "serving "
LONGEST = 600.0
"""Seconds until a service is to be ready."""


@dataclass
class Loaded:
    """What a load did."""

    acknowledged: list[tuple[str, str]] = field(default_factory=list)
    """Item and worker of each judgment."""
    seconds: float = 0.0
    """In which the service was up."""
    errors: list[str] = field(default_factory=list)
    """Answers other than 200 while the service was up."""
    lost: list[tuple[str, str]] = field(default_factory=list)
    doubled: list[tuple[str, str]] = field(default_factory=list)
    post: list[float] = field(default_factory=list)
    """Seconds of each POST."""
    asked: list[float] = field(default_factory=list)
    """Seconds of each GET /next."""
    again: list[str] = field(default_factory=list)
    """Items that were handed out to one worker twice within their lease, by one start of the service."""


class Service:
    """``consensus serve`` as a process of its own."""

    def __init__(self, state: Path, *options: str) -> None:
        command = [sys.executable, "-m", "consensus", "serve", str(state), "--port", "0", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        self._stderr, said = self.process.stderr, ""
        for said in self._stderr:
            if said.startswith(READY):
                break
        else:
            self._stderr.close()
            self.process.wait(LONGEST)
            raise RuntimeError(f"it did not start: {said}")
        self.port = int(said.split("http://127.0.0.1:")[1].split(":")[0])
        self._reader = threading.Thread(target=self._stderr.read, daemon=True)
        self._reader.start()

    def ended(self, number: int) -> int:
        """End it by a signal; how it exits."""
        self.process.send_signal(number)
        self._reader.join(LONGEST)
        self._stderr.close()
        return self.process.wait(LONGEST)


def request(port: int, method: str, path: str, body: Any = None, connection: Any = None) -> tuple[int, Any]:
    """Status and answer of one request."""
    if connection is None:
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)) as own:
            return request(port, method, path, body, own)
    content = None if body is None else json.dumps(body).encode()
    connection.request(method, path, content, {"Content-Type": "application/json"} if content else {})
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def loaded(
    folder: Path, seconds: float, *, n_clients: int = 16, batch: int = 100, n_items: int = 5_000, seed: int = 0
) -> Loaded:
    """Load a service, kill it in the middle, start it again, and see what is there in the end."""
    drawn = simulate(n_items, 50, 4, 3, seed=seed)
    path = folder / "state"
    state = State.create(path, RunConfig(model="dawid_skene"))
    state.append(drawn.judgments_table())
    state.update()
    found = Loaded()
    numbers = itertools.count()
    for end in (signal.SIGKILL, signal.SIGTERM):
        service = Service(path)
        begun = time.monotonic()
        stop = threading.Event()
        clients = [
            threading.Thread(target=_client, args=(service.port, stop, numbers, batch, n_items, found, seed + n))
            for n in range(n_clients)
        ]
        for one in clients:
            one.start()
        time.sleep(seconds / 2)
        if end == signal.SIGTERM:  # let the clients finish first: from then on, everything has an answer
            stop.set()
            for one in clients:
                one.join()
            found.seconds += time.monotonic() - begun
            service.ended(end)
        else:
            found.seconds += time.monotonic() - begun
            stop.set()
            service.ended(end)
            for one in clients:
                one.join()
    with streams.open(path) as stream:
        if stream.n_new:
            stream.refit()
        j = stream.run.result.judgments
        items, workers = (np.array(ids.to_pylist()) for ids in (j.item_ids, j.worker_ids))
        there = Counter(zip(items[j.item].tolist(), workers[j.worker].tolist(), strict=True))
        n_repeated = j.tally.repeated
    found.lost = [pair for pair in found.acknowledged if not there[pair]]
    found.doubled = [pair for pair in found.acknowledged if there[pair] > 1]
    if n_repeated:  # no judgment was posted twice
        found.doubled += [("rows that repeat others", str(n_repeated))]
    return found


def _client(
    port: int, stop: threading.Event, numbers: itertools.count[int], batch: int, n_items: int, found: Loaded, seed: int
) -> None:
    """Post batches of judgments that nobody made before, and ask what is next after each."""
    rng, asked = random.Random(seed), Counter[tuple[str, str]]()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    while not stop.is_set():
        worker = f"c{next(numbers)}"
        items = rng.sample(range(n_items), batch)
        said = [{"item": f"item{i:04d}", "worker": worker, "label": f"label_{rng.randrange(4)}"} for i in items]
        try:
            begun = time.perf_counter()
            status, answer = request(port, "POST", "/judgments", said, connection)
            found.post.append(time.perf_counter() - begun)
            if status == 200 and answer["new"] == batch:
                found.acknowledged += [(one["item"], one["worker"]) for one in said]
            else:
                found.errors.append(f"{status} {answer}")
            begun = time.perf_counter()
            status, answer = request(port, "GET", f"/next?worker={worker}&n=10", None, connection)
            found.asked.append(time.perf_counter() - begun)
            judged = {one["item"] for one in said}
            asked.update((one["item"], worker) for one in answer["items"])
            found.again += [one["item"] for one in answer["items"] if one["item"] in judged]
        except (OSError, http.client.HTTPException) as error:
            if not stop.is_set():
                found.errors.append(repr(error))
            break
    connection.close()
    found.again += [item for (item, _), n in asked.items() if n > 1]


def next_times(folder: Path, n_judgments: int, n_asked: int = 2_000, seed: int = 0) -> dict[str, float]:
    """Milliseconds of ``next(10, worker)`` and ``add`` (of 1,000) on a state of so many judgments; else seconds."""
    drawn = simulate(n_judgments // 5, max(n_judgments // 1_000, 20), 4, 5, seed=seed)
    path = folder / f"state{n_judgments}"
    begun = time.perf_counter()
    state = State.create(path, RunConfig(model="dawid_skene"))
    state.append(drawn.judgments_table())
    state.update()
    made = time.perf_counter() - begun
    del drawn, state
    begun = time.perf_counter()
    with streams.open(path) as stream:
        opened = time.perf_counter() - begun
        rng = np.random.default_rng(seed)
        workers = stream.run.result.judgments.worker_ids.to_pylist()
        items = stream.run.result.judgments.item_ids
        spent, added, n_found = list[float](), list[float](), 0
        for n in range(n_asked):
            begun = time.perf_counter()
            asked = stream.next(10, workers[rng.integers(len(workers))])
            spent.append(time.perf_counter() - begun)
            n_found += len(asked)
            if n % 100 == 0:
                some = [items[int(i)].as_py() for i in rng.choice(len(items), min(1_000, len(items)), replace=False)]
                begun = time.perf_counter()
                stream.add([{"item": one, "worker": f"new{n}", "label": "label_0"} for one in some])
                added.append(time.perf_counter() - begun)
    median, late = np.percentile(spent, [50, 99])
    return {
        "judgments": n_judgments,
        "made_s": made,
        "opened_s": opened,
        "found_per_next": n_found / n_asked,
        "next_median_ms": 1_000 * float(median),
        "next_99_ms": 1_000 * float(late),
        "next_most_ms": 1_000 * max(spent),
        "add_1000_median_ms": 1_000 * float(np.median(added)),
        "add_1000_most_ms": 1_000 * max(added),
    }


def milliseconds(seconds: list[float]) -> list[float]:
    """The median and the 99th percentile, if there is any."""
    return [1_000 * float(one) for one in np.percentile(seconds, [50, 99])] if seconds else []


def tell(found: dict[str, Any]) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Print what was found, one line of JSON each; exit with 1 where something is lost, doubled or wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--next", default="", help="numbers of judgments, with commas between; then no load")
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        if given.next:
            for n in given.next.split(","):
                tell(next_times(Path(folder), int(n), seed=given.seed))
            return
        found = loaded(Path(folder), given.seconds, n_clients=given.clients, batch=given.batch, seed=given.seed)
    told = {
        "acknowledged": len(found.acknowledged),
        "per_second": len(found.acknowledged) / found.seconds,
        "post_ms": milliseconds(found.post),
        "next_ms": milliseconds(found.asked),
        "lost": len(found.lost),
        "doubled": len(found.doubled),
        "handed_out_again": len(found.again),
        "errors": found.errors[:3],
    }
    tell(told)
    sys.exit(bool(found.lost or found.doubled or found.errors or found.again))


if __name__ == "__main__":
    main()
