"""Short names in place of the ids of workers: the same id always has the same one."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from consensus.found.result import BETWEEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pyarrow as pa

    Facts = dict[str, Any]

FILE = "pseudonyms"
NAMING = ("anonymous", "drop", "gold_worker", "wide_columns")  # settings that may name workers
NOT_SHOWN = "not shown"
SHORTEST = 5  # letters and figures
QUOTED = re.compile('"([^"]*)"')


def pseudonyms(ids: Iterable[str]) -> dict[str, str]:
    """A name such as ``p-k3x9q`` for each id: a hash of it, longer only for those who would have the same.

    They hide ids from who reads over a shoulder, not from who can guess an id and hash it.
    """
    every = sorted(set(ids))
    hashes = {one: base64.b32encode(hashlib.blake2b(one.encode(), digest_size=20).digest()).decode() for one in every}
    names: dict[str, str] = {}
    n, left = SHORTEST, every
    while left:
        alike = Counter(hashes[one][:n] for one in left)
        names |= {one: f"p-{hashes[one][:n].lower()}" for one in left if alike[hashes[one][:n]] == 1}
        n, left = n + 1, [one for one in left if one not in names]
    return names


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
    """The summary of a run without what may name workers: columns and files can be called like them, too."""
    given, made = told["settings"], told["provenance"]
    settings = {key: NOT_SHOWN if value and key in NAMING else value for key, value in given.items()}
    if given.get("worker_from_file"):
        made = made | {"judgments": [one | {"file": NOT_SHOWN} for one in made["judgments"]]}
    understood = told.get("understood")
    if understood is not None:
        understood = understood | {"unused": []}
    escalation = told["escalation"] | {"unknown_named": []}
    return told | {"settings": settings, "provenance": made, "understood": understood, "escalation": escalation}


def of_questions(told: Facts) -> Facts:
    """The summary of several questions, with the names for the ids."""
    names = pseudonyms(one["worker"] for one in told["workers"])
    return told | {"workers": [one | {"worker": names[one["worker"]]} for one in told["workers"]]}


def _each(joined: str | None, of: Callable[[str], str]) -> str | None:
    return None if joined is None else BETWEEN.join(of(one) for one in joined.split(BETWEEN))
