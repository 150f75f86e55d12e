"""Who may ask: requests with the token, or without one those that name this machine; no page of another site."""

import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from consensus.serve.settings import is_loopback

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """Stands before an ASGI ``app``.

    With a ``token``, each request has to bear it. Without, only those to a name of loopback pass: a page of the web
    whose name leads to this machine can't ask in the name of who looks at it.
    """

    def __init__(self, app: App, token: str | None) -> None:
        self._app = app
        self._token = None if token is None else f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {name.lower(): value for name, value in scope["headers"]}
        if self._token is not None:
            if not hmac.compare_digest(headers.get(b"authorization", b""), self._token):
                more = ((b"www-authenticate", b"Bearer"),)
                await refuse(send, 401, "send the token of the service: Authorization: Bearer TOKEN", more)
                return
        elif not is_loopback(_host(headers.get(b"host", b"").decode("latin-1"))):
            await refuse(send, 403, "no token is set, so only 127.0.0.1, ::1 and localhost are answered by that name")
            return
        await self._app(scope, receive, send)


def _host(named: str) -> str:
    """Without the port."""
    if named.startswith("["):
        return named[1:].partition("]")[0]
    return named.partition(":")[0]


async def refuse(send: Send, status: int, why: str, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    """Answer that a request can't be done."""
    body = json.dumps({"detail": why}).encode()
    own = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*own, *headers]})
    await send({"type": "http.response.body", "body": body})
