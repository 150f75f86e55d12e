"""``consensus push``: pages are sent to a URL, and a journal keeps which arrived, so that none is sent for nothing.

The journal is a file of JSON lines beside the result: one a page that arrived, or that did not (a dead letter, with its
body). It is removed when all pages arrived. A page that arrived, and whose answer was lost, is sent again with the same
key: who receives it tells by the key.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, OutputError, ServerError
from consensus.inputs.counted import counted
from consensus.live.calls import USUAL, Caller, Patience, RefusedError, check_url, shown
from consensus.live.pages import KEY, SIGNATURE, Page, signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

SECRET = "CONSENSUS_PUSH_SECRET"
"""The environment variable that holds the secret of the signature."""
SHORTEST_SECRET = 16
GIVEN_UP = 3
"""Pages in a row that fail before the rest is not tried."""
OF_ALL = frozenset({401, 403, 404, 405})
"""Statuses that other pages would get, too."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of the pages."""

    arrived: int
    before: int
    """That arrived in an earlier push, and were not sent again."""
    dead: int
    """That did not arrive, or were not tried."""


def secret_of_environment() -> str:
    """The secret.

    Raises
    ------
    ConfigError
        There is none, or it is too short.
    """
    found = os.environ.get(SECRET, "")
    if len(found) < SHORTEST_SECRET:
        what = "is too short" if found else "is not set"
        raise ConfigError(
            f"the environment variable {SECRET} {what}; pages are signed with it: set it to {SHORTEST_SECRET} "
            "characters or more",
            code="missing_input",
        )
    return found


def check(url: str, journal: Path, *, resume: bool) -> str:
    """Refuse what can't be pushed before any work is done; the secret.

    Raises
    ------
    ConsensusError
        The URL is none, there is no secret, or an earlier push did not end and this one does not resume it.
    """
    check_url(url)
    secret = secret_of_environment()
    if journal.exists() and not resume:
        raise OutputError(
            "an earlier push did not bring all pages; go on with --resume, or remove this file to send all again",
            journal,
            code="output_exists",
        )
    if resume and not journal.exists():
        raise OutputError("there is no such file, so there is nothing to resume; leave out --resume", journal)
    return secret


def push(
    pages: Iterable[Page],
    url: str,
    secret: str,
    journal: Path,
    *,
    patience: Patience = USUAL,
    say: Callable[[str], None] = lambda _: None,
    **of_caller: Any,
) -> Pushed:
    """Send the pages that the journal does not know as arrived.

    Raises
    ------
    RefusedError
        The server refuses what other pages would be refused for, too: the secret, the address.
    OutputError
        The journal can't be written.
    """
    known = _arrived(journal)
    caller = Caller(url, patience, (secret,), **of_caller)
    arrived = before = dead = in_a_row = 0
    try:
        with journal.open("a", encoding="utf-8") as file:
            for page in pages:
                if page.key in known:
                    before += 1
                    continue
                if in_a_row == GIVEN_UP:
                    dead += 1
                    continue
                try:
                    _send(caller, page, secret)
                except ServerError as error:
                    if isinstance(error, RefusedError) and error.status in OF_ALL:
                        raise
                    say(f"page {page.number}: {error}")
                    _note(file, page, error)
                    dead, in_a_row = dead + 1, 0 if isinstance(error, RefusedError) else in_a_row + 1
                    if in_a_row == GIVEN_UP:
                        say(f"{counted(GIVEN_UP, 'page')} in a row did not arrive: the rest is not tried")
                else:
                    _note(file, page)
                    arrived, in_a_row = arrived + 1, 0
        if not dead:
            journal.unlink()
    except OSError as error:
        raise OutputError.of(error, journal) from None
    finally:
        caller.close()
    return Pushed(arrived, before, dead)


def _send(caller: Caller, page: Page, secret: str) -> None:
    def headers() -> dict[str, str]:  # with the time of the attempt
        return {
            "Content-Type": "application/json; charset=utf-8",
            KEY: page.key,
            SIGNATURE: signature(secret, page.body),
        }

    caller.ask("POST", caller.url, headers=headers, content=page.body)


def _note(file: Any, page: Page, error: ServerError | None = None) -> None:
    """Write what became of a page, on the disk before the next one is sent."""
    told: dict[str, Any] = {"key": page.key, "page": page.number, "arrived": error is None}
    if error is not None:
        told |= {"why": str(error), "body": page.body.decode()}
    file.write(json.dumps(told, ensure_ascii=False) + "\n")
    file.flush()
    os.fsync(file.fileno())


def _arrived(journal: Path) -> frozenset[str]:
    """Keys of pages that arrived; a last line that is not whole is passed over.

    Raises
    ------
    OutputError
        It is no journal of a push.
    """
    if not journal.exists():
        return frozenset()
    *lines, rest = journal.read_bytes().split(b"\n")
    if rest:  # it was being written when the push ended
        os.truncate(journal, journal.stat().st_size - len(rest))
    found = set()
    for n, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            found |= {str(told["key"])} if told["arrived"] else set()
        except (ValueError, KeyError, TypeError):
            raise OutputError("this is no file of a push; name another with --dead-letters", journal, n) from None
    return frozenset(found)


def told(done: Pushed, url: str, journal: Path) -> list[str]:
    """What became of the pages, in words."""
    again = f"; {done.before:,} arrived before" if done.before else ""
    lines = [f"{counted(done.arrived, 'page')} arrived at {shown(url)}{again}"]
    if done.dead:
        lines.append(f"{counted(done.dead, 'page')} did not: {journal}; send them with --resume")
    return lines
