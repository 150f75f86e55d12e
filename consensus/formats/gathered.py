"""What one source after the other gives, gathered until all of it can become ``Judgments`` and ``Gold``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from consensus.formats.tables.amounts import Amounts
from consensus.formats.tables.clock import Clock
from consensus.formats.tables.coded_rows import Rows
from consensus.formats.tables.times import Times
from consensus.formats.tables.understanding import Understanding
from consensus.formats.tables.weights import Weights
from consensus.inputs.gold import Gold
from consensus.inputs.understood import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consensus.backends import Threads
    from consensus.config import ReadConfig
    from consensus.formats.tables.blocks import Reading
    from consensus.formats.tables.coded_rows import Beside, Progress
    from consensus.formats.tables.roles import Roles
    from consensus.formats.votes_beside import VotesBeside
    from consensus.inputs.judgments import Source
    from consensus.inputs.model_votes import ModelVotes


class GoldRows:
    """Rows of gold, of all sources."""

    def __init__(self, backend: Threads) -> None:
        self.rows = Rows(("item", "label"), ("item",), backend, None)

    def add(self, reading: Reading) -> None:
        """Read the gold of a source to its end."""
        self.rows.add(reading)

    def found(self, sources: Sequence[Source], has_synonyms: bool) -> Gold:
        """The pairs of item and label, each once, where it stood first."""
        (item_code, items), (label_code, labels) = self.rows.ranked()
        found: dict[tuple[str, str], str] = {}
        for row in np.flatnonzero(label_code >= 0).tolist():
            pair = items[item_code[row]].as_py(), labels[label_code[row]].as_py()
            found.setdefault(pair, self.rows.place(row))
        return Gold(
            item=tuple(item for item, _ in found),
            label=tuple(label for _, label in found),
            place=tuple(found.values()),
            sources=tuple(sources),
            has_synonyms=has_synonyms,
        )


class Gathered:
    """What all sources give: rows as codes, gold, votes of models, and what is to be said of them.

    Parameters
    ----------
    settings, roles
        How sources are read, and the columns that are looked for.
    coded
        Roles besides item, worker and label that become codes.
    backend, progress
        As in ``Rows``.
    """

    def __init__(
        self, settings: ReadConfig, roles: Roles, coded: Sequence[str], backend: Threads, progress: Progress | None
    ) -> None:
        self.clock = Clock()
        self.rows = Rows(
            ("item", "worker", "label", *coded),
            ("item", "worker"),
            backend,
            progress,
            beside=_beside(settings, roles, self.clock),
        )
        self.understanding = Understanding(roles)
        self.files: list[str] = []
        self.label_orders: list[tuple[str, ...] | None] = []
        """The order of the labels that each source declares."""
        self.anonymous: dict[str, None] = {}
        """Workers of exports who stand for many people."""
        self.of_platforms = False
        """Some source is the export of a platform."""
        self.notes: list[str] = []
        self._gold = GoldRows(backend)
        self._votes: VotesBeside | None = None
        self._abstain, self._backend = settings.abstain, backend

    def add(self, reading: Reading) -> None:
        """Read a source to its end."""
        self.understanding.add(reading)
        self.rows.add(reading)
        self.files.append(reading.file)
        self.label_orders.append(reading.label_order)
        self.of_platforms |= bool(reading.platform)
        self.anonymous |= dict.fromkeys(reading.anonymous)
        if reading.gold is not None:
            self._gold.add(reading.gold)
        if reading.votes is not None:
            self._add_votes(reading.votes)
        said = [*reading.form_notes(), *filter(None, [reading.note()])]
        self.notes += map(one_line, said)  # which may hold names of a file's own

    @property
    def n_read(self) -> int:
        """Rows of all sources, also those that are rejected."""
        return self.rows.n_rows + len(self.rows.rejects)

    def said(self, settings: ReadConfig) -> list[str]:
        """What was understood of the sources; nothing where files or columns name workers, who have pseudonyms."""
        hides = settings.pseudonyms is not None and (settings.worker_from_file or settings.wide == "workers")
        return [] if hides else self.notes

    def gold(self) -> Gold | None:
        """Gold beside the judgments; None where there is none."""
        return self._gold.found((), True) if self._gold.rows.n_rows else None

    def votes(self) -> ModelVotes | None:
        """Votes of models beside the judgments; None where there are none."""
        return None if self._votes is None else self._votes.found()

    def _add_votes(self, reading: Reading) -> None:
        from consensus.formats.votes_beside import VotesBeside  # which reads files by ``readings``

        if self._votes is None:
            self._votes = VotesBeside(self._abstain, self._backend)
        self._votes.add(reading)


def _beside(settings: ReadConfig, roles: Roles, clock: Clock) -> dict[str, Callable[[Reading], Beside]]:
    """What gathers the columns that stand beside the codes, by role."""
    signs: dict[str, str] = {}
    return {
        "timestamp": partial(Times, clock=clock, named=settings.timestamp is not None, form=settings.time_format),
        "duration": partial(Amounts, guessed=roles.is_guessed("duration")),
        "price": partial(Amounts, guessed=roles.is_guessed("price"), signs=signs, clock=clock),
        **({} if settings.weight is None else {"weight": Weights}),
    }
