"""Workers whose judgments are gold: an expert among those who judged."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from consensus.errors import JudgmentError
from consensus.inputs.counted import counted
from consensus.inputs.gold import Gold
from consensus.inputs.judgments import listed
from consensus.inputs.understood import one_line
from consensus.inputs.vocabulary import positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consensus.inputs.judgments import Judgments


def split(judgments: Judgments, workers: Sequence[str]) -> tuple[Judgments, Gold]:
    """The judgments of the others, and those of some ``workers`` as gold; an item may get several accepted labels.

    Raises
    ------
    JudgmentError
        A worker did not judge, or nobody else did.
    """
    import pyarrow as pa

    workers = judgments.renaming.workers(workers, judgments.worker_ids)
    code = positions(list(workers), judgments.worker_ids)
    for name, one in zip(workers, code.tolist(), strict=True):
        if one < 0 or not judgments.per_worker[one]:
            known = judgments.worker_ids.slice(0, 8).to_pylist()
            raise JudgmentError(
                f'worker "{name}", whose judgments shall be gold, gave none; the workers are {listed(known)}'
                f"{', ...' if judgments.n_workers > len(known) else ''}; correct --gold-worker"
            )
    is_gold = np.zeros(judgments.n_workers, np.bool_)
    is_gold[code] = True
    of_gold = is_gold[judgments.worker]
    if of_gold.all():
        raise JudgmentError("all judgments are by workers whose judgments shall be gold; name fewer with --gold-worker")
    pairs: dict[tuple[int, int], int] = {}
    for i, k, w in zip(
        *(one[of_gold].tolist() for one in (judgments.item, judgments.label, judgments.worker)), strict=True
    ):
        pairs.setdefault((i, k), w)
    names = judgments.worker_ids
    gold = Gold(
        item=tuple(judgments.item_ids[i].as_py() for i, _ in pairs),
        label=tuple(judgments.labels[k] for _, k in pairs),
        place=tuple(f'worker "{names[w].as_py()}"' for w in pairs.values()),
    )
    others = judgments.subset(~of_gold)
    n_gold, kept = int(of_gold.sum()), np.flatnonzero(~is_gold)
    whose = one_line(listed(list(workers)))
    taken = counted(n_gold, f"judgment of {whose} is taken", f"judgments of {whose} are taken")
    said = f"{taken} as gold, and not as judgments"
    return (
        replace(
            others,
            worker=(np.cumsum(~is_gold, dtype=np.int32) - np.int32(1))[others.worker],
            worker_ids=names.take(pa.array(kept)),
            tally=replace(judgments.tally, used=judgments.tally.used - n_gold, as_gold=n_gold),
            notes=(*judgments.notes, said),
        ),
        gold,
    )
