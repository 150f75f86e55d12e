"""What makes votes of models worth less than they seem: echoes of people, and mistakes that families share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Echoes:
    """How far each model repeats the majority of people (``votes_echo``)."""

    share: NDArray[np.float64]
    """(M,) e, in the mean over what its votes leave open: share of them that are echoes, 0 to 1; 0 where it is next to
    none."""
    probability: NDArray[np.float64]
    """(M,) that any of them are; 0 where ``share`` is."""
    astray: NDArray[np.float64]
    """(M,) nu: share of its echoes that are noise, 0 to .5."""
    evidence: NDArray[np.float64]
    """(M,) likelihood ratio of echoes, 2 log(with / without) in nats; NaN where it can't be told."""
    divided: NDArray[np.int64]
    """(M,) items that it voted on and on which three people or more were divided, but had a majority."""
    mostly: NDArray[np.bool_]
    """(M,) it is an echo rather than a model: what it states is not believed."""
    accused: NDArray[np.bool_]
    """(M,) and the evidence can carry to say so."""

    @classmethod
    def none(cls, n_models: int) -> Echoes:
        """None of them is known to repeat anybody."""
        zeros, no = np.zeros(n_models), np.zeros(n_models, np.bool_)
        return cls(zeros, zeros.copy(), zeros.copy(), np.full(n_models, np.nan), np.zeros(n_models, np.int64), no, no)


@dataclass(frozen=True, slots=True, eq=False)
class SharedMistakes:
    """Which families share mistakes, and were made one (``votes_shared``)."""

    declared: tuple[str, ...]
    """(M,) the family that each model was said to be of."""
    merged: tuple[tuple[str, ...], ...] = ()
    """The models of each family that was made of several."""
    untested: bool = False
    """There are several families of models that only name labels, and neither people nor gold tell about them."""


@dataclass(frozen=True, slots=True, eq=False)
class Doubts:
    """Both."""

    echoes: Echoes
    shared: SharedMistakes
