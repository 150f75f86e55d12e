import hashlib
import hmac
import json
from pathlib import Path

import pandas as pd
import pytest

from consensus.errors import ConfigError, OutputError, ServerError
from consensus.live import pages, pushing
from consensus.live.calls import Patience, RefusedError
from tests.live.receivers import Receiver, receiving

SECRET = "a-secret-of-the-tests"
TABLE = pd.DataFrame({"item": [f"i{n}" for n in range(25)], "label": ["ja", "né"] * 12 + [None], "confidence": 0.9})
QUICK = Patience(attempts=4, timeout=0.3, first=0.0, longest=0.0)


def pushed(url: str, journal: Path, size: int = 10, **more: object) -> pushing.Pushed:
    sent = pages.pages("labels", TABLE, size)
    return pushing.push(sent, url, SECRET, journal, patience=QUICK, **more)  # type: ignore[arg-type]


def arrived_once(receiver: Receiver) -> None:
    assert sorted(receiver.items) == sorted(TABLE["item"])


def test_pages_hold_what_json_prints() -> None:
    made = list(pages.pages("labels", TABLE, 10))
    told = [json.loads(one.body) for one in made]
    assert [one["page"] for one in told] == [1, 2, 3]
    assert told[2]["rows"][-1] == {"item": "i24", "label": None, "confidence": 0.9}
    assert len({one.key for one in made}) == 3
    assert [one.key for one in made] == [one.key for one in pages.pages("labels", TABLE, 10)]


def test_a_table_without_rows_is_one_page() -> None:
    (page,) = pages.pages("labels", TABLE[:0], 10)
    assert json.loads(page.body) == {"table": "labels", "page": 1, "pages": 1, "rows": []}


@pytest.mark.parametrize(
    "plan",
    [
        (),
        (500, 200, 500),
        ("slow",),
        ("gone", "gone"),
        ("cut",),
        ("cut", 503, "slow", 200, "gone"),
        ((429, {"Retry-After": "0"}),),
    ],
)
def test_each_item_arrives_once(tmp_path: Path, plan: tuple[object, ...]) -> None:
    with receiving(*plan) as receiver:
        done = pushed(receiver.url, tmp_path / "journal")
    arrived_once(receiver)
    assert (done.arrived, done.dead) == (3, 0)
    assert not (tmp_path / "journal").exists()


def test_the_signature_is_of_the_time_and_the_body(tmp_path: Path) -> None:
    with receiving() as receiver:
        pushed(receiver.url, tmp_path / "journal")
    for headers, body in receiver.requests:
        at, _, made = headers["Consensus-Signature"].removeprefix("t=").partition(",v1=")
        assert hmac.new(SECRET.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest() == made
        assert headers["Idempotency-Key"] == hashlib.sha256(body).hexdigest()
    assert pages.signature("key", b"{}", 12) == "t=12,v1=" + hmac.new(b"key", b"12.{}", "sha256").hexdigest()


def test_it_waits_as_long_as_the_server_asks(tmp_path: Path) -> None:
    pauses: list[float] = []
    with receiving((429, {"Retry-After": "7"}), 500) as receiver:
        pushed(receiver.url, tmp_path / "journal", sleep=pauses.append)
    assert pauses == [7.0, 0.0]
    arrived_once(receiver)


def test_what_does_not_arrive_is_a_dead_letter_and_can_be_sent_later(tmp_path: Path) -> None:
    said: list[str] = []
    journal = tmp_path / "journal"
    with receiving(200, 500, 500, 500, 500) as receiver:
        done = pushed(receiver.url, journal, say=said.append)
        assert (done.arrived, done.before, done.dead) == (2, 0, 1)
        assert "the server answered 500 after 4 attempts" in said[0]
        (letter,) = [one for one in map(json.loads, journal.read_text().splitlines()) if not one["arrived"]]
        assert json.loads(letter["body"])["page"] == letter["page"] == 2
        journal.write_bytes(journal.read_bytes() + b'{"key": "half')  # as a kill leaves it
        again = pushed(receiver.url, journal)
    assert (again.arrived, again.before, again.dead) == (1, 2, 0)
    arrived_once(receiver)
    assert len(receiver.taken) == 3
    assert not journal.exists()


def test_a_page_that_is_refused_does_not_hold_up_the_others(tmp_path: Path) -> None:
    with receiving(422) as receiver:
        done = pushed(receiver.url, tmp_path / "journal")
    assert (done.arrived, done.dead) == (2, 1)
    assert SECRET not in (tmp_path / "journal").read_text()
    assert "ann@example.org" not in (tmp_path / "journal").read_text()


def test_after_three_in_a_row_the_rest_is_not_tried(tmp_path: Path) -> None:
    said: list[str] = []
    with receiving(*[503] * 99) as receiver:
        done = pushed(receiver.url, tmp_path / "journal", 5, say=said.append)
        assert len(receiver.requests) == 12
    assert done.dead == 5
    assert said[-1] == "3 pages in a row did not arrive: the rest is not tried"
    assert pushing.told(done, "http://u:p@h/a?secret=1", Path("j")) == [
        "0 pages arrived at http://h/a",
        "5 pages did not: j; send them with --resume",
    ]
    assert "; 2 arrived before" in pushing.told(pushing.Pushed(1, 2, 0), "http://h", Path("j"))[0]


def test_what_all_pages_would_be_refused_for_ends_it(tmp_path: Path) -> None:
    with receiving(401) as receiver, pytest.raises(RefusedError, match="answered 401.*token or secret") as caught:
        pushed(receiver.url, tmp_path / "journal")
    assert SECRET not in str(caught.value)
    assert "@" not in str(caught.value)


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    said: list[str] = []
    assert pushed("http://127.0.0.1:9/labels", tmp_path / "journal", 25, say=said.append).dead == 1
    assert "the connection failed" in said[0]


def test_what_can_not_be_pushed_is_refused_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(pushing.SECRET, raising=False)
    journal = tmp_path / "journal"
    with pytest.raises(ConfigError, match="CONSENSUS_PUSH_SECRET is not set"):
        pushing.check("http://h", journal, resume=False)
    monkeypatch.setenv(pushing.SECRET, "short")
    with pytest.raises(ConfigError, match="too short") as caught:
        pushing.check("http://h", journal, resume=False)
    assert "short;" not in str(caught.value).replace("too short;", "")
    monkeypatch.setenv(pushing.SECRET, SECRET)
    with pytest.raises(OutputError, match="nothing to resume"):
        pushing.check("http://h", journal, resume=True)
    assert pushing.check("http://h", journal, resume=False) == SECRET
    journal.write_text('{"key": 1}\n\n')
    with pytest.raises(OutputError, match="go on with --resume"):
        pushing.check("http://h", journal, resume=False)
    with pytest.raises(OutputError, match="1: this is no file of a push"):
        pushed("http://h", journal)


def test_a_journal_that_can_not_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="create its folder first"):
        pushed("http://127.0.0.1:9", tmp_path / "none" / "journal")


def test_errors_of_servers_have_a_code() -> None:
    assert ServerError("x").code == "bad_server"
