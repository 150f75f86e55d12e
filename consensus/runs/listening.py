"""Who is told how a run goes on."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """Is told what is done next, and how far it is."""

    def say(self, line: str) -> None:
        """Something to know, in a line of words."""

    def stage(self, what: str, done: float | None = None) -> None:
        """A stage begins, or goes on: which fraction of it is done, where that is known."""

    def fitting(self, stage: str, done: int, objective: float, gain: float) -> None:
        """EM goes on (a ``Progress`` of ``consensus.models``)."""


class _Silent:
    def say(self, line: str) -> None:
        """Nothing."""

    def stage(self, what: str, done: float | None = None) -> None:
        """Nothing."""

    def fitting(self, stage: str, done: int, objective: float, gain: float) -> None:
        """Nothing."""


SILENT: Listener = _Silent()
"""Tells nobody."""
