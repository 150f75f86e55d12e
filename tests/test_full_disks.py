"""The program of full disks, in short; and where there is no room for what is only needed now."""

import errno
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

import consensus
from consensus.errors import OutputError
from consensus.formats import partials, spooling, writing
from tests.benchmarks import full_disks

TABLE = b"item,worker,label\na,v,x\na,w,y\n"


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize("name", ["run", "audit", "chunks run"])
def test_the_old_output_stays_whole(tmp_path: Path, name: str) -> None:
    inputs, place = tmp_path / "inputs", tmp_path / "place"
    inputs.mkdir()
    place.mkdir()
    full_disks.judged(inputs, n_items=60)
    out = full_disks.old_output(name, inputs, place)
    known = full_disks.sizes(out)
    n_refused, wrong = full_disks.full(name, inputs, place, [known[-1] // 2, known[-1] - 1])
    assert wrong == []
    assert n_refused == 2


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space left on device; make room there, or choose another place"),
        (errno.EFBIG, r"file too large; allow larger files \(ulimit -f\), or choose another place"),
        (errno.EROFS, "read-only file system; choose another place"),
        (errno.ENOENT, "no such file or directory; create its folder first"),
    ],
)
def test_the_way_out(number: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(partials, "claimed", refuse)
    with pytest.raises(OutputError, match=f"^{tmp_path}/a.html: can't be written: {said}$"):
        writing.write_bytes(b"", tmp_path / "a.html")


class Little:
    """A file that takes two bytes at once, and four in all."""

    def __init__(self) -> None:
        self.got = b""

    def write(self, some: memoryview) -> int:
        if len(self.got) >= 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.got += bytes(some[:2])
        return min(len(some), 2)

    def __enter__(self) -> "Little":
        return self

    def __exit__(self, *_: object) -> None:
        pass


class TestTemporaryFiles:
    def test_no_room(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        little = Little()
        monkeypatch.setattr(Path, "open", lambda *_, **__: little)
        place = tmp_path / "1" / "stream"
        with spooling.keeping(place, "stream") as keep:
            keep(b"abcd")
            assert little.got == b"abcd"
            told = f"stream: can't be kept in {tmp_path}: no space left on device; make room there, or name another"
            with pytest.raises(OutputError, match=told):
                keep(b"e")

    def test_nowhere(self, tmp_path: Path) -> None:
        told = f"in {tmp_path}: no such file or directory; make room there, or name another folder in TMPDIR"
        with (
            pytest.raises(OutputError, match=told),
            spooling.keeping(tmp_path / "none" / "stream", "stream"),
        ):
            pass  # pragma: no cover

    @pytest.mark.parametrize("kind", ["stream", "archive"])
    def test_no_folder(self, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("j.csv", TABLE)
        given = io.BytesIO(TABLE) if kind == "stream" else tmp_path / "a.zip"
        assert consensus.read(given).n_judgments == 2
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
        monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
        given = io.BytesIO(TABLE) if kind == "stream" else tmp_path / "a.zip"
        with pytest.raises(OutputError, match=f"can't be kept in {tmp_path}/none: no such file or directory"):
            consensus.read(given)
