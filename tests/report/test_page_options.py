"""What the page is called, where its items link to, and pseudonyms."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from consensus import fit, simulate
from consensus.errors import ConfigError
from consensus.report import page, pseudonyms
from consensus.report.page_options import PageOptions
from consensus.runs import Findings
from tests.conftest import Run


@pytest.fixture(scope="module")
def found() -> Findings:
    return Findings.of(fit(simulate(150, 14, 3, 5, spammers=0.3, seed=1).judgments))


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("javascript:alert({item})", "no web address; it begins with https:// or http://"),
        ("https://example.org/task", "it does not say where the item's id belongs; put {item} there"),
    ],
)
def test_addresses_that_would_not_work(url: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"--item-url {url}: {wrong}")):
        PageOptions(item_url=url)


def test_title_and_address(found: Findings) -> None:
    html = page.made(found, options=PageOptions("Birds <of> May", "https://example.org/{item}?x=1")).decode()
    assert "<h1>Birds &lt;of&gt; May</h1>" in html
    assert "150 items, 3 labels, 14 workers" in html
    assert '"item_url":"https://example.org/{item}?x=1"' in html


def test_pseudonyms_are_stable_and_apart() -> None:
    names = pseudonyms.pseudonyms(f"w{n}" for n in range(20_000))
    assert len(set(names.values())) == 20_000
    assert names["w7"].startswith(pseudonyms.pseudonyms(["w7", "other"])["w7"])
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
    ran = run("run", tmp_path / "j.csv", "--out", out, "--pseudonyms", "--workers", tmp_path / "asked.csv", report=True)
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
    assert run("run", tmp_path / "j.csv", "--out", out, "--overwrite").status == 0
    assert not (out / "pseudonyms.csv").exists()


def test_the_newest_judgment() -> None:
    times = np.array(["2025-03-01", "2025-04-02", "NaT"], "datetime64[us]")
    result: Any = fit(pd.DataFrame({"item": list("aab"), "worker": list("xyx"), "label": list("ppq")}))
    assert page._newest(result) == ""
    assert page._newest(replace(result, judgments=replace(result.judgments, timestamp=times))) == "2025-04-02"
    nothing = np.full(3, np.datetime64("NaT", "us"))
    assert page._newest(replace(result, judgments=replace(result.judgments, timestamp=nothing))) == ""
