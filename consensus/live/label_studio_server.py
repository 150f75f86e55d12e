"""A Label Studio server, and what is asked of it: only here are its endpoints named (versions 1.20 to 1.23)."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, ServerError
from consensus.live.calls import USUAL, Caller, Patience, RefusedError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TOKEN = "LABEL_STUDIO_TOKEN"
"""The environment variable that holds the token: a legacy one, or a personal access token."""
PERSONAL = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
"""A personal access token: a JWT, which is exchanged for one that holds for some minutes."""
PAGE = 500
"""Tasks, and predictions, a request."""
OVERLAP = timedelta(seconds=60)
"""What is asked for again: what was being written when the last look was taken may be older than what was seen."""
KINDS = ("Choices", "Taxonomy", "Rating")
"""Control tags whose answers come from a list."""
AS_IMPORTED = {"resolve_uri": "false"}
"""Addresses in data as they were imported, and no links of the server's own in their place."""
VIEW = "consensus: needs another annotator"
"""The title of the view."""
NEEDED, PRIORITY = "consensus_needed", "consensus_priority"
"""Fields of a task's data by which the view finds and orders tasks: it can't see a task's meta."""


@dataclass(frozen=True, slots=True)
class Question:
    """A control tag."""

    name: str
    kind: str
    """One of ``KINDS``."""
    target: str
    """The object tag that it is about."""
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Project:
    """A project."""

    questions: Mapping[str, Question]
    n_tasks: int
    n_annotations: int
    """With those that were cancelled."""


def token_of_environment() -> str:
    """The token.

    Raises
    ------
    ConfigError
        There is none, or it can't be one.
    """
    found = os.environ.get(TOKEN, "").strip()
    if not found:
        raise ConfigError(
            f"the environment variable {TOKEN} is not set; set it to an access token of your account in Label Studio",
            code="missing_input",
        )
    if not (found.isascii() and found.isprintable()) or " " in found:
        raise ConfigError(f"the environment variable {TOKEN} holds no token; copy it again")
    return found


