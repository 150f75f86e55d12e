"""What it costs to decide for a label where another one is true."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs.judgments import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from consensus.inputs.judgments import Judgments, Source

MOST_NAMED = 3  # missing pairs in a message


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of decisions, one row a pair of labels; no pair stands there twice."""

    true_label: tuple[str, ...]
    decided_label: tuple[str, ...]
    cost: tuple[float, ...]
    """0 or more, finite, in any unit."""
    place: tuple[str, ...]
    """Where each row stood, such as ``costs.csv:17``."""
    file: str = "costs"
    """What holds them all."""
    sources: tuple[Source, ...] = ()

    def align(self, judgments: Judgments) -> NDArray[np.float64]:
        """(K, K) cost[true, decided] over the labels of ``judgments``; 0 on the diagonal where it is not given.

        Raises
        ------
        JudgmentError
            A label is not in the label set, the cost of a wrong decision is missing, or a decision has two costs, as
            labels of different spelling are one in the data.
        """
        labels = judgments.labels
        position = {label: code for code, label in enumerate(labels)}
        true_label, decided_label = (
            judgments.renaming.folded(column, labels, "labels") for column in (self.true_label, self.decided_label)
        )
        for label, place in self._given(true_label, decided_label):
            if label not in position:
                raise JudgmentError(
                    f'label "{label}" is not in the label set {listed(labels)}; correct it, or name the whole '
                    "set with --labels",
                    place,
                    code="unknown_label",
                )
        found = np.full((len(labels), len(labels)), np.nan)
        np.fill_diagonal(found, 0.0)
        first: dict[tuple[str, str], int] = {}
        for row, pair in enumerate(zip(true_label, decided_label, strict=True)):
            other = first.setdefault(pair, row)
            if self.cost[row] != self.cost[other]:  # the order of rows would decide
                raise JudgmentError(
                    f'the cost of deciding "{pair[0]}" as "{pair[1]}" is {self.cost[row]:g} here and '
                    f"{self.cost[other]:g} in {self.place[other]}, where labels are spelled in another way; keep one "
                    "row",
                    self.place[row],
                )
        true, decided = ([position[label] for label in column] for column in (true_label, decided_label))
        found[true, decided] = self.cost
        missing = np.argwhere(np.isnan(found)).tolist()
        if missing:
            named = ", ".join(f'"{labels[k]}" as "{labels[d]}"' for k, d in missing[:MOST_NAMED])
            more = f" and {len(missing) - MOST_NAMED:,} more" if len(missing) > MOST_NAMED else ""
            raise JudgmentError(
                f"no cost of deciding {named}{more}; give a row for each pair of the "
                f"{len(labels):,} labels (those of a label as itself cost 0 unless given)",
                self.file,
            )
        return found

    def _given(self, true_label: Sequence[str], decided_label: Sequence[str]) -> Iterator[tuple[str, str]]:
        """All labels, row by row, each with its place."""
        for true, decided, place in zip(true_label, decided_label, self.place, strict=True):
            yield true, place
            yield decided, place
