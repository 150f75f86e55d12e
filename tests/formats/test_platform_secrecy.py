"""Addresses, cities and e-mails that exports hold are in nothing that any command writes or prints."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from consensus import read_gold
from consensus.errors import ConsensusError
from tests.conftest import Ran, Run
from tests.formats.test_platforms import EXAMPLES, SECRETS
from tests.naive_platforms import EXPECTED

pytestmark = pytest.mark.usefixtures("by_dawid_skene")

TABLES = ("labels", "gold", "new-gold")  # beside what a run writes
MORE = ("--posteriors", "--retest", 3, "--audit-sample", 0.2, "--timings", "--drift-by", "rows", "--collusion", "merge")
each = pytest.mark.parametrize("name", EXPECTED)


def shown(path: Path) -> str:
    """What somebody finds in a file."""
    raw = path.read_bytes().decode("utf-8", "replace")
    return raw + str(pq.read_table(path).to_pylist()) if path.suffix == ".parquet" else raw


def secrets_in(*texts: str) -> list[str]:
    return [secret for text in texts for secret in SECRETS if secret in text]


def golden(path: Path) -> list[object]:
    """Gold of the same file, if it has any, also where that counts only if named."""
    try:
        read_gold(path)
    except ConsensusError:
        return []
    return ["--gold", path]


@each
@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_no_file_of_a_run(name: str, form: str, run: Run, tmp_path: Path) -> None:
    path, out = EXAMPLES / name, tmp_path / "out"
    more = MORE if name != "llm-judges.json" else MORE[:1]  # nobody judged
    ran = run("run", path, "--output", out, "--format", form, "--json", *more, *golden(path), report=form == "csv")
    assert ran.status == 0, ran.err
    written = [one for one in out.rglob("*") if one.is_file()]
    assert {f"labels.{form}", f"posteriors.{form}", f"rejects.{form}", "summary.json"} <= {one.name for one in written}
    assert ("report.html" in {one.name for one in written}) == (form == "csv")
    found = {one.name: secrets_in(shown(one)) for one in written}
    assert not any(found.values()), found
    assert not secrets_in(ran.out, ran.err)


@each
def test_no_other_command(name: str, run: Run) -> None:
    path = EXAMPLES / name
    told: list[Ran] = [run("check", path), run("check", path, "--json"), run("agreement", path)]
    told += [run("audit", path, "--table", table, *golden(path)) for table in TABLES]
    told += [run("escalate", path), run("aggregate", path, "--label", "no such"), run("aggregate", path, "--item", "x")]
    told += [run("aggregate", path, "--repeats", "error", "--worker", "x"), run("check", path, "--by", "x")]
    assert sum(not one.status for one in told) >= 3
    assert sum(one.status == 1 for one in told) >= 2
    assert not secrets_in(*(one.out + one.err for one in told))


@each
def test_examples_hold_some(name: str) -> None:
    assert secrets_in((EXAMPLES / name).read_text()) or name == "llm-judges.json"
