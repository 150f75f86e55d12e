"""How a fit ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["converged", "iteration_limit", "not_iterative", "not_identified"]


@dataclass(frozen=True, slots=True)
class Convergence:
    """How the fit ended."""

    status: Status
    iterations: int
    objective: tuple[float, ...]
    """After each pass, in nats; never falls from pass ``frozen_at`` on."""
    frozen_at: int = 0
    """The first pass (counted from 0) at which the prior of the confusions no longer moved."""

    @property
    def converged(self) -> bool:
        """The tolerance was met; false at the iteration limit."""
        return self.status in {"converged", "not_iterative"}
