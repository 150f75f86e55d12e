"""``consensus.fit``: a fit, whose warnings Python is given as well."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from consensus import models
from consensus.errors import ConsensusWarning
from consensus.formats import given

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consensus.backends import Backend
    from consensus.config import FitConfig
    from consensus.found.cautions import Caution
    from consensus.found.result import Consensus
    from consensus.models.base import Progress


def fit(
    judgments: Any,
    config: FitConfig | None = None,
    *,
    model_votes: Any = None,
    gold: Any = None,
    gold_worker: str | Sequence[str] = (),
    backend: Backend | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Consensus:
    """Merge judgments into labels with confidence, and estimate every worker's confusion matrix.

    What to know before trusting it is in ``warnings`` of the result, and given once as a ``ConsensusWarning`` each.

    Parameters
    ----------
    judgments
        From ``consensus.read``, or anything that it reads.
    config
        Settings; the defaults suit all data. ``model`` is by default the average of readings where it can be had, in up
        to a million judgments, else ``dawid_skene``.
    model_votes
        What models say about the items, from ``read_model_votes`` or anything that it reads. Then ``judgments`` may be
        None. Without any, what models say in the export of a platform counts (``Judgments.model_votes``).
    gold
        Items whose label is known, from ``read_gold`` or anything that it reads. They keep that label, and audit the
        confidence of the others; from 25 that were judged on these are calibrated on them (``models.beside_gold``).
    gold_worker
        A worker, or several, whose judgments are gold, and no judgments; in place of ``gold``.
    backend
        Where shards are worked on; threads of this process by default.
    progress
        Called after every EM pass.
    **settings
        Fields of ``FitConfig``, such as ``prior="none"``.

    Raises
    ------
    ConfigError
        A setting is unknown or out of range, the model takes no model votes, or gold is given twice.
    FormatError
        Something can't be read.
    JudgmentError
        There are no judgments, a label is outside the given set, or the gold does not fit; or a gold worker did not
        judge.

    Examples
    --------
    >>> result = consensus.fit(judgments, gold={"img7": "cat"}, model="dawid_skene")
    >>> result.labels[["item", "label"]].head(2)
       item label
    0  img0   cat
    1  img1   dog
    """
    result = models.fit(
        given.readable(judgments, given.JUDGMENTS, none=model_votes is not None or bool(gold_worker)),
        config,
        model_votes=given.readable(model_votes, given.MODEL_VOTES),
        gold=given.readable(gold, given.GOLD),
        gold_worker=gold_worker,
        backend=backend,
        progress=progress,
        **settings,
    )
    warn(result.warnings)
    return result


def warn(cautions: Iterable[Caution]) -> None:
    """Give each of some cautions as a warning at the line that called the caller of this."""
    for one in cautions:
        warnings.warn(str(one), ConsensusWarning, stacklevel=3)
