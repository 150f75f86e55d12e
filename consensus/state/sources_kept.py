"""What came, on disk: each source as a recording (``formats.recorded``), gold and retractions as JSON."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from consensus.config import ReadConfig
from consensus.errors import Place
from consensus.formats import export_questions, given, questions, recorded, soft_labels, sources
from consensus.formats.judgment_roles import roles_of
from consensus.formats.tables.by_column import BY, ByRoles, as_text
from consensus.formats.tables.wide import Shape
from consensus.formats.vote_columns import VoteRoles
from consensus.formats.votes_table import readings_of_votes
from consensus.inputs.gold import Gold
from consensus.inputs.judgments import Source
from consensus.state.manifest import Kept

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from consensus.config import RunConfig
    from consensus.formats.tables.blocks import Block, Reading

JUDGMENT = "judgment_id"
"""The column of the id of a judgment: one that came before is the same judgment, and no other."""


def keep_judgments(
    source: Any, config: RunConfig, place: Callable[[], Path], known: Callable[[], Any]
) -> Iterator[Kept]:
    """Record each file of a ``source`` of judgments at a new ``place``.

    ``known`` gives, when it is first needed, the ids of all judgments that came before (Arrow, sorted or not).

    Raises
    ------
    ConsensusError
        A file can't be read.
    """
    with sources.opened(source) as found:
        one = source if found is None else found
        settings = ReadConfig.of(None, **{name: getattr(config, name) for name in given_of(config)})
        settings = export_questions.settled(one, settings)
        shape = Shape(settings)
        roles = shape.roles(roles_of(settings))
        has_ids = settings.by is None and shape.is_plain
        roles = ByRoles.beside(roles, JUDGMENT, optional=True) if has_ids else roles
        notes = found.notes if found is not None else ()
        with closing(questions.opened(one, roles, settings)) as each:
            for reading in each:
                path, again = place(), _Again(known)
                own = again.of(reading) if has_ids and reading.columns.get(BY) == JUDGMENT else reading
                digest, n_rows = recorded.record(own, path, every=not shape.is_plain)
                yield Kept(reading.file, digest, path.name, n_rows, tuple(notes), n_again=again.n)
                notes = ()


def given_of(config: RunConfig) -> list[str]:
    """The settings of reading that were given."""
    return [name for name in ReadConfig.model_fields if name in config.model_fields_set]


class _Again:
    """Leaves out rows whose judgment came before, and counts them; the column of ids stays, under a role of its own."""

    def __init__(self, known: Callable[[], Any]) -> None:
        self._known = known
        self.n = 0

    def of(self, reading: Reading) -> Reading:
        """The reading with the new rows."""
        columns = {role: name for role, name in reading.columns.items() if role != BY}

        def blocks() -> Generator[Block]:
            with closing(reading.blocks) as inner:
                for block in inner:
                    named = {recorded.ID if role == BY else role: cells for role, cells in block.columns.items()}
                    yield replace(block, columns=named)

        return recorded.without(replace(reading, columns=columns, blocks=blocks()), self._out)

    def _out(self, columns: Any) -> Any:
        import pyarrow.compute as pc

        ids = as_text(columns[recorded.ID])
        out = pc.and_(pc.is_in(ids, self._known()), pc.is_valid(ids)).to_numpy(zero_copy_only=False)
        self.n += int(np.count_nonzero(out))
        return np.asarray(out, np.bool_)


def keep_votes(source: Any, config: RunConfig, place: Callable[[], Path]) -> Iterator[Kept]:
    """Record each file of a ``source`` of model votes at a new ``place``."""
    table = given.table(source, given.MODEL_VOTES)
    with closing(readings_of_votes(table, VoteRoles.of(config), config.question)) as each:
        for reading in each:
            path = place()
            digest, n_rows = recorded.record(reading, path, every=True)
            yield Kept(reading.file, digest, path.name, n_rows, models=models_of(path))


def models_of(path: Path) -> tuple[str, ...]:
    """The models that vote in a recording."""
    reading = recorded.replayed(path)
    named = reading if reading.platform else soft_labels.named(reading)[0]
    found: dict[str, None] = {}
    for block in named.blocks:
        found |= dict.fromkeys(one for one in as_text(block.columns["model"]).unique().to_pylist() if one is not None)
    return tuple(sorted(found))


def gold_as_json(gold: Gold) -> bytes:
    """Gold as it is written."""
    told = {
        "item": gold.item,
        "label": gold.label,
        "place": [[one.file, one.line, str(one)] if isinstance(one, Place) else str(one) for one in gold.place],
        "sources": [asdict(one) for one in gold.sources],
        "has_synonyms": gold.has_synonyms,
        "notes": gold.notes,
    }
    return (json.dumps(told, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def gold_of(content: bytes) -> Gold:
    """Gold as it was written."""
    told = json.loads(content.decode("utf-8", "surrogatepass"))
    return Gold(
        item=tuple(told["item"]),
        label=tuple(told["label"]),
        place=tuple(one if isinstance(one, str) else Place.restored(*one) for one in told["place"]),
        sources=tuple(Source(**one) for one in told["sources"]),
        has_synonyms=told["has_synonyms"],
        notes=tuple(told["notes"]),
    )


def together(older: Gold, newer: Gold) -> Gold:
    """Gold of two sources: of an item that both name, the newer one counts."""
    new = set(newer.item)
    left = [n for n, item in enumerate(older.item) if item not in new]
    return Gold(
        item=(*(older.item[n] for n in left), *newer.item),
        label=(*(older.label[n] for n in left), *newer.label),
        place=(*(older.place[n] for n in left), *newer.place),
        sources=(*older.sources, *newer.sources),
        has_synonyms=older.has_synonyms and newer.has_synonyms,
        notes=(*older.notes, *newer.notes),
    )
