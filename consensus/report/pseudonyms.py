"""Short names in place of the ids of workers: the same id always has the same one."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

from consensus.found.result import BETWEEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

    Facts = dict[str, Any]

FILE = "pseudonyms"
NAMING = ("anonymous", "drop")  # settings that may name workers
SHORTEST = 5  # letters and figures
QUOTED = re.compile('"([^"]*)"')


def pseudonyms(ids: Iterable[str]) -> dict[str, str]:
    """A name such as ``p-k3x9q`` for each id: a hash of it, longer where two would have the same.

    They hide ids from who reads over a shoulder, not from who can guess an id and hash it.
    """
    every = sorted(set(ids))
    hashes = {one: base64.b32encode(hashlib.blake2b(one.encode(), digest_size=20).digest()).decode() for one in every}
    n = SHORTEST
    while len({of[:n] for of in hashes.values()}) < len(every):
        n += 1
    return {one: f"p-{of[:n].lower()}" for one, of in hashes.items()}


def columns(ids: pa.StringArray) -> dict[str, pa.Array]:
    """Who is who: worker, pseudonym."""
    import pyarrow as pa

    names = pseudonyms(ids.to_pylist())
    return {"worker": ids, "pseudonym": pa.array([names[one] for one in ids.to_pylist()], pa.string())}


def hidden(shown: Facts, names: dict[str, str]) -> Facts:
    """What the page shows, with the names for the ids. Reasons that may name other workers are left out."""

    def of(one: Any) -> Any:
        return names.get(one, one)

    def rows(table: list[Facts], *keys: str) -> list[Facts]:
        return [{**row, **{key: of(row[key]) for key in keys}} for row in table]

    def anonymised(text: str | None) -> str | None:
        return None if text is not None and any(one in names for one in QUOTED.findall(text)) else text

    people = [row | {"reason": anonymised(row["reason"])} for row in rows(shown["workers"], "worker")]
    decisions = [
        one
        | {
            "rows": [
                row | {"id": of(row["id"]) if row["kind"] == "worker" else row["id"], "note": anonymised(row["note"])}
                for row in one["rows"]
            ]
        }
        for one in shown["decisions"]
    ]
    warnings = [one | {"message": one["general"]} for one in shown["warnings"]]
    items = [{**one, "votes": [[of(who), *rest] for who, *rest in one["votes"]]} for one in shown["items"]]
    top = [one | {"suggested_workers": _each(one["suggested_workers"], of)} for one in shown["top"]]
    return {
        **shown,
        "workers": people,
        "confusions": {of(one): cells for one, cells in shown["confusions"].items()},
        "evidence": {of(one): table for one, table in shown["evidence"].items()},
        "drift": rows(shown["drift"], "worker"),
        "drift_lines": rows(shown["drift_lines"], "worker"),
        "copying": rows(shown["copying"], "worker_a", "worker_b"),
        "decisions": decisions,
        "warnings": warnings,
        "items": items,
        "top": top,
    }


def nameless(told: Facts) -> Facts:
    """The summary of a run without what may name workers."""
    settings = {key: "not shown" if value and key in NAMING else value for key, value in told["settings"].items()}
    return told | {"settings": settings, "escalation": told["escalation"] | {"unknown_named": []}}


def _each(joined: str | None, of: Callable[[str], str]) -> str | None:
    return None if joined is None else BETWEEN.join(of(one) for one in joined.split(BETWEEN))
