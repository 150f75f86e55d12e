"""Where nothing may be written: one line that names the file and the way out, and the old output stays whole.

Root may write everywhere; the commands run without that right.
"""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from consensus.chunks import cuts
from consensus.cli import printing
from consensus.errors import SETTINGS, OutputError
from consensus.formats import writing
from consensus.runs import folder
from tests.benchmarks import full_disks
from tests.conftest import ROOT

IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
LIMITED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner") if IS_ROOT else ()
"""What runs a command with the rights of an owner only."""


def is_held_to_rights() -> bool:
    """Whether a command can be kept from a folder by the rights to it."""
    return os.name == "posix" and (not IS_ROOT or shutil.which("setpriv") is not None)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("inputs")
    full_disks.judged(made, n_items=60)
    return made


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    made = tmp_path / "place"
    made.mkdir()
    yield made
    made.chmod(0o755)


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.skipif(not is_held_to_rights(), reason="whoever runs this may write everywhere")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("run", "out: {} can't be written (permission denied); choose another with --output"),
        ("audit", "out.parquet: can't be written: permission denied; choose another place"),
        ("simulate", "out: can't be written: permission denied; choose another place"),
    ],
)
def test_a_folder_that_may_not_be_written(name: str, said: str, inputs: Path, place: Path) -> None:
    """Nor be looked into, for simulate."""
    out = full_disks.old_output(name, inputs, place)
    before = full_disks.digest(place)
    place.chmod(0 if name == "simulate" else 0o555)
    ran = subprocess.run(
        [*LIMITED, sys.executable, "-m", "consensus", *(one.format(place) for one in full_disks.COMMANDS[name]), "-q"],
        cwd=inputs,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=full_disks.LONGEST,
    )
    assert ran.stderr == f"consensus: {place}/{said.format(place)}\n"
    assert ran.returncode == SETTINGS
    assert ran.stdout == ""
    place.chmod(0o755)
    assert full_disks.digest(place) == before
    assert [one.name for one in place.iterdir()] == [out.name]


def test_a_closed_folder_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system says to others than root."""

    def refuse(*_: object, **__: object) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    monkeypatch.setattr(Path, "samefile", refuse)
    with pytest.raises(OutputError, match=f"^{tmp_path}/a/out: can't be written: permission denied; choose another p"):
        folder.check(tmp_path / "a" / "out", overwrite=True)
    with pytest.raises(OutputError, match=f"^{tmp_path}/a: can't be written: permission denied; choose another place"):
        cuts.make(ROOT / "data" / "shapes" / "pictures" / "dawn.png", tmp_path / "a")
    with pytest.raises(OutputError, match=f"^{tmp_path}/p.html: can't be written: permission denied; choose another "):
        writing.check_place(tmp_path / "p.html")
    printing.refuse_to_overwrite(tmp_path / "a" / "out.csv", [tmp_path / "j.csv", None])
