"""The notebooks run, and say what stands in them.

Where a change alters what they show, ``CONSENSUS_REFRESH=1 pytest tests/test_notebooks.py`` writes their outputs anew.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

nbformat = pytest.importorskip("nbformat", reason="notebooks need nbformat and nbclient (extra: dev)")
nbclient = pytest.importorskip("nbclient", reason="notebooks need nbformat and nbclient (extra: dev)")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def executed(notebook: Any, folder: Path) -> Any:
    """The notebook run anew, without what changes from run to run."""
    where = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(
        notebook, timeout=600, startup_timeout=300, coalesce_streams=True, resources=where
    ).execute()
    notebook.metadata = METADATA
    for cell in notebook.cells:
        cell.metadata = {}
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = {}
    return notebook


def said(cell: Any) -> list[Any]:
    """What a cell printed, and which kinds of pictures it drew."""
    return [
        output.text
        if output.output_type == "stream"
        else sorted(output.data)
        if "image/png" in output.data
        else output.data["text/plain"]
        for output in cell.get("outputs", [])
    ]


def test_there_are_four() -> None:
    assert [path.name[0] for path in NOTEBOOKS] == ["1", "2", "3", "4"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")  # of the kernel's event loop
@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_runs_and_says_what_stands_in_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_DISABLE_JIT", raising=False)
    committed = nbformat.read(path, as_version=4)
    made = executed(nbformat.read(path, as_version=4), path.parent if path.name[0] == "2" else ROOT)
    if os.environ.get("CONSENSUS_REFRESH"):
        nbformat.write(made, path)
    assert path.stat().st_size < 700_000
    for before, now in zip(committed.cells, made.cells, strict=True):
        if before.cell_type == "code":
            assert all(output.get("name") != "stderr" for output in now.outputs)
            assert said(now) == said(before)
            assert now.execution_count == before.execution_count
