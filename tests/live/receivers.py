"""A server on loopback that fails as it is told, and keeps what it took."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Receiver:
    """Keeps each page once by its key; ``plan`` is what it does with the requests in their order, then it takes all."""

    def __init__(self, plan: list[Any]) -> None:
        self.plan, self.taken, self.requests = plan, dict[str, Any](), list[tuple[dict[str, str], bytes]]()
        self.url = ""

    @property
    def items(self) -> list[str]:
        return [row["item"] for page in self.taken.values() for row in page["rows"]]

    def take(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        self.requests.append((dict(handler.headers), body))
        step = self.plan.pop(0) if self.plan else 200
        if step == "slow":
            time.sleep(1.0)
            return
        if step == "gone":  # neither taken nor answered
            handler.connection.close()
            return
        status = step if isinstance(step, int) else step[0] if isinstance(step, tuple) else 200
        if status == 200:
            self.taken.setdefault(handler.headers["Idempotency-Key"], json.loads(body))
        handler.send_response(status)
        said = b"no, ann@example.org; your secret is a-secret-of-the-tests" if status >= 400 else b"taken"
        handler.send_header("Content-Length", str(len(said) + (50 if step == "cut" else 0)))
        for name, value in step[1].items() if isinstance(step, tuple) else ():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(said)
        if step == "cut":  # taken, and the answer ends in its middle
            handler.wfile.flush()
            handler.close_connection = True


@contextmanager
def receiving(*plan: Any) -> Iterator[Receiver]:
    receiver = Receiver(list(plan))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            receiver.take(self)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/labels"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
