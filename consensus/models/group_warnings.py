"""Warnings about items that have priors of their own: by what their workers see, or by the groups that were named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.found.cautions import Caution
from consensus.inputs.counted import counted

if TYPE_CHECKING:
    from consensus.inputs.judgments import Judgments
    from consensus.models.problem import Problem


def different_labels(judgments: Judgments, concentration: float) -> Caution:
    """Say that items have priors of their own, and how far from each other they are."""
    if judgments.group is None:
        said = (
            "workers see different labels, as in batches or topics, so the prior of an item is the mix of labels that "
            f"its workers see ({concentration:.1f} judgments weigh as much as the overall shares); name the column of "
            "the batch, topic or HIT with --group"
        )
    else:
        n_without = int((judgments.group < 0).sum())
        without = (
            (
                "; "
                + counted(n_without, "judgment has no group and counts", "judgments have no group and count")
                + " by the overall shares"
            )
            if n_without
            else ""
        )
        said = (
            f"the prior of an item is the mix of labels in its group, as --group asks ({concentration:.1f} items weigh "
            f"as much as the overall shares){without}"
        )
    return Caution("different_labels", said, {"concentration": concentration})


def groups_unused(problem: Problem) -> Caution:
    """Say why groups that were named change nothing."""
    if problem.votes is not None:
        why = "beside model votes items have no prior by group; leave out one of the two"
    elif problem.prior == "none":
        why = "with --prior none items have no prior by group; leave out one of the two"
    else:
        why = "all groups hold the same mix of labels; see whether it names the right column"
    return groups_change_nothing(why)


def groups_change_nothing(why: str) -> Caution:
    """Say that groups were named in vain."""
    return Caution("groups_unused", f"--group changes nothing here: {why}")
