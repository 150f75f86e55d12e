"""A receiver on this machine that checks signatures, counts a key once, and fails as it is told to."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import Counter
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Check = Callable[[bytes, bytes, str], bool]


class Receiver:
    """What came, and what is answered next."""

    def __init__(self, check: Check, secret: bytes) -> None:
        self.check, self.secret = check, secret
        self.script: list[Any] = []
        """Answers before the usual one: a status; (status, headers); "close" before an answer, "cut" in the middle of
        it, "late" after the page was taken and the connection broken, "slow".
        """
        self.rows: Counter[str] = Counter()
        """How often each item was taken."""
        self.keys: dict[str, bytes] = {}
        self.n_requests = 0
        self.url = ""

    def take(self, key: str, body: bytes) -> None:
        """Count the rows of a page, once a key."""
        if key not in self.keys:
            self.keys[key] = body
            self.rows.update(row["item"] for row in json.loads(body)["rows"])


@contextmanager
def receiving(check: Check, secret: bytes) -> Iterator[Receiver]:
    """A receiver, while it listens."""
    receiver, lock = Receiver(check, secret), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                receiver.n_requests += 1
                what = receiver.script.pop(0) if receiver.script else 200
                told = self.headers["Consensus-Signature"] or ""
                if not receiver.check(receiver.secret, body, told):
                    what = 401
                if what in (200, "late", "cut"):
                    receiver.take(self.headers["Idempotency-Key"], body)
            if what == "slow":
                threading.Event().wait(2.0)
            if what in ("close", "late", "slow"):
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                return
            status, headers = what if isinstance(what, tuple) else (200 if what == "cut" else what, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "100" if what == "cut" else "2")
            self.end_headers()
            self.wfile.write(b"ok")
            self.close_connection = what == "cut"

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/labels"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