class Server:
    """One project on a server."""

    def __init__(self, url: str, token: str, project: int, patience: Patience = USUAL, **of_caller: Any) -> None:
        self.project_id = project
        self._base = url.rstrip("/")
        self._token = token
        self._is_personal = PERSONAL.fullmatch(token) is not None
        self._access: str | None = None
        self._lock = Lock()
        self._caller = Caller(url, patience, (token,), **of_caller)

    def close(self) -> None:
        """Close the connections."""
        self._caller.close()

    def project(self) -> Project:
        """What the project asks, and how much it holds."""
        found = self._told("GET", f"/api/projects/{self.project_id}/")
        try:
            tags = found["parsed_label_config"]
            questions = {
                name: Question(name, tag["type"], tag["to_name"][0], tuple(tag.get("labels", ())))
                for name, tag in tags.items()
                if tag["type"] in KINDS
            }
            n_annotations = (found["total_annotations_number"] or 0) + (found["skipped_annotations_number"] or 0)
            return Project(questions, found["task_number"] or 0, n_annotations)
        except (KeyError, TypeError, AttributeError, IndexError):
            raise self._no_label_studio() from None

    def tasks(self, since: str | None) -> Iterator[dict[str, Any]]:
        """The tasks that changed since, with annotations and predictions; None: all."""
        query = {"filters": _only("updated_at", "Datetime", _before(since))} if since is not None else {}
        page = seen = 0
        while True:
            page += 1
            tasks, total = self._listed(page, PAGE, query, fields="all")
            yield from tasks
            seen += len(tasks)
            if seen >= total or not tasks:
                return

    def some(self, tasks: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Data and meta of ``tasks``, by id; without those that are gone.

        They are listed, for the endpoint for a single task shows addresses as links of the server's own, whatever it is
        told (version 1.20): who wrote such data back would overwrite them.
        """
        query = {"selectedItems": {"all": False, "included": [int(task) for task in tasks]}}
        found, _ = self._listed(1, len(tasks), query)
        return {str(one["id"]): {"data": dict(one["data"]), "meta": one.get("meta")} for one in found}

    def _listed(self, page: int, size: int, query: object, **more: str) -> tuple[list[dict[str, Any]], int]:
        """A page of tasks, and how many there are in all."""
        asked = {"project": self.project_id, "page": page, "page_size": size, **AS_IMPORTED, **more}
        found = self._told("GET", "/api/tasks/", params={**asked, "query": json.dumps(query)})
        try:
            return found["tasks"], int(found["total"])
        except (KeyError, TypeError, ValueError):
            raise self._no_label_studio() from None

    def change(self, task: str, fields: Mapping[str, Any]) -> None:
        """Set fields of a task."""
        self._ask("PATCH", f"/api/tasks/{task}/", json=fields)

    def people(self) -> dict[str, str]:
        """The e-mail of each user, by id."""
        return {str(one["id"]): str(one["email"]) for one in self._told("GET", "/api/users/")}

    def predictions(self) -> dict[str, int]:
        """How many predictions there are, by version of the model."""
        found: dict[str, int] = self._told("GET", f"/api/projects/{self.project_id}/model-versions/")
        return found

    def predict(self, predictions: Sequence[Mapping[str, Any]]) -> None:
        """Add predictions; this is not repeated, for the server would add them twice."""
        path = f"/api/projects/{self.project_id}/import/predictions"
        for begin in range(0, len(predictions), PAGE):
            self._ask("POST", path, json=predictions[begin : begin + PAGE], repeat=False)

    def forget(self, version: str) -> None:
        """Delete all predictions of a version."""
        path = f"/api/projects/{self.project_id}/model-versions/"
        self._ask("DELETE", path, json={"model_version": version})

    def view(self) -> bool:
        """Make the view of tasks that need another annotator, the most urgent first; whether it was not there."""
        views = self._told("GET", "/api/dm/views/", params={"project": self.project_id})
        if any(one.get("data", {}).get("title") == VIEW for one in views):
            return False
        told = {
            "title": VIEW,
            "filters": _only(f"data.{NEEDED}", "Number", 0),
            "ordering": [f"-tasks:data.{PRIORITY}"],
            "columnsDisplayType": {f"tasks:data.{PRIORITY}": "Number", f"tasks:data.{NEEDED}": "Number"},
        }
        self._ask("POST", "/api/dm/views/", json={"project": self.project_id, "data": told}, repeat=False)
        return True

    def _told(self, method: str, path: str, **content: Any) -> Any:
        try:
            return self._ask(method, path, **content).json()
        except ValueError:
            raise self._no_label_studio() from None

    def _ask(self, method: str, path: str, **content: Any) -> Any:
        used = self._access
        try:
            return self._caller.ask(method, self._base + path, headers=self._headers, **content)
        except RefusedError as error:
            if error.status != 401 or used is None:
                raise
        with self._lock:
            self._access = None if self._access == used else self._access  # it holds for some minutes only
        return self._caller.ask(method, self._base + path, headers=self._headers, **content)

    def _headers(self) -> dict[str, str]:
        if not self._is_personal:
            return {"Authorization": f"Token {self._token}"}
        with self._lock:
            if self._access is None:
                self._access = self._new_access()
                self._caller.secrets += (self._access,)
            return {"Authorization": f"Bearer {self._access}"}

    def _new_access(self) -> str:
        found = self._caller.ask("POST", f"{self._base}/api/token/refresh", json={"refresh": self._token})
        try:
            return str(found.json()["access"])
        except (ValueError, KeyError, TypeError):
            raise self._no_label_studio() from None

    def _no_label_studio(self) -> ServerError:
        return ServerError(
            f"{shown(self._base)}: the answer is not that of a Label Studio of 1.20 or newer; give the address at "
            "which it opens in a browser"
        )


def _only(column: str, kind: str, value: Any) -> dict[str, Any]:
    """A filter of tasks whose column is greater than a value."""
    item = {"filter": f"filter:tasks:{column}", "operator": "greater", "type": kind, "value": value}
    return {"conjunction": "and", "items": [item]}


def _before(since: str) -> str:
    return (datetime.fromisoformat(since).astimezone(UTC) - OVERLAP).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
