"""The routes: what they take, what they answer, what they refuse."""

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest

from consensus.errors import ConsensusError, StateError
from consensus.serve import app, messages
from consensus.serve.guard import Guard
from consensus.state import Stream, journal
from consensus.state.records import LONGEST
from tests.serve.clients import TestClient

GOOD = {"item": "new", "worker": "u", "label": "label_0"}
TOKEN = "0123456789abcdef"
HERE = "http://127.0.0.1:8000"


@pytest.fixture
def client(stream: Stream) -> Iterator[TestClient]:
    with TestClient(app.made(stream), base_url=HERE) as one:
        yield one


class TestJudgments:
    def test_are_on_the_disk_when_they_are_acknowledged(self, client: TestClient, stream: Stream) -> None:
        first = client.post("/judgments", json=[GOOD, {**GOOD, "worker": "v"}])
        assert (first.status_code, first.json()) == (200, {"new": 2, "corrected": 0, "repeated": 0})
        rest = {**GOOD, "timestamp": "2026-03-09T14:30:00+02:00", "duration": 2, "judgment_id": "7", "item": "b"}
        second = client.post("/judgments", json={"judgments": [GOOD, {**GOOD, "label": "label_1"}, rest]})
        assert second.json() == {"new": 1, "corrected": 1, "repeated": 1}
        (path,) = journal.files(stream._state.folder / "journal")
        kept = [json.loads(line) for line in path.read_text().splitlines()]
        assert [(one["item"], one["worker"], one["label"]) for one in kept] == [
            ("new", "u", "label_0"), ("new", "v", "label_0"), ("new", "u", "label_0"), ("new", "u", "label_1"),
            ("b", "u", "label_0"),
        ]  # fmt: skip
        assert (kept[-1]["timestamp"], kept[-1]["judgment_id"]) == ("2026-03-09T12:30:00.000000Z", "7")

    @pytest.mark.parametrize(
        ("body", "where", "kind"),
        [
            ([{**GOOD, "worker": ""}], [0, "worker"], "string_too_short"),
            ([{**GOOD, "worker": " \n"}], [0, "worker"], "string_pattern_mismatch"),
            ([{**GOOD, "label": 3}], [0, "label"], "string_type"),
            ([GOOD, {"item": "a", "worker": "u"}], [1, "label"], "missing"),
            ([{**GOOD, "item": "x" * (LONGEST + 1)}], [0, "item"], "string_too_long"),
            ([{**GOOD, "colour": "red"}], [0, "colour"], "extra_forbidden"),
            ([{**GOOD, "duration": -1}], [0, "duration"], "greater_than_equal"),
            ([{**GOOD, "timestamp": "noon"}], [0, "timestamp"], "datetime_from_date_parsing"),
            ([{**GOOD, "judgment_id": ""}], [0, "judgment_id"], "string_too_short"),
            ({"judgments": [{**GOOD, "worker": None}]}, ["judgments", 0, "worker"], "string_type"),
            ({"judgment": [GOOD]}, ["judgments"], "missing"),
            ([GOOD] * (messages.MOST_JUDGMENTS + 1), [], "too_long"),
            ({"judgments": [GOOD] * (messages.MOST_JUDGMENTS + 1)}, ["judgments"], "too_long"),
            ([3], [0], "model_type"),
            (3, [], "model_type"),
        ],
    )
    def test_that_are_malformed_are_refused_with_the_field(
        self, client: TestClient, stream: Stream, body: Any, where: list[Any], kind: str
    ) -> None:
        answer = client.post("/judgments", json=body)
        assert answer.status_code == 422
        first = answer.json()["detail"][0]
        assert (first["loc"], first["type"]) == (["body", *where], kind)
        assert stream.n_new == 0

    @pytest.mark.parametrize("body", [b"", b"{", b"[{]", b'[{"item": "\xff"}]', b'["\\ud800"]', b"NaN"])
    def test_that_are_no_json_are_refused(self, client: TestClient, body: bytes) -> None:
        answer = client.post("/judgments", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"][0] == "body"

    def test_that_a_stream_refuses_are_refused(
        self, client: TestClient, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answer = client.post("/judgments", json=[{**GOOD, "label": "lynx"}])
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_label")
        errors: dict[str, ConsensusError] = {
            "repeated_judgment": ConsensusError("twice", code="repeated_judgment"),
            "bad_output": StateError("full", code="bad_output"),
            "bad_file": ConsensusError("odd", code="bad_file"),
        }
        for code, status in (("repeated_judgment", 409), ("bad_output", 503), ("bad_file", 500)):

            def fail(_: object, error: ConsensusError = errors[code]) -> None:
                raise error

            monkeypatch.setattr(stream, "add", fail)
            answer = client.post("/judgments", json=[GOOD])
            assert (answer.status_code, answer.json()["code"]) == (status, code)

    @pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_that_a_page_could_send_unasked_are_refused(self, client: TestClient, kind: str) -> None:
        answer = client.post("/judgments", content=json.dumps([GOOD]), headers={"Content-Type": kind})
        assert answer.status_code == 415
        answer = client.post(
            "/judgments", content=json.dumps([GOOD]), headers={"Content-Type": "Application/JSON; charset=utf-8"}
        )
        assert answer.status_code == 200

    def test_in_a_large_body_are_refused(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(app, "MOST_BYTES", 100)
        kind = {"Content-Type": "application/json"}
        assert client.post("/judgments", json=[GOOD]).status_code == 200
        answer = client.post("/judgments", content=iter([b"[" + b" " * 60, b" " * 60, b"]"]), headers=kind)
        assert answer.status_code == 413
        assert answer.json() == {"detail": "the body has more than 100 bytes; send several"}


class TestNext:
    def test_is_what_the_stream_says(self, client: TestClient, stream: Stream) -> None:
        answer = client.get("/next", params={"worker": "u/ü", "n": 2, "lease": 5})
        asked = answer.json()["items"]
        table = stream.run.escalations
        assert [one["item"] for one in asked] == table["item"][:2].tolist()
        assert [one["priority"] for one in asked] == table["priority"][:2].round(6).tolist()
        assert set(asked[0]) == {"item", "reason", "priority", "suggested"}
        assert client.get("/next").json()["items"]

    def test_a_priority_that_is_not_known_is_null(
        self, client: TestClient, stream: Stream, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from consensus.state.asking import Ask

        monkeypatch.setattr(stream, "next", lambda *_: [Ask("a", "too_few", float("nan"))])
        assert client.get("/next").json() == {
            "items": [{"item": "a", "reason": "too_few", "priority": None, "suggested": False}]
        }

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"n": 0}, "n"),
            ({"n": 1001}, "n"),
            ({"n": "x"}, "n"),
            ({"lease": 0}, "lease"),
            ({"lease": "inf"}, "lease"),
            ({"lease": "nan"}, "lease"),
            ({"worker": ""}, "worker"),
            ({"worker": "x" * 1001}, "worker"),
        ],
    )
    def test_refuses_numbers_out_of_range(self, client: TestClient, given: dict[str, Any], field: str) -> None:
        answer = client.get("/next", params=given)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["loc"] == ["query", field]


