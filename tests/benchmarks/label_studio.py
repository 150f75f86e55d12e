"""Syncs with a real Label Studio server on loopback: how long they take, and how much of it the server takes.

``python -m tests.benchmarks.label_studio --tasks 10000`` starts the server (``CONSENSUS_LABEL_STUDIO`` names its
command), imports tasks with three judgments each by workers who are right in 90, 80 and 55 of 100 cases, and syncs them
three times: all is new; one in a hundred tasks has a judgment more; nothing is new. The server's own time is that
in which the client waits for an answer.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any

import httpx

from consensus.config import RunConfig
from consensus.live import label_studio_sync as syncing
from consensus.live.label_studio_server import Server
from tests.live.stand_in import result
from tests.live.studio import CONFIG, LABELS, QUICK, Studio, started

LIMIT = 120.0
"""Seconds of a first sync of 10,000 tasks beside the server's own time."""
SKILLS = (0.9, 0.8, 0.55)
AT_ONCE = 1_000
"""Tasks an import."""


class Timed(httpx.HTTPTransport):
    """Requests over the network, and the time in which at least one waited for its answer."""

    seconds = 0.0
    n = 0

    def __init__(self) -> None:
        super().__init__()
        self._lock, self._open, self._since = Lock(), 0, 0.0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and read the whole answer."""
        with self._lock:
            if not self._open:
                self._since = time.perf_counter()
            self._open += 1
            self.n += 1
        try:
            found = super().handle_request(request)
            found.read()
        finally:
            with self._lock:
                self._open -= 1
                if not self._open:
                    self.seconds += time.perf_counter() - self._since
        return found


def _imported(studio: Studio, n_tasks: int, rng: random.Random) -> int:
    """A project."""
    project = studio.ask("POST", "/api/projects/", json={"title": "many", "label_config": CONFIG})["id"]
    users = [studio.user(f"many-{n}") for n in range(len(SKILLS))]
    for begin in range(0, n_tasks, AT_ONCE):
        tasks = []
        for n in range(begin, min(begin + AT_ONCE, n_tasks)):
            truth = rng.choice(LABELS)
            given = [
                {"result": result(truth if rng.random() < skill else rng.choice(LABELS)), "completed_by": user}
                for user, skill in zip(users, SKILLS, strict=True)
            ]
            tasks.append({"data": {"text": f"text {n}"}, "annotations": given})
        studio.ask("POST", f"/api/projects/{project}/import", json=tasks)
    return int(project)


def _synced(studio: Studio, project: int, folder: Path) -> tuple[float, Timed, syncing.Synced]:
    timed = Timed()
    server = Server(studio.url, studio.legacy, project, QUICK, transport=timed)
    begun = time.perf_counter()
    try:
        done = syncing.sync(server, folder, RunConfig(), url=studio.url)
    finally:
        server.close()
    return time.perf_counter() - begun, timed, done


def main() -> None:
    """Measure, and end with 1 where the limit is not held."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    rows: list[tuple[str, float, Timed, syncing.Synced]] = []
    with TemporaryDirectory() as folder, started(Path(folder)) as studio:
        begun = time.perf_counter()
        project = _imported(studio, given.tasks, rng)
        sys.stdout.write(f"import by the server: {time.perf_counter() - begun:.1f} s\n")
        state = Path(folder) / "state"
        for name in ("all is new", "1 % is new", "nothing is new"):
            if name == "1 % is new":
                found: Any = studio.ask("GET", "/api/tasks/", params={"project": project, "page_size": 100, "page": 1})
                extra = studio.user("many-extra")
                for task in found["tasks"][: max(given.tasks // 100, 1)]:
                    studio.annotate(task["id"], extra, rng.choice(LABELS))
            seconds, timed, done = _synced(studio, project, state)
            rows.append((name, seconds, timed, done))
            sys.stdout.write(
                f"{name}: {seconds:.1f} s, of which the server {timed.seconds:.1f} s in {timed.n:,} requests; ours "
                f"{seconds - timed.seconds:.1f} s; {done.new:,} judgments new, {done.predictions:,} predictions, "
                f"{done.told:,} tasks told\n"
            )
            sys.stdout.flush()
    ours = rows[0][1] - rows[0][2].seconds
    limit = LIMIT * given.tasks / 10_000
    sys.stdout.write(f"first sync, ours: {ours:.1f} s (limit {limit:.0f} s)\n")
    if ours > limit:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
