"""Requests to a server that may be slow, busy or gone: tried again with pauses that grow; no secret is told."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from consensus.errors import ConfigError, ServerError
from consensus.formats.platforms import people

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import httpx

BUSY = frozenset({408, 425, 429})
"""Statuses below 500 after which the same request may be taken later."""
LONGEST_WAIT = 600.0
"""Seconds that a server may ask to wait; it is asked again then at the latest."""
LONGEST_WORDS = 200
"""Characters of what a server says that are told."""


class RefusedError(ServerError):
    """A server answered a request, and will not take it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request is tried.

    Parameters
    ----------
    attempts
        Times that it is sent at most, from 1.
    timeout
        Seconds to wait for a connection, and for each part of an answer.
    first, longest
        Seconds of the pause after the first attempt, and of the longest one, unless the server asks for more. Each is
        drawn between nothing and its limit, so that many who wait don't come back at once.
    """

    attempts: int = 6
    timeout: float = 30.0
    first: float = 0.5
    longest: float = 30.0


USUAL = Patience()


class _AgainError(Exception):
    """An attempt that may be repeated, and after how many seconds at least."""

    def __init__(self, why: str, after: float = 0.0, status: int | None = None) -> None:
        super().__init__(why)
        self.after, self.status = after, status


@dataclass(eq=False)
class Caller:
    """Sends requests to one server.

    Parameters
    ----------
    url
        Where it is. It holds no user and password.
    patience
        How long each request is tried.
    secrets
        Texts that must not be told; they are replaced wherever the server says them again.
    """

    url: str
    patience: Patience = USUAL
    secrets: tuple[str, ...] = field(default=(), repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    transport: httpx.BaseTransport | None = field(default=None, repr=False)
    """How requests go out, if not over the network."""

    def __post_init__(self) -> None:
        check_libraries()
        check_url(self.url)
        import httpx

        self.client = httpx.Client(timeout=self.patience.timeout, transport=self.transport)

    def close(self) -> None:
        """Close the connections."""
        self.client.close()

    def ask(
        self,
        method: str,
        url: str,
        *,
        headers: Callable[[], Mapping[str, str]] = dict,
        repeat: bool = True,
        **content: Any,
    ) -> httpx.Response:
        """The answer to a request; ``headers`` are made for each attempt anew.

        Raises
        ------
        RefusedError
            The server does not take it (a status from 300 to 499).
        ServerError
            It can't be reached, or fails, time after time; or once, if the request is not to be repeated.
        """
        import tenacity

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(_AgainError),
            stop=tenacity.stop_after_attempt(self.patience.attempts if repeat else 1),
            wait=self._pause,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return retrying(self._attempt, method, url, headers, content)
        except _AgainError as error:
            tried = f" after {self.patience.attempts} attempts" if repeat and self.patience.attempts > 1 else ""
            message = f"{shown(url)}: {error}{tried}; see to the server, and do it again"
            raise ServerError(message) from None

    def _attempt(
        self, method: str, url: str, headers: Callable[[], Mapping[str, str]], content: Mapping[str, Any]
    ) -> httpx.Response:
        import httpx

        try:
            found = self.client.request(method, url, headers=dict(headers()), **content)
        except httpx.TimeoutException:
            raise _AgainError(f"no answer within {self.patience.timeout:g} s") from None
        except httpx.TransportError as error:
            raise _AgainError(f"the connection failed ({self.hidden(str(error)) or type(error).__name__})") from None
        if found.status_code >= 500 or found.status_code in BUSY:
            after = seconds_of(found.headers.get("Retry-After"))
            raise _AgainError(f"the server answered {found.status_code}", after, found.status_code)
        if found.status_code >= 300:
            raise RefusedError(self._refusal(url, found), found.status_code)
        return found

    def _pause(self, state: Any) -> float:
        """Seconds until the next attempt: what the server asks for, or a draw that may be longer each time."""
        error = state.outcome.exception()
        limit = min(self.patience.longest, self.patience.first * 2.0 ** (state.attempt_number - 1))
        drawn = random.uniform(0.0, limit)  # nothing that is found hangs on it
        return float(error.after + drawn)

    def _refusal(self, url: str, found: httpx.Response) -> str:
        if found.is_redirect:
            where = self.hidden(shown(str(found.headers.get("Location", ""))))
            return f"{shown(url)}: the server points elsewhere ({where}); give that address"
        said = self.hidden(" ".join(found.text.split()))[:LONGEST_WORDS]
        return f"{shown(url)}: the server answered {found.status_code}{f' ({said})' if said else ''}; {_way(found)}"

    def hidden(self, text: str) -> str:
        """A text of the server without secrets and e-mails."""
        for one in self.secrets:
            text = text.replace(one, "***")
        return people.MAIL.sub("(e-mail)", text)


def _way(found: httpx.Response) -> str:
    ways = {401: "see whether the token or secret is the right one", 403: "see what the token may do"}
    ways[404] = "see whether the address is right"
    return ways.get(found.status_code, "correct what is sent, or the server")


def seconds_of(given: str | None) -> float:
    """Seconds that a header Retry-After asks for: a number or a date; 0 where it says nothing, never over 600."""
    if given is None:
        return 0.0
    try:
        found = float(given)
    except ValueError:
        try:
            found = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(found, 0.0), LONGEST_WAIT) if found == found else 0.0


def shown(url: str) -> str:
    """A URL without what may be secret in it: user, password and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def check_url(url: str) -> None:
    """Refuse what is no address of a server, and one with a password in it.

    Raises
    ------
    ConfigError
        It is such a one.
    """
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_one = False
    if not is_one:
        raise ConfigError("this is no URL of a server; give one such as https://example.org/labels")
    if "@" in parts.netloc:
        raise ConfigError(
            f"{shown(url)}: the URL holds a user or password; leave them out, secrets come from the environment"
        )


def check_libraries() -> None:
    """Refuse to begin without what requests are made with.

    Raises
    ------
    ConfigError
        The extra is not installed.
    """
    if any(find_spec(name) is None for name in ("httpx", "tenacity")):
        raise ConfigError(
            "requests to servers need httpx and tenacity; install crowd-consensus[push] or "
            "crowd-consensus[label-studio]",
            code="missing_library",
        )
