"""A stand-in for a Label Studio server: the endpoints that a sync uses, as version 1.23.2 answered them.

It is no proof that a server works like this: that is what the tests marked ``live`` are for.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

LEGACY = "0123456789abcdef0123456789abcdef01234567"
PERSONAL = "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2lnbmF0dXJl"
CONFIG = {"kind": {"type": "Choices", "to_name": ["text"], "labels": ["no", "yes"]}}


def result(label: Any, name: str = "kind", type_: str = "choices") -> list[dict[str, Any]]:
    value = [label] if type_ == "choices" else label
    return [{"from_name": name, "to_name": "text", "type": type_, "value": {type_: value}}]


class StandIn:
    """One project, 1; users "1", "2", ..."""

    def __init__(self, n_tasks: int, config: dict[str, Any] | None = None) -> None:
        self.config = config or CONFIG
        self.now = datetime(2026, 3, 1, tzinfo=UTC)
        self.tasks: dict[int, dict[str, Any]] = {}
        self.views: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.fails: Callable[[str, str], httpx.Response | None] = lambda *_: None
        self.n_access, self.n_given = 0, 0
        for n in range(n_tasks):
            self.tasks[n + 1] = {"id": n + 1, "data": {"text": f"t{n}"}, "meta": {"own": n}}
            self.tasks[n + 1] |= {"annotations": [], "predictions": []}
            self._touch(n + 1)

    def _touch(self, task: int) -> None:
        self.now += timedelta(seconds=1)
        self.tasks[task]["updated_at"] = self._time()

    def _time(self) -> str:
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def annotate(self, task: int, user: int, said: list[dict[str, Any]], **more: Any) -> int:
        self._touch(task)
        self.n_given += 1
        at = {"created_at": self._time(), "updated_at": self._time(), "lead_time": 3.5}
        who = {"completed_by": user, "created_username": f"Zoë{user}@example.org, {user}"}
        one = {"id": self.n_given, "result": said, "was_cancelled": False, **at, **who, **more}
        self.tasks[task]["annotations"].append(one)
        return self.n_given

    def correct(self, task: int, annotation: int, said: list[dict[str, Any]], **more: Any) -> None:
        self._touch(task)
        one = next(one for one in self.tasks[task]["annotations"] if one["id"] == annotation)
        one |= {"result": said, "updated_at": self._time(), **more}

    def delete(self, task: int, annotation: int, *, silently: bool = False) -> None:
        """Silently: as some ways to delete do, which leave the time of the task as it was."""
        of = self.tasks[task]
        of["annotations"] = [one for one in of["annotations"] if one["id"] != annotation]
        if not silently:
            self._touch(task)

    def predict(self, task: int, version: str | None, said: list[dict[str, Any]], score: Any = None) -> None:
        self.n_given += 1
        made = {"id": self.n_given, "model_version": version, "score": score, "result": said}
        self.tasks[task]["predictions"].append(made)

    def forget(self, version: str | None) -> None:
        """Delete the predictions of a model."""
        for task, of in self.tasks.items():
            left = [one for one in of["predictions"] if one["model_version"] != version]
            if left != of["predictions"]:
                of["predictions"] = left
                self._touch(task)

    def predictions(self, version: str = "consensus@") -> list[tuple[int, dict[str, Any]]]:
        return [
            (task, one)
            for task, of in self.tasks.items()
            for one in of["predictions"]
            if str(one["model_version"]).startswith(version)
        ]

    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        method, path = request.method, request.url.path
        self.requests.append((method, path))
        failed = self.fails(method, path)
        if failed is not None:
            return failed
        if path == "/api/token/refresh":
            self.n_access += 1
            assert json.loads(request.content)["refresh"] == PERSONAL
            return httpx.Response(200, json={"access": f"access-{self.n_access}"})
        if request.headers["Authorization"] not in {f"Token {LEGACY}", f"Bearer access-{self.n_access}"}:
            return httpx.Response(401, json={"detail": f"{request.headers['Authorization']} of ann@example.org"})
        query = {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        told = json.loads(request.content) if request.content else {}
        number = re.search(r"/api/tasks/(\d+)/", path)
        if number is not None:
            task = self.tasks[int(number[1])]
            if method == "PATCH":
                task |= told
                self._touch(task["id"])
            return httpx.Response(200, json=task)
        return httpx.Response(200, json=self._of_project(method, path, query, told))

    def _of_project(self, method: str, path: str, query: dict[str, str], told: Any) -> Any:
        if path == "/api/tasks/":
            return self._page(query)
        if path == "/api/users/":
            return [{"id": n, "email": f"zoë{n}@example.org"} for n in range(1, 9)]
        if path == "/api/dm/views/":
            self.views += [told] if method == "POST" else []
            return self.views
        if path == "/api/projects/1/model-versions/" and method == "DELETE":
            for task in self.tasks.values():
                task["predictions"] = [
                    one for one in task["predictions"] if one["model_version"] != told["model_version"]
                ]
            return {}
        if path == "/api/projects/1/model-versions/":
            versions = [str(one["model_version"]) for _, one in self.predictions("")]
            return {one: versions.count(one) for one in versions}
        if path == "/api/projects/1/import/predictions":
            for one in told:
                if one["task"] in self.tasks:
                    self.predict(one["task"], one["model_version"], one["result"], one["score"])
            return {"created": len(told)}
        assert path == "/api/projects/1/", path
        given = [one["was_cancelled"] for task in self.tasks.values() for one in task["annotations"]]
        counts = {"total_annotations_number": given.count(False), "skipped_annotations_number": given.count(True)}
        return {"parsed_label_config": self.config, "task_number": len(self.tasks), **counts}

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        filters = json.loads(query["query"]).get("filters", {"items": []})["items"]
        since = filters[0]["value"] if filters else ""
        found = [task for task in self.tasks.values() if task["updated_at"] > since]
        chosen = json.loads(query["query"]).get("selectedItems", {"all": True})
        if not chosen["all"]:
            found = [task for task in found if task["id"] in chosen["included"]]
        assert query["resolve_uri"] == "false"
        page, size = int(query["page"]), int(query["page_size"])
        return {"tasks": found[(page - 1) * size : page * size], "total": len(found)}
