"""What every model does first: settle the label set, and turn gold into codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consensus.errors import ConfigError, JudgmentError
from consensus.formats import read, read_gold, read_model_votes
from consensus.inputs import gold_workers
from consensus.inputs.counted import counted
from consensus.inputs.gold import Gold
from consensus.inputs.judgments import Judgments, nothing
from consensus.inputs.model_votes import ModelVotes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.config import FitConfig
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.model_votes import AlignedVotes

TOO_MANY_LABELS = 1000  # where they are also more than a quarter of the judgments: free text or measurements


def prepared(
    judgments: Any, gold: Any, config: FitConfig, model_votes: Any = None
) -> tuple[Judgments, AlignedGold | None, AlignedVotes | None]:
    """Judgments over the label set, and gold and model votes as their codes.

    These may be anything that ``read_gold`` and ``read_model_votes`` take. Beside votes there may be no judgments.
    Without ``gold`` or ``model_votes``, what was found beside the judgments counts; a majority vote takes none of the
    latter.

    Raises
    ------
    JudgmentError
        There are no judgments, or about as many labels as judgments, a label is outside the given set, or gold or
        model votes do not fit.
    """
    if judgments is None and model_votes is not None:
        judgments = nothing()
    if not isinstance(judgments, Judgments):
        judgments = read(judgments)
    if model_votes is None and config.model != "majority_vote":
        model_votes = judgments.model_votes
    if not judgments.n_judgments and model_votes is None:
        error = JudgmentError(
            f"{_files(judgments)}there are no judgments to merge: "
            f"{counted(judgments.tally.read, 'row was', 'rows were')} read, of "
            f"which {counted(judgments.tally.abstained, 'has', 'have')} no label and "
            f"{counted(judgments.tally.rejected, 'was', 'were')} rejected"
            f"{_first(judgments)}",
            code="bad_row" if judgments.rejects else None,
        )
        for first in judgments.rejects[:1]:
            error.file, error.line = first.file, first.line
        raise error
    if config.labels is None and judgments.n_labels > max(TOO_MANY_LABELS, judgments.n_judgments / 4):
        raise JudgmentError(
            f"{judgments.n_labels:,} labels in {judgments.n_judgments:,} judgments, such as "
            f'"{judgments.labels[0]}": is this the right column (--label)? If so, name the whole set with --labels'
        )
    if config.labels is not None and config.labels != judgments.labels:
        judgments = judgments.with_labels(config.labels)
    aligned = None
    if model_votes is not None:
        votes = model_votes if isinstance(model_votes, ModelVotes) else read_model_votes(model_votes)
        unknown = sorted(set(config.trained_on_consensus).difference(votes.models))
        if unknown:
            raise JudgmentError(
                f'trained_on_consensus names "{unknown[0]}", of which there is no vote; the models are: '
                f"{', '.join(votes.models)}"
            )
        judgments, aligned = votes.align(judgments, config.labels)
    if gold is None:
        gold = judgments.gold
    if gold is None:
        return judgments, None, aligned
    known = gold if isinstance(gold, Gold) else read_gold(gold, judgments=judgments)
    return judgments, known.align(judgments), aligned


def with_gold_workers(judgments: Any, gold: Any, workers: str | Sequence[str]) -> tuple[Judgments, Gold]:
    """The judgments of the others, and those of some ``workers`` as gold.

    Raises
    ------
    ConfigError
        Gold is given besides, or nobody judged.
    JudgmentError
        A worker did not judge, or nobody else did.
    """
    if gold is not None:
        raise ConfigError("gold is given twice: as a file and as workers (--gold-worker); leave out one of them")
    if judgments is None:
        raise ConfigError("there are no judgments by people, so none of them can be gold; leave out --gold-worker")
    known = judgments if isinstance(judgments, Judgments) else read(judgments)
    return gold_workers.split(known, [workers] if isinstance(workers, str) else workers)


def _files(judgments: Judgments) -> str:
    """Where they were read from, for a message."""
    files = [source.file for source in judgments.sources]
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    return f"{files[0]}{more}: " if files else ""


def _first(judgments: Judgments) -> str:
    """The first reject, for a message."""
    if not judgments.rejects:
        return ""
    first = judgments.rejects[0]
    return f" ({first.file}:{first.line}: {first.reason})"
