"""Where nothing can be written, loops are compiled each time."""

from types import SimpleNamespace
from typing import Any

import pytest

from consensus import kernels
from consensus.kernels import em


def test_loops_are_compiled_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def njit(**options: Any) -> Any:
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function 'f': no locator available for file")
        return lambda loop: loop

    monkeypatch.setattr(kernels, "njit", njit)

    @kernels.kernel(forceinline=True)
    def doubled(n: int) -> int:
        return 2 * n

    assert doubled(2) == 4
    common = {"nogil": True, "error_model": "numpy", "forceinline": True}
    assert asked == [{"cache": True, **common}, common]
    monkeypatch.setattr(em, "em_pass", SimpleNamespace(stats=SimpleNamespace(cache_path=None)))
    assert not kernels.are_compiled()
