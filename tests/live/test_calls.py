from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from consensus.errors import ConfigError, ServerError
from consensus.live import calls
from consensus.live.calls import Caller, Patience, RefusedError


@pytest.mark.parametrize(("given", "seconds"), [(None, 0), ("3", 3), ("-3", 0), ("9999", 600), ("soon", 0), ("nan", 0)])
def test_retry_after_as_a_number(given: str | None, seconds: float) -> None:
    assert calls.seconds_of(given) == seconds


def test_retry_after_as_a_date() -> None:
    assert 50 < calls.seconds_of(format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)) <= 60
    assert calls.seconds_of("Wed, 21 Oct 2015 07:28:00 -0000") == 0  # no time zone


@pytest.mark.parametrize("url", ["", "ftp://h/a", "example.org", "http://", "http://h:99999/", "http://[h/"])
def test_what_is_no_url(url: str) -> None:
    with pytest.raises(ConfigError, match="no URL"):
        calls.check_url(url)


def test_a_url_with_a_password_is_refused_and_not_told() -> None:
    with pytest.raises(ConfigError, match="http://h/a: the URL holds a user or password") as caught:
        calls.check_url("http://ann:hidden@h/a?key=hidden")
    assert "hidden" not in str(caught.value)


def test_libraries_that_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"install crowd-consensus\[push\]"):
        Caller("http://h")


def test_a_redirect_is_not_followed() -> None:
    caller = Caller("http://h")
    caller.client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(301, headers={"Location": "https://h/b?key=1"}))
    )
    with pytest.raises(RefusedError, match=r"points elsewhere \(https://h/b\); give that address"):
        caller.ask("GET", "http://h/a?key=1")
    caller.close()


def test_what_is_not_to_be_repeated_is_sent_once() -> None:
    sent: list[httpx.Request] = []

    def fail(one: httpx.Request) -> httpx.Response:
        sent.append(one)
        return httpx.Response(502)

    caller = Caller("http://h", Patience(first=0.0))
    caller.client = httpx.Client(transport=httpx.MockTransport(fail))
    with pytest.raises(ServerError, match="answered 502; see to the server"):
        caller.ask("POST", "http://h/a", repeat=False)
    assert len(sent) == 1
    caller.close()


def test_pauses_grow_up_to_a_limit() -> None:
    pauses: list[float] = []
    caller = Caller("http://h", Patience(attempts=40, first=1.0, longest=8.0), sleep=pauses.append)
    caller.client = httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(500)))
    with pytest.raises(ServerError):
        caller.ask("GET", "http://h/a")
    assert len(pauses) == 39
    assert all(0 <= pause <= min(8.0, 2.0**n) for n, pause in enumerate(pauses))
    assert max(pauses) > 2
    caller.close()
