"""What the page is called, where its items link to, and pseudonyms."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import consensus
from consensus import fit, simulate
from consensus.errors import ConfigError
from consensus.report import page, pseudonyms
from consensus.report.page_options import PageOptions
from tests.conftest import Run


@pytest.fixture(scope="module")
def found() -> consensus.Run:
    return consensus.Run.of(fit(simulate(150, 14, 3, 5, spammers=0.3, seed=1).judgments))


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("javascript:alert({item})", "no web address; it begins with https:// or http://"),
        ("https://example.org/task", "it does not say where the item's id belongs; put {item} there"),
    ],
)
def test_addresses_that_would_not_work(url: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f'item_url="{url}": {wrong}')):
        PageOptions(item_url=url)


@pytest.mark.parametrize("option", ["--title=x", "--item-url=https://example.org/{item}", "--pseudonyms"])
def test_nothing_is_said_of_a_page_that_is_not_written(option: str, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "j.csv"
    path.write_text("item,worker,label\na,x,p\n")
    ran = run("run", path, "--output", tmp_path / "out", option, "--no-report")
    assert ran.status == 3
    assert f"{option.split('=')[0]}: it is about the page, which --no-report leaves out" in ran.err
    assert not (tmp_path / "out").exists()


def test_what_was_not_read_names_no_columns(found: consensus.Run) -> None:
    told = pseudonyms.nameless(found.summary | {"understood": None})
    assert told["understood"] is None
    html = page.made(found, options=PageOptions(pseudonyms=True)).decode()
    assert all(f">{one}<" not in html for one in found.result.judgments.worker_ids.to_pylist())


def test_title_and_address(found: consensus.Run) -> None:
    html = page.made(found, options=PageOptions("Birds <of> May", "https://example.org/{item}?x=1")).decode()
    assert "<h1>Birds &lt;of&gt; May</h1>" in html
    assert "150 items, 3 labels, 14 workers" in html
    assert '"item_url":"https://example.org/{item}?x=1"' in html


def test_pseudonyms_are_stable_and_apart() -> None:
    names = pseudonyms.pseudonyms(f"w{n}" for n in range(20_000))
    assert len(set(names.values())) == 20_000
    alone = [one for one in names if names[one] == pseudonyms.pseudonyms([one])[one]]
    assert 19_900 < len(alone) < 20_000  # only those have longer names who would have the same
    assert re.fullmatch("p-[a-z2-7]{5}", pseudonyms.pseudonyms(["w7"])["w7"])


def test_no_id_of_a_worker_is_left(tmp_path: Path, run: Run) -> None:
    drawn = simulate(120, 12, 3, 6, spammers=0.2, seed=3)
    table = drawn.judgments_table()
    ids = [f"person{n:02}@example.org" for n in range(12)]
    workers = sorted(table["worker"].unique())
    table["worker"] = table["worker"].replace(dict(zip(workers, ids, strict=True)))
    asked = pd.DataFrame({"worker": [*ids[:3], "stranger@example.org"]})
    asked.to_csv(tmp_path / "asked.csv", index=False)
    copier = table[table["worker"] == ids[0]].assign(worker="person99@example.org")
    table = pd.concat([table, copier])
    table.to_csv(tmp_path / "j.csv", index=False)
    out = tmp_path / "out"
    ran = run(
        "run", tmp_path / "j.csv", "--output", out, "--pseudonyms", "--workers", tmp_path / "asked.csv", report=True
    )
    assert ran.status == 0
    html = (out / "report.html").read_text()
    assert "@example.org" not in html
    names = pd.read_csv(out / "pseudonyms.csv").set_index("worker")["pseudonym"]
    assert set(names.index) == {*ids, "person99@example.org"}
    data = json.loads(re.findall(r'id="data">(.*?)</script>', html, flags=re.S)[0])
    shown = [row[0] for row in data["workers"]["rows"]]
    assert set(shown) == set(names)
    again = run("report", out, "-o", tmp_path / "r.html", "--item-url", "https://example.org/{item}")
    assert again.status == 0
    assert "@example.org" in (tmp_path / "r.html").read_text()
    (out / "pseudonyms.csv").unlink()
    assert run("report", out, "-o", tmp_path / "r.html", "--pseudonyms").status == 0
    assert "@example.org" not in (tmp_path / "r.html").read_text()
    assert set(pd.read_csv(out / "pseudonyms.csv")["worker"]) == set(names.index)
    assert run("run", tmp_path / "j.csv", "--output", out, "--overwrite").status == 0
    assert not (out / "pseudonyms.csv").exists()


def test_columns_and_files_that_are_called_like_workers_are_not_shown(tmp_path: Path, run: Run) -> None:
    table = simulate(120, 6, 3, 5, seed=3).judgments_table()
    ids = [f"person{n}@example.org" for n in range(6)]
    table["worker"] = table["worker"].replace(dict(zip(sorted(table["worker"].unique()), ids, strict=True)))
    wide = table.pivot_table(index="item", columns="worker", values="label", aggfunc="first")
    wide.to_csv(tmp_path / "wide.csv")
    (tmp_path / "files").mkdir()
    for worker, own in table.groupby("worker"):
        own.drop(columns="worker").to_csv(tmp_path / "files" / f"{worker}.csv", index=False)
    table.to_csv(tmp_path / "j.csv", index=False)
    for given in (
        ("wide.csv", "--wide", "workers", "--columns", ",".join(ids[:4])),
        ("files", "--worker-from-file"),
        ("j.csv", "--gold-worker", ids[5]),
    ):
        out = ("--output", tmp_path / "out", "--overwrite")
        ran = run("run", tmp_path / given[0], *given[1:], *out, "--pseudonyms", report=True)
        assert ran.status == 0
        assert "@example.org" not in (tmp_path / "out" / "report.html").read_text()
        assert "not shown" in (tmp_path / "out" / "report.html").read_text()


def test_several_questions_have_the_title_and_the_pseudonyms_too(tmp_path: Path, run: Run) -> None:
    table = simulate(60, 6, 3, 4, seed=3).judgments_table()
    table["worker"] += "@example.org"
    pd.concat([table.assign(q="one"), table.assign(q="two")]).to_csv(tmp_path / "j.csv", index=False)
    given = ("run", tmp_path / "j.csv", "--by", "q", "--output", tmp_path / "out", "--overwrite")
    assert run(*given, "--title", "Birds <of> May", "--pseudonyms", report=True).status == 0
    pages = [(tmp_path / "out" / name / "report.html").read_text() for name in (".", "one", "two")]
    names = pd.read_csv(tmp_path / "out" / "one" / "pseudonyms.csv")["pseudonym"]
    for html in pages:
        assert "<h1>Birds &lt;of&gt; May</h1>" in html
        assert "@example.org" not in html
        assert all(name in html for name in names)
    assert "2 questions, 6 workers" in pages[0]
    assert "too_few" not in pages[0].replace("\n", " ").split("<main")[1]
    assert run(*given, report=True).status == 0
    assert "<h1>2 questions, 6 workers</h1>" in (tmp_path / "out" / "report.html").read_text()


def test_the_newest_judgment() -> None:
    times = np.array(["2025-03-01", "2025-04-02", "NaT"], "datetime64[us]")
    result: Any = fit(pd.DataFrame({"item": list("aab"), "worker": list("xyx"), "label": list("ppq")}))
    assert page._newest(result) == ""
    assert page._newest(replace(result, judgments=replace(result.judgments, timestamp=times))) == "2025-04-02"
    nothing = np.full(3, np.datetime64("NaT", "us"))
    assert page._newest(replace(result, judgments=replace(result.judgments, timestamp=nothing))) == ""
