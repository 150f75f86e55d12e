"""The routes of a service."""

import math
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic import ValidationError

from consensus.errors import ConsensusError
from consensus.formats.encoded_lines import DECIMALS
from consensus.serve import messages, page
from consensus.serve.guard import Guard
from consensus.serve.messages import LIST, LONGEST_LEASE, MOST_ASKED, MOST_BYTES, Added, Asked, Judgments, Next, Told
from consensus.state.streams import LEASE, Stream
from consensus.version import VERSION

ABOUT = "Takes judgments, and tells what to ask next. Ids and labels are texts."
STATUS = {
    "unknown_name": 404,
    "repeated_judgment": 409,
    "bad_setting": 422,
    "bad_row": 422,
    "unknown_label": 422,
    "missing_library": 501,
    "no_state": 503,
    "bad_output": 503,
}
"""HTTP status by the code of an error; 500 for others."""
WRONG: dict[int | str, dict[str, Any]] = {status: {"model": messages.Wrong} for status in (404, 409, 413, 415, 422)}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/Judgments"},
                        {"type": "array", "items": {"$ref": "#/components/schemas/Judgment"}},
                    ]
                }
            }
        },
    }
}
Worker = Annotated[
    str | None, Query(min_length=1, max_length=messages.LONGEST, description="Whom the items are for; else anybody.")
]
Number = Annotated[int, Query(ge=1, le=MOST_ASKED, description="How many items.")]
Lease = Annotated[
    float,
    Query(gt=0, le=LONGEST_LEASE, description="Seconds until an item is handed out again if no judgment comes."),
]


def made(stream: Stream, token: str | None = None) -> FastAPI:
    """The service of a ``stream``; with a ``token``, each request has to bear it."""
    app = FastAPI(title="consensus", version=VERSION, description=ABOUT, docs_url=None, redoc_url=None)
    app.add_middleware(Guard, token=token)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(ConsensusError, _refused)
    _add_judgments(app, stream)

    @app.get("/next", responses={422: WRONG[422]})
    def next_items(worker: Worker = None, n: Number = 1, lease: Lease = LEASE) -> Next:
        """The next items to ask, most urgent first; none that the worker has judged or was asked within the lease."""
        found = stream.next(n, worker, lease)
        return Next(
            items=[
                Asked(
                    item=one.item,
                    reason=one.reason,
                    priority=None if math.isnan(one.priority) else round(one.priority, DECIMALS),
                    suggested=one.suggested,
                )
                for one in found
            ]
        )

    @app.get("/items/{item:path}", responses={404: WRONG[404]})
    def item_of(item: str) -> Told:
        """Label, confidence and status of an item by the last fit, and what came since."""
        return Told(**_rounded(stream.item(item)))

    @app.get("/workers/{worker:path}", responses={404: WRONG[404]})
    def worker_of(worker: str) -> Told:
        """A worker's row of workers.csv by the last fit, and whether they are asked."""
        return Told(**_rounded(stream.worker(worker)))

    @app.get("/summary")
    def summary() -> Told:
        """Counts and warnings of the last fit, and how much came since."""
        return Told(**stream.summary())

    @app.get("/report", response_class=HTMLResponse)
    def report() -> HTMLResponse:
        """The page of the last fit."""
        return HTMLResponse(stream.report())

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(page.of(app.openapi()))

    app.openapi = _with_body(app)  # type: ignore[method-assign]  # as FastAPI says to change it
    return app


def _rounded(told: dict[str, Any]) -> dict[str, Any]:
    """Numbers with as many digits as in tables: the last ones hang on the machine."""
    return {name: round(one, DECIMALS) if isinstance(one, float) else one for name, one in told.items()}


def _add_judgments(app: FastAPI, stream: Stream) -> None:
    @app.post("/judgments", responses={status: WRONG[status] for status in (409, 413, 415, 422)}, openapi_extra=BODY)
    async def add_judgments(request: Request) -> Added:
        """Add judgments: a list, or an object of them. The answer comes when they are on the disk."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # what a page of another site can send without being asked for leave is not
            raise HTTPException(415, "send JSON, with Content-Type: application/json")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise HTTPException(413, f"the body has more than {MOST_BYTES:,} bytes; send several")
        changes = await run_in_threadpool(_added, stream, bytes(body))
        return Added(new=changes.new, corrected=changes.corrected, repeated=changes.repeated)


def _added(stream: Stream, body: bytes) -> Any:
    try:
        is_list = body.lstrip()[:1] == b"["
        found = LIST.validate_json(body) if is_list else Judgments.model_validate_json(body).judgments
    except ValidationError as error:
        raise RequestValidationError(
            [{**one, "loc": ("body", *one["loc"])} for one in error.errors(include_url=False, include_input=False)]
        ) from None
    return stream.add([one.model_dump(exclude_none=True) for one in found])


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    told = [{"loc": list(one["loc"]), "msg": one["msg"], "type": one["type"]} for one in error.errors()]
    return JSONResponse({"detail": told}, 422)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ConsensusError)
    return JSONResponse({"detail": str(error), "code": error.code}, STATUS.get(error.code, 500))


def _with_body(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """The OpenAPI document, with the models of a body that FastAPI does not read itself."""
    usual = app.openapi

    def openapi() -> dict[str, Any]:
        told = usual()
        schema = Judgments.model_json_schema(ref_template="#/components/schemas/{model}")
        models = told.setdefault("components", {}).setdefault("schemas", {})
        models |= schema.pop("$defs")
        models["Judgments"] = schema
        return told

    return openapi
