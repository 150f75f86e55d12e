"""Pages are sent one after the other, each until it arrived, was refused, or was tried often enough.

A request carries the key of its page (``Idempotency-Key``), so that who gets it twice, after a connection broke before
the answer, counts it once; and a signature of the moment and the body (``Consensus-Signature: t=SECONDS,v1=HEX``)::

    HEX = HMAC-SHA256(secret, "SECONDS." + body)        Krawczyk, Bellare & Canetti 1997, RFC 2104

Tried again is what a server says of itself (429, 5xx), and a connection that fails; not what it says of the request
(other 4xx), and no redirect is followed: what is signed for one address is for no other. After ``MOST_SILENT`` pages in
a row that were tried in vain nobody is there, and the rest is not tried.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from consensus.errors import ConfigError
from consensus.push.letters import Letter
from consensus.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import httpx

    from consensus.push.pages import Page

SECRET = "CONSENSUS_PUSH_SECRET"
LEAST_SECRET = 16  # bytes
LONGEST_WAIT, FIRST_WAIT = 60.0, 0.5  # seconds between two attempts
LONGEST_ASKED = 300.0  # seconds that a server may ask us to wait
MOST_SILENT = 3
TOO_MANY, OWN_FAULT = 429, 500
NOT_TRIED = "not tried: those before it did not arrive"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of some pages."""

    n_delivered: int
    letters: tuple[Letter, ...]
    """Those that did not arrive, in order."""


class _AgainError(Exception):
    """A server says that it can't answer now."""

    def __init__(self, why: str, wait: float | None) -> None:
        super().__init__(why)
        self.wait = wait


class _RefusedError(Exception):
    """A server says that the request is wrong."""


def address(url: str) -> str:
    """A ``url`` that may be pushed to.

    Raises
    ------
    ConfigError
        It is none, holds a password, or would send in the clear what others on the way can read.
    """
    parts = urlsplit(url)
    try:
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host = ""
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError("--url: no address; expected one such as https://example.org/labels")
    if parts.username or parts.password:
        raise ConfigError("--url: an address with a password in it ends up in logs; leave it out, pages are signed")
    if parts.scheme == "http" and not _is_here(host):
        raise ConfigError(f"--url: http sends labels in the clear to {host}; use https")
    return url


def secret() -> bytes:
    """The secret of the signature, from the environment.

    Raises
    ------
    ConfigError
        There is none, or it is short.
    """
    found = os.environ.get(SECRET, "").encode()
    if len(found) < LEAST_SECRET:
        what = f"is {len(found)} bytes long" if found else "is not set"
        raise ConfigError(
            f"{SECRET} {what}; set it to a secret of {LEAST_SECRET} bytes or more that the receiver knows, too"
        )
    return found


def push(
    pages: Iterable[Page],
    url: str,
    key: bytes,
    *,
    attempts: int = 8,
    timeout: float = 30.0,
    tell: Callable[[int], None] = lambda _: None,
) -> Delivery:
    """Send pages to an address.

    Parameters
    ----------
    url
        As ``address`` returns it.
    key
        The secret that they are signed with.
    attempts
        For each page, at most.
    timeout
        Seconds that a connection, and then each answer, may take.
    tell
        Is called with how many pages arrived so far.

    Raises
    ------
    ConfigError
        The libraries of the extra ``push`` are not installed.
    """
    client = _client(timeout)
    n_delivered, n_silent = 0, 0
    letters: list[Letter] = []
    with client, _unlogged():
        for page in pages:
            if n_silent == MOST_SILENT:
                letters.append(Letter(page, NOT_TRIED))
                continue
            why, is_silent = _sent(client, page, url, key, attempts)
            n_silent = n_silent + 1 if is_silent else 0
            if why is None:
                n_delivered += 1
                tell(n_delivered)
            else:
                letters.append(Letter(page, why))
    return Delivery(n_delivered, tuple(letters))


def _client(timeout: float) -> httpx.Client:
    try:
        import httpx
        import stamina  # noqa: F401 - it is used for each page
    except ImportError:
        raise ConfigError(
            "consensus push needs libraries that are not installed; install crowd-consensus[push]",
            code="missing_library",
        ) from None
    return httpx.Client(timeout=timeout, follow_redirects=False, headers={"User-Agent": f"consensus/{VERSION}"})


@contextmanager
def _unlogged() -> Iterator[None]:
    """Attempts are told by what became of a page, and not by a library on standard error."""
    from stamina import instrumentation

    usual = instrumentation.get_on_retry_hooks()
    instrumentation.set_on_retry_hooks(())
    try:
        yield
    finally:
        instrumentation.set_on_retry_hooks(usual)


def _sent(client: httpx.Client, page: Page, url: str, key: bytes, attempts: int) -> tuple[str | None, bool]:
    """Why a page did not arrive, None if it did; and whether nobody answered."""
    import httpx
    import stamina

    def again(error: Exception) -> bool | float:
        if isinstance(error, _AgainError):
            return True if error.wait is None else error.wait
        return isinstance(error, httpx.TransportError)

    try:
        for attempt in stamina.retry_context(
            again, attempts=attempts, timeout=None, wait_initial=FIRST_WAIT, wait_max=LONGEST_WAIT
        ):
            with attempt:
                _judge(client.post(url, content=page.body, headers=_headers(page, key)))
    except _RefusedError as error:
        return str(error), False
    except _AgainError as error:
        return f"{error}, {attempts} times", True
    except httpx.TransportError as error:
        return f"{type(error).__name__}: {error}, {attempts} times".replace("\n", " "), True
    return None, False


def _headers(page: Page, key: bytes) -> dict[str, str]:
    now = f"{int(time.time())}"
    signature = hmac.new(key, now.encode() + b"." + page.body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "Idempotency-Key": page.key,
        "Consensus-Signature": f"t={now},v1={signature}",
    }


def _judge(answer: httpx.Response) -> None:
    """Raise unless a page arrived."""
    status = answer.status_code
    if answer.is_success:
        return
    if status == TOO_MANY or status >= OWN_FAULT:
        raise _AgainError(f"the server answered {status}", _asked(answer.headers.get("Retry-After")))
    what = "a redirect, which is not followed" if answer.is_redirect else "it refuses the page"
    raise _RefusedError(f"the server answered {status}: {what}")


def _asked(told: str | None) -> float | None:
    """Seconds that a server asks us to wait: a number, or a moment; None where it asks for nothing that is either."""
    if told is None:
        return None
    try:
        seconds: float = float(told)
    except ValueError:
        try:
            moment: Any = parsedate_to_datetime(told)
        except ValueError:
            return None
        now = datetime.datetime.now(moment.tzinfo or datetime.UTC)
        seconds = (moment.replace(tzinfo=now.tzinfo) - now).total_seconds()
    return min(max(seconds, 0.0), LONGEST_ASKED) if seconds == seconds else None


def _is_here(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
