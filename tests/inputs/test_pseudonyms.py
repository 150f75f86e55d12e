"""Workers by other names, in every output."""

import hashlib
import hmac
import json
import re
from base64 import b32encode
from pathlib import Path

import pandas as pd
import pytest

import consensus
from consensus.config import ReadConfig
from consensus.errors import ConfigError, JudgmentError, RunError
from consensus.inputs import pseudonyms
from consensus.report.nameless import nameless
from consensus.simulation import simulate
from tests.conftest import Run

pytestmark = pytest.mark.compiled

KEY = b"a secret that only we know"
MAIL = "@example.org"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    (tmp_path / "key").write_bytes(KEY)
    return tmp_path / "key"


@pytest.fixture
def table() -> pd.DataFrame:
    """Twelve people, of whom one copies another."""
    made = simulate(120, 12, 3, 6, spammers=0.2, seed=3).judgments_table()
    ids = [f"person{n:02}{MAIL}" for n in range(12)]
    made["worker"] = made["worker"].replace(dict(zip(sorted(made["worker"].unique()), ids, strict=True)))
    return pd.concat([made, made[made["worker"] == ids[0]].assign(worker=f"person99{MAIL}")])


def naively(worker: str, key: bytes = KEY) -> str:
    return "p-" + b32encode(hmac.new(key, worker.encode(), hashlib.sha256).digest()).decode()[:12].lower()


def written(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_names_follow_from_the_id_and_the_key_alone() -> None:
    assert pseudonyms.pseudonym(KEY, "ann") == naively("ann")
    assert pseudonyms.pseudonym(b"another key, as long", "ann") != naively("ann")
    assert pseudonyms.pseudonym(KEY, "Not-logged-in") == "Not-logged-in"
    assert len(set(pseudonyms.pseudonyms(KEY, [f"w{n}" for n in range(20_000)]))) == 20_000


def test_two_with_the_same_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonyms, "SHOWN", 1)
    with pytest.raises(JudgmentError, match="two workers have the same pseudonym; take another key"):
        pseudonyms.pseudonyms(KEY, [f"w{n}" for n in range(40)])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "key: can't be read as a key: no such file or directory; make one with: head -c 32 /dev/urandom > FILE"),
        (b"", "key: a key of 0 bytes can be guessed; it takes 16 or more: make one with: head -c 32"),
        (b"123456789012345\n", "key: a key of 15 bytes can be guessed; it takes 16 or more"),
        (b"0" * (2**20 + 1), "key: more than 1,048,576 bytes are no key"),
    ],
)
def test_keys_that_are_none(content: bytes | None, said: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "j.csv").write_text("item,worker,label\na,v,x\n")
    if content is not None:
        (tmp_path / "key").write_bytes(content)
    ran = run("aggregate", tmp_path / "j.csv", "--pseudonyms", tmp_path / "key")
    assert (ran.status, ran.out, ran.err.count("\n")) == (3, "", 1)
    assert said in ran.err
    with pytest.raises(ConfigError, match=re.escape(said)):
        consensus.read(tmp_path / "j.csv", pseudonyms=tmp_path / "key")


def test_no_id_is_left_in_any_output(tmp_path: Path, run: Run, key: Path, table: pd.DataFrame) -> None:
    path, out = tmp_path / "j.csv", tmp_path / "out"
    path.write_text(table.to_csv(index=False) + f"item1,person03{MAIL}\n")  # a row that is rejected
    ids = sorted(table["worker"].unique())
    asked = [*ids[:3], naively(ids[3]), f"stranger{MAIL}"]
    pd.DataFrame({"worker": asked}).to_csv(tmp_path / "asked.csv", index=False)
    given = ("--pseudonyms", key, "--workers", tmp_path / "asked.csv", "--gold-worker", ids[4])
    ran = run("run", path, "--output", out, *given, "--json", report=True)
    assert ran.status == 0, ran.err
    files = written(out)
    assert {"labels.csv", "workers.csv", "rejects.csv", "escalations.csv", "copying.csv", "report.html"} <= set(files)
    for name, content in {**files, "out": ran.out.encode(), "err": ran.err.encode()}.items():
        assert MAIL.encode() not in content, name
        assert KEY not in content, name
    workers = pd.read_csv(out / "workers.csv")
    assert set(workers["worker"]) == {naively(one) for one in ids if one != ids[4]}
    told = json.loads(ran.out)
    assert told["settings"]["gold_worker"] == "not shown"
    assert told["escalation"]["unknown_named"] == []
    listed = pd.read_csv(out / "escalations.csv")["suggested_workers"].dropna()
    assert {one for cell in listed for one in cell.split(" | ")} <= {naively(one) for one in ids[:4]}
    assert "not shown" in (out / "rejects.csv").read_text()
    ran = run("report", out, "-o", tmp_path / "again.html")
    assert (ran.status, ran.err) == (
        1, f"consensus: {out}: its gold worker names workers, and the run was written with pseudonyms; run again\n"
    )  # fmt: skip


