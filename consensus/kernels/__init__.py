"""Compiled inner loops: arrays in, arrays out.

Rules of this package: inputs first, ``out_*`` last, at most eight parameters; int32 codes, int64 offsets, float64
reals, all C-contiguous (``Judgments`` guarantees it, nothing is checked here); no allocation in a loop, no errors, no
settings. Arrays that belong together come as one NamedTuple, unpacked before the first loop.

Every kernel is serial and releases the GIL. A backend runs it on shards in as many threads as it likes: whoever owns a
row of the output writes all of it, or writes a table of its own that is merged in shard order, so the bits do not
depend on the number of threads. Kernels that call each other stand in one file: Numba does not notice changes in a
function of another one, nor in the order of fields of a NamedTuple (several use ``timeline_loops.Shard``, and
``Candidates`` and ``Cells`` of ``others_loops``).
"""

from __future__ import annotations

import pickle
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    Codes = NDArray[np.int32]
    Flags = NDArray[np.bool_]
    Offsets = NDArray[np.int64]
    Reals = NDArray[np.float64]

    def kernel(*, forceinline: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:  # noqa: D103
        ...
else:
    from numba import njit

    class Forgiving:
        """Numba's cache of a loop; where it can't be read or written, as on a full disk, the loop is compiled anew."""

        def __init__(self, cache: Any) -> None:
            self._cache = cache

        def __getattr__(self, name: str) -> Any:
            return getattr(self._cache, name)

        def load_overload(self, *loop: Any) -> Any:
            """What was compiled before; an index that is damaged is begun anew."""
            try:
                return self._cache.load_overload(*loop)
            except (OSError, EOFError, ValueError, pickle.PickleError):
                with suppress(OSError):
                    self._cache.flush()
                return None

        def save_overload(self, *loop: Any) -> None:
            """Keep what was compiled, if there is room."""
            with suppress(OSError):
                self._cache.save_overload(*loop)

    def kernel(**options: Any) -> Any:
        """Compile a loop when it is first called, and keep that for later runs where there is a place for it."""
        settings = {"nogil": True, "error_model": "numpy", **options}

        def compiled(loop: Any) -> Any:
            try:
                made = njit(cache=True, **settings)(loop)
            except RuntimeError:  # neither the package nor the home can be written, and NUMBA_CACHE_DIR names no other
                return njit(**settings)(loop)
            if hasattr(made, "_cache"):  # else Numba is switched off
                made._cache = Forgiving(made._cache)
            return made

        return compiled


SMALLEST = 1e-10
"""Probabilities that are multiplied or put into logarithms are kept above this: of a label that no item has, and of an
observed label under maximum likelihood. Numba freezes it into the loops of ``copying_loops``: change that file, too."""


def are_compiled(with_votes: bool = False, *, with_masks: bool = False) -> bool:
    """Whether the loops of a fit lie in Numba's cache: compiled by an earlier run of this version on this machine.

    With ``with_votes``, those over the votes of models, too; ``with_masks``, those over pixels instead.
    """
    from pathlib import Path

    from consensus.kernels import em

    stats = getattr(em.em_pass, "stats", None)  # None where Numba is switched off: nothing to compile
    names = ["mask_loops.paint"] if with_masks else ["em.em_pass", *["votes_loops.priors"] * with_votes]
    if stats is not None and stats.cache_path is None:
        return False
    return stats is None or all(any(Path(stats.cache_path).glob(f"{name}-*.nbi")) for name in names)
