"""Votes of models that exports of platforms hold beside their judgments, to ``ModelVotes``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.formats.votes_table import NoVotesError, rows_of_votes, voted

if TYPE_CHECKING:
    from consensus.backends import Threads
    from consensus.formats.tables.blocks import Reading
    from consensus.inputs.model_votes import ModelVotes


class VotesBeside:
    """Gathers what models say in the exports of platforms, beside judgments.

    ``abstain`` are labels that mean "no answer".
    """

    def __init__(self, abstain: tuple[str, ...], backend: Threads) -> None:
        self._abstain, self._backend = abstain, backend
        self._rows = rows_of_votes(abstain, None, backend, None)
        self._files: list[str] = []
        self._ends: list[int] = []

    def add(self, reading: Reading) -> None:
        """Read the votes of an export to their end; the file is one of judgments, and no source of its own."""
        self._rows.add(replace(reading, digest=None))
        self._files.append(reading.file)
        self._ends.append(self._rows.n_rows)

    def found(self) -> ModelVotes | None:
        """All votes; None where no model names a label."""
        try:
            return voted(self._rows, self._files, np.array(self._ends), self._abstain, None, self._backend, None)
        except NoVotesError:
            return None