def short(told: dict[str, Any]) -> dict[str, Any]:
    """Numbers with six digits behind the point, as in tables."""
    return {name: float(f"{one:.6f}") if isinstance(one, float) else one for name, one in told.items()}


class TestLookingUp:
    def test_items_and_workers(self, client: TestClient, stream: Stream) -> None:
        item, worker = stream.run.labels["item"][0], stream.run.workers["worker"][0]
        assert client.get(f"/items/{item}").json() == short(stream.item(item))
        assert client.get(f"/workers/{worker}").json() == short(stream.worker(worker))
        client.post("/judgments", json=[{**GOOD, "item": "a/b ü?", "worker": "x/y"}])
        assert client.get("/items/a%2Fb%20%C3%BC%3F").json()["came"] == {"x/y": "label_0"}
        assert client.get("/workers/x/y").json()["new_judgments"] == 1

    def test_one_that_is_not_there(self, client: TestClient) -> None:
        for path, said in (("items", "nobody judged an item"), ("workers", "no worker")):
            answer = client.get(f"/{path}/nowhere")
            assert answer.status_code == 404
            assert answer.json()["detail"].startswith(f'{said} "nowhere"')
        assert client.get("/nothing").status_code == 404

    def test_the_summary_and_the_page(self, client: TestClient, stream: Stream) -> None:
        assert client.get("/summary").json() == json.loads(json.dumps(stream.summary()))
        page = client.get("/report")
        assert page.headers["content-type"].startswith("text/html")
        assert page.text == stream.report()


