"""``consensus chunks`` with workers who have pseudonyms."""

import json
from pathlib import Path

import pandas as pd
import pytest

from consensus import chunks
from consensus.errors import ConfigError, RunError
from consensus.inputs.pseudonyms import pseudonym, read_key
from tests.chunks import picture_files
from tests.conftest import Run

NAMES = ("annabel@example.org", "bobby", "evelyn", "kimberly")


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in, with a manifest, and a key."""
    picture_files.written(tmp_path / "set", 2)
    table = (tmp_path / "set" / "manifest.csv").read_text()
    for old, new in zip(("ann", "bob", "eve"), NAMES, strict=False):
        table = table.replace(f'"{old}"', f'"{new}"')
    (tmp_path / "set" / "manifest.csv").write_text(table)
    (tmp_path / "key").write_text("a key that is long enough")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answered(beside: Path) -> None:
    asked = pd.read_csv(beside / "out" / "escalations.csv")
    asked = asked[asked["judgments"] > 0].head(6)
    table = pd.DataFrame({"item": asked["item"], "worker": NAMES[3], "label": asked["label"]})
    table.to_csv(beside / "answers.csv", index=False)


def named(out: Path) -> list[str]:
    """Files that name a worker, or are called by their names."""
    files = [path for path in out.rglob("*") if path.is_file()]
    found = [path.name for path in files if any(name.encode() in path.read_bytes() for name in NAMES)]
    return found + [path.name for path in files if any(name in path.name for name in NAMES)]


def test_no_output_names_anybody(run: Run, beside: Path) -> None:
    ran = run("chunks", "run", "set/manifest.csv", "--classes", "set/classes.csv", "--pseudonyms", "key", "-o", "out")
    assert ran.status == 0, ran.err
    answered(beside)
    for again in range(2):
        ran = run("chunks", "answers", "out", "answers.csv", "--report")
        assert ran.status == 0, ran.err
        assert not any(name in ran.err + ran.out for name in NAMES)
        assert named(beside / "out") == []
        assert len(pd.read_csv(beside / "out" / "clicks.csv")) == 6, again
    key = read_key(beside / "key")
    expected = sorted([*(pseudonym(key, name) for name in NAMES[:3]), f"{pseudonym(key, NAMES[3])} (clicks)"])
    assert sorted(pd.read_csv(beside / "out" / "workers.csv")["worker"]) == expected
    assert set(pd.read_csv(beside / "out" / "clicks.csv")["worker"]) == {pseudonym(key, NAMES[3])}


def test_the_key_may_have_moved(run: Run, beside: Path) -> None:
    assert run("chunks", "run", "set/manifest.csv", "--pseudonyms", "key", "-o", "out", "--no-report").status == 0
    answered(beside)
    (beside / "key").rename(beside / "moved")
    ran = run("chunks", "answers", "out", "answers.csv")
    assert f"{beside / 'key'}: can't be read as a key: no such file or directory" in ran.err
    assert run("chunks", "answers", "out", "answers.csv", "--pseudonyms", "moved").status == 0
    (beside / "other").write_text("another key that is long enough")
    with pytest.raises(RunError, match="the key of its pseudonyms is not what it was; name that with --pseudonyms"):
        chunks.load("out", pseudonyms=Path("other"))
    made = chunks.load("out", pseudonyms=Path("moved"))
    assert len(chunks.answers(made, "answers.csv").clicks) > 0
    with pytest.raises(ConfigError, match="other: the run has no pseudonyms by this key; make it again with --pseudo"):
        chunks.answers(made, "answers.csv", pseudonyms="other")


def test_files_that_are_called_like_workers_are_not_named(run: Run, beside: Path) -> None:
    rows = pd.read_csv(beside / "set" / "manifest.csv")
    for worker, own in rows.groupby("worker"):
        own.drop(columns="worker").to_csv(beside / "set" / f"{worker}.csv", index=False)
    files = [f"set/{name}.csv" for name in NAMES[:3]]
    ran = run("chunks", "run", *files, "--worker-from-file", "--pseudonyms", "key", "-o", "out", "--report")
    assert ran.status == 0, ran.err
    assert not any(name in ran.err for name in NAMES)
    assert named(beside / "out") == []
    assert json.loads((beside / "out" / "summary.json").read_text())["inputs"] is None
    with pytest.raises(RunError, match="it does not tell what its masks are"):
        chunks.load("out")


def test_a_run_without(run: Run, beside: Path) -> None:
    assert run("chunks", "run", "set/manifest.csv", "-o", "out", "--no-report").status == 0
    answered(beside)
    ran = run("chunks", "answers", "out", "answers.csv", "--pseudonyms", "key")
    assert ran.err == "consensus: out: it has no pseudonyms; make it again with --pseudonyms\n"
    with pytest.raises(ConfigError, match="key: the run has no pseudonyms by this key"):
        chunks.answers(chunks.load("out"), "answers.csv", pseudonyms="key")
