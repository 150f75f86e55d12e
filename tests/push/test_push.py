"""Each page arrives once, whatever a server does; or it is kept, with the reason, to be sent later."""

import datetime
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import stamina

from consensus.errors import ConfigError, FormatError
from consensus.push import SECRET, Page, address, delivery, letters, pages, push, read_letters, secret
from tests.conftest import DIGITS, ROOT, Run
from tests.push.receiver import Receiver, receiving

KEY = b"a secret that both of us know"
TABLE = pd.DataFrame(
    {"item": [f"i{n}" for n in range(25)], "label": ["a", None] * 12 + ["é\n"], "p": np.linspace(0, 1, 25)}
)


def check() -> Any:
    """The check of signatures that the docs show."""
    (block,) = re.findall(r"```py\n(import hashlib.*?)```", (ROOT / "docs" / "push.md").read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(block.partition("class Receiver")[0], names)
    return names["is_signed"]


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(delivery, "FIRST_WAIT", 0.0)
    monkeypatch.setenv(SECRET, KEY.decode())
    with stamina.set_testing(False), receiving(check(), KEY) as found:
        yield found


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = stamina.retry_context
    monkeypatch.setattr(stamina, "retry_context", lambda *given, **more: usual(*given, **{**more, "wait_jitter": 0.0}))


def test_pages_hold_all_rows_in_order_and_are_the_same_again() -> None:
    made = list(pages(TABLE, "labels", 10))
    assert made == list(pages(TABLE, "labels", 10))
    told = [json.loads(page.body) for page in made]
    assert [(one["table"], one["page"], one["pages"], len(one["rows"])) for one in told] == [
        ("labels", 1, 3, 10), ("labels", 2, 3, 10), ("labels", 3, 3, 5),
    ]  # fmt: skip
    rows = [row for one in told for row in one["rows"]]
    assert [row["item"] for row in rows] == TABLE["item"].tolist()
    assert rows[-1]["label"] == "é\n"
    assert rows[1].get("label") is None
    assert len({page.key for page in made}) == 3
    assert [json.loads(page.body)["rows"] for page in pages(TABLE.iloc[:0], "labels", 10)] == [[]]


TROUBLE: dict[str, list[Any]] = {
    "nothing": [],
    "500 and then 200": [500, 200, 503, 502],
    "429": [429, (429, {"Retry-After": "0"}), (429, {"Retry-After": "0.01"}), (429, {"Retry-After": "soon"})],
    "429 until a moment": [(429, {"Retry-After": format_datetime(datetime.datetime.now(datetime.UTC))})],
    "closed before the answer": ["close", "close"],
    "closed after the page was taken": ["late", 200, "late", "late"],
    "closed in the middle of the answer": ["cut", 200, "cut"],
    "no answer in time": ["slow"],
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_each_item_arrives_once(trouble: str, receiver: Receiver) -> None:
    receiver.script = list(TROUBLE[trouble])
    told: list[int] = []
    found = push(pages(TABLE, "labels", 10), receiver.url, KEY, timeout=0.5, tell=told.append)
    assert (found.n_delivered, found.letters, told) == (3, (), [1, 2, 3])
    assert receiver.rows == dict.fromkeys(TABLE["item"], 1)
    assert receiver.n_requests == 3 + sum(one != 200 for one in TROUBLE[trouble])
    push(pages(TABLE, "labels", 10), receiver.url, KEY)
    assert receiver.rows == dict.fromkeys(TABLE["item"], 1), "all of it again counts no row twice"


def test_what_a_server_refuses_is_not_tried_again(receiver: Receiver) -> None:
    receiver.script = [400, 200, (302, {"Location": "https://example.org"})]
    found = push(pages(TABLE, "labels", 10), receiver.url, KEY)
    assert [(one.page.number, one.why) for one in found.letters] == [
        (1, "the server answered 400: it refuses the page"),
        (3, "the server answered 302: a redirect, which is not followed"),
    ]
    assert receiver.n_requests == 3
    found = push(pages(TABLE, "labels", 10), receiver.url, b"another secret that nobody knows")
    assert {one.why for one in found.letters} == {"the server answered 401: it refuses the page"}


def test_after_three_pages_without_an_answer_nobody_is_there(receiver: Receiver) -> None:
    receiver.script = [500] * 100
    found = push(pages(TABLE, "labels", 4), receiver.url, KEY, attempts=2)
    whys = [one.why for one in found.letters]
    assert whys == ["the server answered 500, 2 times"] * 3 + [delivery.NOT_TRIED] * 4
    assert receiver.n_requests == 6
    with receiving(check(), KEY) as gone:
        url = gone.url
    (first, *_) = push(pages(TABLE, "labels", 10), url, KEY, attempts=2).letters
    assert re.fullmatch(r"Connect(Error|Timeout): .*, 2 times", first.why)


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("-3", 0.0),
        ("1e9", 300.0),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 2015 07:28:00", 0.0),
    ],
)
def test_how_long_a_server_asks_to_wait(told: str | None, seconds: float | None) -> None:
    assert delivery._asked(told) == seconds


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("example.org", "no address"),
        ("ftp://example.org", "no address"),
        ("https://", "no address"),
        ("https://example.org:x/", "no address"),
        ("https://me:pass@example.org/", "an address with a password in it ends up in logs"),
        ("http://example.org/", "http sends labels in the clear to example.org; use https"),
        ("http://192.168.0.3/", "http sends labels in the clear"),
    ],
)
def test_addresses_that_are_none(url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)) as told:
        address(url)
    assert "pass@" not in str(told.value)


