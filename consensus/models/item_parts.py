"""Parts of the items in a dense layout, and what EM does to each of them, wherever it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.kernels import em, weighted_em

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from consensus.backends import Backend

    Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Consecutive items and their judgments. Sent away, it takes what is its own and no more."""

    start: NDArray[np.int64]
    """(n+1,) judgments of item i are ``start[i]:start[i + 1]``."""
    row: NDArray[np.int32]
    """(J,) of all items."""
    prior_row: NDArray[np.int32]
    """(n,) the row of each item in the table of priors."""
    units: Reals | None = None
    """(n,) what each item counts for; None: one."""
    apart: Reals | None = None
    """(J,) what each judgment counts for, of all items, with ``units``; or (0,): as its item does."""

    def __reduce__(self) -> tuple[type[Part], tuple[Any, ...]]:
        begin, end = self.start[0], self.start[-1]
        apart = self.apart[begin:end] if self.apart is not None and len(self.apart) else self.apart
        return Part, (self.start - begin, self.row[begin:end], self.prior_row, self.units, apart)

    @property
    def weighed(self) -> weighted_em.Weighed:
        """The judgments with their units."""
        assert self.units is not None
        assert self.apart is not None
        return weighted_em.Weighed(self.start, self.row, self.units, self.apart)


@dataclass(slots=True, eq=False)
class Held:
    """The parts that a backend has."""

    parts: Sequence[Any] = ()
    backend: Backend | None = None
    prior_row: NDArray[np.int32] | None = field(default=None, repr=False)


def em_pass(part: Part, counts: Reals, C: Reals, table: Reals, own_from: int) -> tuple[Reals, float]:
    """E and M1 of a part: its ``counts`` (R, K or wider); its masses (2, K), and its log evidence."""
    mass = np.zeros((2, C.shape[1]))
    counts[:] = 0.0
    if part.units is None:
        evidence = em.em_pass(part.start, part.row, C, table, part.prior_row, own_from, counts, mass)
        return mass, float(evidence)
    each = np.empty(len(part.units))
    told = weighted_em.em_pass(part.weighed, C, table, part.prior_row, own_from, counts, mass, each)
    return mass, told + float((part.units * np.log(each)).sum())


def count(part: Part, counts: Reals, posterior: Reals) -> Reals:
    """M1 of a part: its ``counts`` by its ``posterior`` (n, K); its masses (2, K)."""
    mass = np.zeros((2, posterior.shape[1]))
    counts[:] = 0.0
    if part.units is None:
        em.scatter_counts(part.start, part.row, posterior, part.prior_row, counts, mass[0])
    else:
        weighted_em.scatter_counts(part.weighed, posterior, part.prior_row, counts, mass[0])
    return mass


def posteriors(part: Part, out: Reals, log_rows: Reals, table: Reals, power: Reals) -> None:
    """E of a part: its posterior (n, K) to ``power`` (n,), normalised."""
    em.posteriors(part.start, part.row, log_rows, table, part.prior_row, power, out)
