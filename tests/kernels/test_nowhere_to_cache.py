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


class Full:
    """A cache on a full disk, with an index that was cut off."""

    cache_path = "there"

    def __init__(self) -> None:
        self.flushed = 0

    def load_overload(self, *_: Any) -> Any:
        raise EOFError

    def save_overload(self, *_: Any) -> None:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        self.flushed += 1
        raise OSError(28, "No space left on device")


def test_a_full_disk_under_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def njit(**_: Any) -> Any:
        return lambda loop: SimpleNamespace(loop=loop, _cache=Full())

    monkeypatch.setattr(kernels, "njit", njit)
    made: Any = kernels.kernel()(len)
    assert made._cache.load_overload("signature", "target") is None
    made._cache.save_overload("signature", "compiled")
    assert (made._cache.flushed, made._cache.cache_path) == (1, "there")


def test_what_was_compiled_is_found_again() -> None:
    held = SimpleNamespace(load_overload=lambda *given: given, save_overload=lambda *_: None)
    forgiving = kernels.Forgiving(held)  # type: ignore[attr-defined]
    assert forgiving.load_overload("signature", "target") == ("signature", "target")
    forgiving.save_overload("signature", "compiled")
