"""Damaged exports of platforms: rows that add up, or one clear line that tells no worker's whereabouts."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from consensus.errors import ConsensusError
from consensus.formats import platforms
from tests.fuzz import damage, exports, kinds, tables

if TYPE_CHECKING:
    from pathlib import Path


SECRETS = ("203.0.113.", "198.51.100.", "2001:db8", "Waco", "Leeds", "Nagpur", "Maracay", "@example.")
"""What stands in the columns of addresses, cities and e-mails of all examples."""
COLUMNS = ("item", "worker", "label", "timestamp")
VOTES_OF_MODELS = ("llm-judges", "inspect", "promptfoo")
IN_PLACE = "in place"
"""Beside the header of a file: no damage moved a cell to another column."""


def made(seed: int, folder: Path) -> kinds.Made:
    """The damaged export of a seed, with its files in ``folder``."""
    rng = random.Random(f"platform {seed}")
    export = rng.choice(exports.EXPORTS)
    done = damage.Damage(rng)
    if export.files:
        path = folder / "job"
        for name, content in export.files.items():
            form = damage.LINES if name.endswith(".manifest") else export.form
            if rng.random() < 0.97:
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                (path / name).write_bytes(done.of(content, form) if rng.random() < 0.4 else content)
    else:
        ending = rng.choice((export.ending, export.ending, ".csv", ".json", ".jsonl", ".dat", ""))
        path = folder / f"export{ending}"
        content = done.packed(done.of(export.content, export.form))
        path.write_bytes(content)
    models = export.name in VOTES_OF_MODELS
    kind = rng.choices(("judgments", "gold", "votes"), (10, 5, 85) if models else (76, 12, 12))[0]
    found = kinds.Made(kind, path, header=(IN_PLACE,) if done.in_place else ())
    found.first_line = 0 if export.files else 1
    if kind == "judgments":
        found.then = rng.choices(("", "check", "run"), (1000, 60, 2))[0]
        found.settings = _settings(rng, export)
    elif kind == "gold" and rng.random() < 0.3:
        found.settings = {"platform": export.platform}
    return found


def _settings(rng: random.Random, export: exports.Export) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    if rng.random() < 0.2:
        settings["platform"] = rng.choice((export.platform, export.platform, "none", rng.choice(exports.NAMES)))
    if rng.random() < (0.8 if export.several else 0.2):
        settings["label"] = rng.choice((*[export.question] * 4, rng.choice(export.words)))
    if rng.random() < 0.15:
        settings[rng.choice(COLUMNS)] = rng.choice(export.words)
    if rng.random() < 0.15:
        settings["repeats"] = rng.choice(("first", "last", "keep", "error"))
    if rng.random() < 0.1:
        settings["drop"] = (rng.choice(export.words) + rng.choice(("=", "=1")),)
    if rng.random() < 0.05:
        settings["anonymous"] = rng.choice((("",), ("guest",)))
    if rng.random() < 0.05:
        settings["encoding"] = rng.choice(("utf-8", "cp1252", "utf-16"))
    return settings


def told(found: Any, table: kinds.Made) -> str | None:
    """What shows of a worker's whereabouts in notes, rejects or an error, if no damage moved it."""
    if IN_PLACE not in table.header or table.settings.keys() & {*COLUMNS, "drop"}:
        return None
    named = table.settings.get("platform", "")
    if named == platforms.NONE or not (named or platforms.recognised(platforms.head_of(table.source))):
        return None  # it was taken for a plain table
    texts = [str(found)]
    if not isinstance(found, ConsensusError):
        texts = [*found.notes, *(f"{one.reason} {one.row}" for one in getattr(found, "rejects", ()))]
    shown = [one for text in texts for one in SECRETS if one in text]
    return f"tells {shown[0]}" if shown else None


def outcome(seed: int, folder: Path) -> tuple[str, str | None]:
    """How the export of a seed ends: in a word, and what is wrong about that, or None."""
    return tables.outcome_of(lambda: made(seed, folder), folder, told)
