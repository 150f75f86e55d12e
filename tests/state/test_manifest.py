"""What a manifest refuses."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from consensus.errors import StateError
from consensus.state.manifest import FILE, Fitted, Kept, Manifest


def made(folder: Path) -> Manifest:
    first = Manifest({"target": 0.9}, {"model_votes": "none"}).with_event(
        "judgments", Kept("a.csv", "ab", "000001", 7, ("a note",))
    )
    second = first.with_event("model_votes", Kept("v.csv", "cd", "000002", 3, models=("gpt",)))
    second.write(folder)
    return second


def rewritten(folder: Path, told: dict[str, Any]) -> None:
    """Another manifest, with its digest."""
    told.pop("sha256", None)
    told["sha256"] = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
    (folder / FILE).write_text(json.dumps(told))


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    written = made(tmp_path)
    assert Manifest.read(tmp_path) == written
    assert written.n_judgments == 7
    assert written.chain != Manifest({}).chain
    with_fit = Manifest({}, {}, written.events, Fitted("000001", 2, 7, 0, full=True))
    with_fit.write(tmp_path)
    assert Manifest.read(tmp_path).fit == with_fit.fit


def test_no_folder_and_no_manifest_are_told(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="gone: no such folder; name the folder of a state"):
        Manifest.read(tmp_path / "gone")
    with pytest.raises(StateError, match="no manifest.json in it, so it is no state; name the folder of a state"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", '{"format": 2}'])
def test_another_version_or_no_json_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(StateError, match="not the manifest of a state|format (None|2) of a state") as told:
        Manifest.read(tmp_path)
    assert told.value.code == "no_state"


def test_a_missing_key_is_refused(tmp_path: Path) -> None:
    rewritten(tmp_path, {"format": 1, "events": [{}], "fit": None})
    with pytest.raises(StateError, match="not the manifest of a state; restore it"):
        Manifest.read(tmp_path)


def test_a_chain_that_was_changed_is_refused(tmp_path: Path) -> None:
    made(tmp_path)
    told = json.loads((tmp_path / FILE).read_text())
    told["events"][0]["sha256"] = "other"
    rewritten(tmp_path, told)
    with pytest.raises(StateError, match=r"the chain of digests breaks at a\.csv: somebody changed it"):
        Manifest.read(tmp_path)
