"""What the page is called, where its items link to, and pseudonyms."""

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
from consensus.report import page
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


@pytest.mark.parametrize("option", ["--title=x", "--item-url=https://example.org/{item}"])
def test_nothing_is_said_of_a_page_that_is_not_written(option: str, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "j.csv"
    path.write_text("item,worker,label\na,x,p\n")
    ran = run("run", path, "--output", tmp_path / "out", option, "--no-report")
    assert ran.status == 3
    assert f"{option.split('=')[0]}: it is about the page, which --no-report leaves out" in ran.err
    assert not (tmp_path / "out").exists()


def test_title_and_address(found: consensus.Run) -> None:
    html = page.made(found, options=PageOptions("Birds <of> May", "https://example.org/{item}?x=1")).decode()
    assert "<h1>Birds &lt;of&gt; May</h1>" in html
    assert "150 items, 3 labels, 14 workers" in html
    assert '"item_url":"https://example.org/{item}?x=1"' in html


def test_several_questions_have_the_title_too(tmp_path: Path, run: Run) -> None:
    table = simulate(60, 6, 3, 4, seed=3).judgments_table()
    pd.concat([table.assign(q="one"), table.assign(q="two")]).to_csv(tmp_path / "j.csv", index=False)
    given = ("run", tmp_path / "j.csv", "--by", "q", "--output", tmp_path / "out", "--overwrite")
    assert run(*given, "--title", "Birds <of> May", report=True).status == 0
    pages = [(tmp_path / "out" / name / "report.html").read_text() for name in (".", "one", "two")]
    for html in pages:
        assert "<h1>Birds &lt;of&gt; May</h1>" in html
    assert "2 questions, 6 workers" in pages[0]
    assert "too_few" not in pages[0].replace("\n", " ").split("<main")[1]
    assert run(*given, report=True).status == 0


def test_the_newest_judgment() -> None:
    times = np.array(["2025-03-01", "2025-04-02", "NaT"], "datetime64[us]")
    result: Any = fit(pd.DataFrame({"item": list("aab"), "worker": list("xyx"), "label": list("ppq")}))
    assert page._newest(result) == ""
    assert page._newest(replace(result, judgments=replace(result.judgments, timestamp=times))) == "2025-04-02"
    nothing = np.full(3, np.datetime64("NaT", "us"))
    assert page._newest(replace(result, judgments=replace(result.judgments, timestamp=nothing))) == ""