def test_about_the_same_labels_as_without(tmp_path: Path, key: Path, table: pd.DataFrame) -> None:
    named, plain = consensus.run(table, pseudonyms=key), consensus.run(table)
    same = named.labels["label"] == plain.labels["label"]
    assert same.mean() > 0.95  # what is held out goes by ids, as by another seed
    theirs = {naively(one): verdict for one, verdict in plain.workers[["worker", "verdict"]].to_numpy()}
    assert dict(named.workers[["worker", "verdict"]].to_numpy().tolist()) == theirs
    named.save(tmp_path / "out", report=False)
    assert not list((tmp_path / "out").glob("input_*"))
    assert MAIL.encode() not in b"".join(written(tmp_path / "out").values())
    assert KEY.decode() not in repr(named.result.judgments.renaming)
    with pytest.raises(RunError, match="its judgments were tables in memory, which are not kept"):
        consensus.load(tmp_path / "out")
    with pytest.raises(ConfigError, match="pseudonyms: workers are named where judgments are read"):
        plain.save(tmp_path / "2", pseudonyms=True)


@pytest.mark.parametrize(
    "command",
    [
        ("aggregate",), ("audit",), ("audit", "--table", "confusions"), ("audit", "--json"), ("escalate", "--json"),
        ("audit", "--evidence", f"person01{MAIL}"), ("agreement", "--by", "worker-pair"), ("check",),
        ("check", "--json"),
        ("plan-budget", "--without", f"person01{MAIL}", "--items", "20"), ("plan-gold", "--items", "5"), ("shares",),
    ],
)  # fmt: skip
def test_every_command(tmp_path: Path, run: Run, key: Path, table: pd.DataFrame, command: tuple[str, ...]) -> None:
    table.to_csv(tmp_path / "j.csv", index=False)
    ran = run(command[0], tmp_path / "j.csv", *command[1:], "--pseudonyms", key)
    assert ran.status == 0, ran.err
    assert MAIL not in ran.out + ran.err


def test_a_finished_run_is_looked_at_by_the_same_names(
    tmp_path: Path, run: Run, key: Path, table: pd.DataFrame
) -> None:
    table.to_csv(tmp_path / "j.csv", index=False)
    out, page = tmp_path / "out", tmp_path / "r.html"
    assert run("run", tmp_path / "j.csv", "--output", out, "--pseudonyms", key).status == 0
    item = table["item"].iloc[0]
    for ran in (run("explain", out, item), run("explain", out, item, "--json"), run("diff", out, out)):
        assert ran.status == 0, ran.err
        assert MAIL not in ran.out + ran.err
    assert run("report", out, "-o", page).status == 0
    assert MAIL not in page.read_text()
    assert naively(f"person01{MAIL}") in page.read_text()
    assert run("run", tmp_path / "j.csv", "--output", out, "--overwrite").status == 0
    assert run("report", out, "-o", page, "--pseudonyms", key).status == 0
    assert MAIL not in page.read_text()
    (tmp_path / "key").unlink()
    assert "can't be read as a key" in run("report", out, "--pseudonyms", key).err