def test_addresses() -> None:
    for url in ("https://example.org/x", "http://localhost:80/", "http://127.0.0.1/", "http://[::1]:9/"):
        assert address(url) == url


def test_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, said in ((None, "is not set"), ("short", "is 5 bytes long")):
        monkeypatch.delenv(SECRET, raising=False) if value is None else monkeypatch.setenv(SECRET, value)
        with pytest.raises(ConfigError, match=f"{SECRET} {said}; set it to a secret of 16 bytes or more"):
            secret()
    monkeypatch.setenv(SECRET, KEY.decode())
    assert secret() == KEY


def test_letters_that_are_none(tmp_path: Path) -> None:
    page = next(pages(TABLE, "labels", 5))
    letters.write_letters([letters.Letter(page, "why")], tmp_path / "x.jsonl")
    assert read_letters(tmp_path / "x.jsonl") == [page]
    text = (tmp_path / "x.jsonl").read_text()
    for wrong in (text.replace("i0", "i9", 1), "{}\n", "cut", text[: len(text) // 2]):
        (tmp_path / "x.jsonl").write_text(wrong)
        with pytest.raises(FormatError, match="x.jsonl:1: no page that consensus.push.push wrote"):
            read_letters(tmp_path / "x.jsonl")
    with pytest.raises(FormatError, match="no such file; name the one that consensus.push.push wrote"):
        read_letters(tmp_path / "none")
    with pytest.raises(FormatError, match="can't be read: is a directory"):
        read_letters(tmp_path)


def test_without_its_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "stamina", None)
    with pytest.raises(ConfigError, match=re.escape("install crowd-consensus[push]")):
        push([Page("", 1, b"")], "https://example.org", KEY)


class TestCommand:
    @pytest.fixture(autouse=True)
    def here(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)

    def test_a_run_is_pushed_and_what_failed_is_resumed(self, receiver: Receiver, run: Run, tmp_path: Path) -> None:
        assert run("run", DIGITS / "judgments.csv", "-o", "out").status == 0
        command = ("push", "out", "--url", receiver.url, "--page-size", "500", "--attempts", "2")
        receiver.script = [200, 400, 500, 500]
        made = run(*command)
        assert made.status == 3
        assert made.err.splitlines() == [
            "2 pages arrived",
            "consensus: not-delivered.jsonl: 2 pages did not arrive (the server answered 400: it refuses the page); "
            "send them again with --resume not-delivered.jsonl",
        ]
        again = run(*command)
        assert again.status == 3
        assert "holds pages that did not arrive; send them with --resume, or remove it" in again.err
        receiver.script = [500, 500]
        resumed = run("push", "--url", receiver.url, "--resume", "not-delivered.jsonl", "--attempts", "2")
        assert resumed.status == 3
        assert resumed.err.splitlines()[0] == "1 page arrived"
        resumed = run("push", "--url", receiver.url, "--resume", "not-delivered.jsonl")
        assert (resumed.status, resumed.err) == (0, "1 page arrived\n")
        assert not (tmp_path / "not-delivered.jsonl").exists()
        labels = pd.read_csv("out/labels.csv", dtype={"item": "str", "label": "str"})
        assert receiver.rows == dict.fromkeys(labels["item"], 1)
        sent = [row for body in receiver.keys.values() for row in json.loads(body)["rows"]]
        assert {row["item"]: row["label"] for row in sent} == dict(zip(labels["item"], labels["label"], strict=True))
        assert run(*command).status == 0
        assert receiver.rows == dict.fromkeys(labels["item"], 1)

    def test_no_secret_is_told(self, receiver: Receiver, run: Run, tmp_path: Path) -> None:
        assert run("run", DIGITS / "judgments.csv", "-o", "out").status == 0
        receiver.script = [500, 400, 429]
        made = run("push", "out", "--url", receiver.url, "--attempts", "1", "--table", "escalations")
        assert made.status == 3
        told = made.out + made.err + "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
        assert KEY.decode() not in told

    def test_what_is_missing(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        assert run("push", "out").status == 2
        monkeypatch.delenv(SECRET, raising=False)
        made = run("push", "out", "--url", "https://example.org")
        assert made.err.startswith(f"consensus: {SECRET} is not set")

    def test_the_command_alone_says_nothing_of_attempts(self, receiver: Receiver) -> None:
        """No library writes on stderr that something is tried again."""
        page = next(pages(TABLE, "labels", 30))
        letters.write_letters([letters.Letter(page, "why")], Path("x.jsonl"))
        receiver.script = [500]
        command = [sys.executable, "-m", "consensus", "push", "--url", receiver.url, "--resume", "x.jsonl"]
        made = subprocess.run(
            command, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=60
        )
        assert (made.stdout, made.stderr) == ("", "1 page arrived\n")
