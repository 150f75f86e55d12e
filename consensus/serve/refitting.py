"""Fits in the background, by time or volume: one at a time, in a thread, while requests are answered."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from consensus.errors import ConsensusError

if TYPE_CHECKING:
    from collections.abc import Callable

    from consensus.state.streams import Stream

LOOK = 0.2
"""Seconds between two looks at how much came."""
LONGEST_PAUSE = 3_600.0


class Refitting:
    """A thread that fits what came to a ``stream``, once there are ``judgments`` or the first waited for ``seconds``.

    So it does with gold, and with what another process added to the state.

    After a fit that fails it waits twice as long as before, and says why.
    """

    def __init__(self, stream: Stream, seconds: float, judgments: int, say: Callable[[str], None]) -> None:
        self._stream, self._seconds, self._judgments, self._say = stream, seconds, judgments, say
        self._stop = threading.Event()
        self._since: float | None = None
        self._not_before = 0.0
        self._n_failed = 0
        self._thread = threading.Thread(target=self._run, name="refitting", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self, wait: float) -> None:
        """Look no more; a fit that goes on is given up after ``wait`` seconds: it leaves the state as it was."""
        self._stop.set()
        self._thread.join(wait)

    def _run(self) -> None:
        while not self._stop.wait(LOOK):
            self.look(time.monotonic())

    def look(self, now: float) -> bool:
        """Fit if it is time to; whether a fit was made."""
        n_new = self._stream.n_new
        if not n_new and not self._stream.is_behind:
            self._since = None
            return False
        self._since = now if self._since is None else self._since
        if now < self._not_before or not (n_new >= self._judgments or now - self._since >= self._seconds):
            return False
        try:
            self._stream.refit()
        except ConsensusError as error:
            self._n_failed += 1
            pause = min(max(self._seconds, 1.0) * 2.0**self._n_failed, LONGEST_PAUSE)
            self._not_before = time.monotonic() + pause
            self._say(f"the fit failed, and is tried again in {pause:.0f} s: {error}")
            return False
        self._since, self._n_failed = None, 0
        return True