class _Sources(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in {"script", "link", "img"}
        self.found += [str(value) for name, value in attrs if name in {"src", "href"}]


def test_docs_need_no_network_and_name_every_route(client: TestClient) -> None:
    page, document = client.get("/docs").text, client.get("/openapi.json").json()
    sources = _Sources()
    sources.feed(page)
    assert sources.found == ["openapi.json"]
    assert set(document["paths"]) == {
        "/judgments", "/next", "/items/{item}", "/workers/{worker}", "/summary", "/report"
    }  # fmt: skip
    for path in document["paths"]:
        assert path in page
    for name in messages.Judgment.model_fields:
        assert f"<code>{name}</code>" in page
    body = document["paths"]["/judgments"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    models = document["components"]["schemas"]
    for reference in (body["anyOf"][0]["$ref"], body["anyOf"][1]["items"]["$ref"]):
        assert reference.rpartition("/")[2] in models
    assert client.get("/redoc").status_code == 404


class TestGuard:
    def test_each_request_bears_the_token(self, stream: Stream) -> None:
        client = TestClient(app.made(stream, TOKEN), base_url="http://elsewhere.example")
        paths = ("/next", "/items/a", "/workers/a", "/summary", "/report", "/docs", "/openapi.json", "/nothing")
        for given in (
            {},
            {"Authorization": TOKEN},
            {"Authorization": f"Bearer {TOKEN}x"},
            {"Authorization": "Bearer "},
        ):
            for path in paths:
                answer = client.get(path, headers=given)
                assert answer.status_code == 401, path
                assert answer.headers["www-authenticate"] == "Bearer"
            assert client.post("/judgments", json=[GOOD], headers=given).status_code == 401
        assert stream.n_new == 0
        right = {"Authorization": f"Bearer {TOKEN}"}
        assert client.post("/judgments", json=[GOOD], headers=right).status_code == 200
        assert client.get("/summary", headers=right).json()["new_judgments"] == 1

    @pytest.mark.parametrize(
        ("host", "status"),
        [
            ("127.0.0.1:8000", 200),
            ("localhost", 200),
            ("[::1]:8000", 200),
            ("evil.example", 403),
            ("127.0.0.1.evil.example:8000", 403),
            ("192.168.1.4", 403),
            ("", 403),
        ],
    )
    def test_without_one_only_this_machine_is_answered(self, client: TestClient, host: str, status: int) -> None:
        answer = client.get("/summary", headers={"Host": host})
        assert answer.status_code == status
        if status == 403:
            assert "only 127.0.0.1, ::1 and localhost" in answer.json()["detail"]

    @pytest.mark.anyio
    async def test_what_is_no_request_passes(self) -> None:
        seen = []

        async def inner(scope: Any, _: Any, __: Any) -> None:
            seen.append(scope["type"])

        await Guard(inner, TOKEN)({"type": "lifespan"}, None, None)  # type: ignore[arg-type]
        assert seen == ["lifespan"]

    @pytest.fixture
    def anyio_backend(self) -> str:
        return "asyncio"