def test_columns_and_files_that_are_called_like_workers(tmp_path: Path, run: Run, key: Path) -> None:
    table = simulate(120, 6, 3, 5, seed=3).judgments_table()
    ids = [f"person{n}{MAIL}" for n in range(6)]
    table["worker"] = table["worker"].replace(dict(zip(sorted(table["worker"].unique()), ids, strict=True)))
    table.pivot_table(index="item", columns="worker", values="label", aggfunc="first").to_csv(tmp_path / "wide.csv")
    (tmp_path / "files").mkdir()
    for worker, own in table.groupby("worker"):
        text = own.drop(columns="worker").to_csv(index=False)
        (tmp_path / "files" / f"{worker}.csv").write_text(text + ",broken\n")
    for given in (("wide.csv", "--wide", "workers", "--columns", ",".join(ids[:4])), ("files", "--worker-from-file")):
        out = tmp_path / "out"
        ran = run("run", tmp_path / given[0], *given[1:], "-o", out, "--overwrite", "--pseudonyms", key, report=True)
        assert ran.status == 0, ran.err
        for name, content in {**written(out), "err": ran.err.encode()}.items():
            assert MAIL.encode() not in content, (given, name)


def test_several_questions(tmp_path: Path, run: Run, key: Path, table: pd.DataFrame) -> None:
    pd.concat([table.assign(q="one"), table.assign(q="two")]).to_csv(tmp_path / "j.csv", index=False)
    given = ("run", tmp_path / "j.csv", "--by", "q", "--output", tmp_path / "out", "--pseudonyms", key)
    assert run(*given, report=True).status == 0
    files = written(tmp_path / "out")
    assert MAIL.encode() not in b"".join(files.values())
    assert naively(f"person01{MAIL}").encode() in files["report.html"]


def test_people_without_a_name_keep_that_and_settings_may_name_either(key: Path, table: pd.DataFrame) -> None:
    guest = table.assign(worker=table["worker"].replace(f"person02{MAIL}", "guest"))
    assert "guest" in consensus.read(guest, pseudonyms=key).worker_ids.to_pylist()
    for name in (f"person01{MAIL}", naively(f"person01{MAIL}")):
        read = consensus.read(table, pseudonyms=key, anonymous=[name])
        assert read.anonymous == (naively(f"person01{MAIL}"),)
    folded = consensus.read(table, pseudonyms=key, fold=["workers"])
    assert folded.worker_ids.to_pylist() == sorted(folded.worker_ids.to_pylist())
    assert not any(MAIL in note for note in folded.notes)


def test_addresses_are_told(table: pd.DataFrame, key: Path) -> None:
    def told(given: pd.DataFrame, pseudonyms: Path | None = None) -> list[str]:
        found = consensus.read(given, ReadConfig(pseudonyms=pseudonyms)).cautions
        return [one.message for one in found if one.code == "workers_are_addresses"]

    assert told(table) == [
        "13 of 13 ids of workers look like e-mail addresses, which tell who somebody is, and every output holds them; "
        "--pseudonyms KEYFILE writes other names"
    ]
    one = table.assign(worker=table["worker"].str.replace(MAIL, "").replace("person01", f"person01{MAIL}"))
    assert told(one)[0].startswith("1 of 13 ids of workers looks like an e-mail address, which tells who somebody is,")
    assert told(table, pseudonyms=key) == []
    assert told(table.assign(worker=table["worker"].str.replace("@", " at "))) == []


@pytest.mark.parametrize(
    ("column", "hides"),
    [("email", True), ("E-Mail", True), ("worker_ip", True), ("IP address", True), ("City", True), ("geo_lat", True),
     ("zip code", True), ("shipment", False), ("capacity", False), ("text", False), ("plateau", False)],
)  # fmt: skip
def test_rows_that_can_not_be_used_tell_no_address(tmp_path: Path, run: Run, column: str, hides: bool) -> None:
    path = tmp_path / "j.csv"
    path.write_text(f"item,worker,label,{column}\na,v,x,Lyon\na,w,x,Lyon\nb,v,x,Lyon\n,w,x,Lyon\n")
    assert run("run", path, "-o", tmp_path / "out").status == 0
    for one in written(tmp_path / "out").items():
        assert b"Lyon" not in one[1] or (one[0] == "rejects.csv" and not hides), one[0]
    assert ("not shown" in (tmp_path / "out" / "rejects.csv").read_text()) == hides


def test_a_summary_of_what_nobody_tells_how_it_was_understood() -> None:
    told = {"settings": {"drop": ["ann"]}, "provenance": {}, "escalation": {"unknown_named": ["ann"]}}
    assert nameless(told) == {
        "settings": {"drop": "not shown"},
        "provenance": {},
        "escalation": {"unknown_named": []},
        "understood": None,
    }
