"""A Label Studio server of its own package, on loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from consensus.config import RunConfig
from consensus.live import label_studio_server as serving
from consensus.live import label_studio_sync as syncing
from consensus.live.calls import Patience
from tests.live.stand_in import result

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = os.environ.get("CONSENSUS_LABEL_STUDIO") or shutil.which("label-studio")
LABELS = ("no", "yes", "größer")
CONFIG = (
    '<View><Text name="text" value="$text"/><Choices name="kind" toName="text">'
    + "".join(f'<Choice value="{label}"/>' for label in LABELS)
    + "</Choices></View>"
)
QUICK = Patience(attempts=4, timeout=120.0, first=0.1, longest=1.0)


class Studio:
    """The server, as its administrator sees it."""

    def __init__(self, url: str, legacy: str, personal: str) -> None:
        self.url, self.legacy, self.personal = url, legacy, personal
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"Token {legacy}"}, timeout=300)

    def ask(self, method: str, path: str, **more: Any) -> Any:
        found = self.http.request(method, path, **more)
        assert found.status_code < 300, found.text[:300]
        return found.json() if found.content else None

    def user(self, name: str) -> int:
        told = {"email": f"{name}@example.org", "username": name, "first_name": "Zoë", "password": "pass-of-the-tests"}
        return int(self.ask("POST", "/api/users/", json=told)["id"])

    def annotate(self, task: int, user: int, label: str) -> None:
        given = {"result": result(label), "completed_by": user, "lead_time": 3.5}
        self.ask("POST", f"/api/tasks/{task}/annotations/", json=given)

    def sync(self, project: int, folder: Path, token: str = "", server: Any = serving.Server) -> syncing.Synced:
        made = server(self.url, token or self.legacy, project, QUICK)
        try:
            return syncing.sync(made, folder, RunConfig(), url=self.url)
        finally:
            made.close()


@contextmanager
def started(folder: Path) -> Iterator[Studio]:
    """A server that keeps its data in a folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = {
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        "DJANGO_DB": "sqlite",
        "COLLECT_ANALYTICS": "False",
        "LATEST_VERSION_CHECK": "False",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    assert COMMAND is not None
    arguments = [
        "start",
        "--no-browser",
        "--internal-host",
        "127.0.0.1",
        "--port",
        str(port),
        "--enable-legacy-api-token",
    ]
    account = {"email": "admin@example.org", "password": "pass-of-the-tests"}
    arguments += ["--username", account["email"], "--password", account["password"]]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([COMMAND, *arguments], env={**kept, **told}, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        made = _signed_in(url, account, process)
        yield made
        made.http.close()
    finally:
        process.terminate()
        process.wait(30)


def _signed_in(url: str, account: dict[str, str], process: subprocess.Popen[bytes]) -> Studio:
    """Both kinds of token, as a browser gets them."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as browser:
        for _ in range(300):
            assert process.poll() is None, "the server ended"
            try:
                browser.get("/user/login/")
                break
            except httpx.TransportError:
                time.sleep(1)
        sent = {**account, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
        browser.post("/user/login/", data=sent, headers={"Referer": url})
        legacy = browser.get("/api/current-user/token").json()["token"]
        headers = {"X-CSRFToken": browser.cookies["csrftoken"], "Referer": url}
        personal = browser.post("/api/token/", headers=headers).json()["token"]
    return Studio(url, legacy, personal)
