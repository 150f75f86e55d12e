"""What the user must know about the models before trusting a fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from consensus.found.cautions import Caution
from consensus.models.votes_contact import MET

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from consensus.config import FitConfig
    from consensus.inputs.gold import AlignedGold
    from consensus.inputs.judgments import Judgments
    from consensus.inputs.model_votes import ModelFindings


def models_only() -> Caution:
    """Say that no person judged anything."""
    return Caution(
        "models_only",
        "no person judged any item: a confidence only tells how far the models agree, and nothing shows mistakes "
        "that they share; have people judge a random sample",
    )


def of_models(
    models: ModelFindings, judgments: Judgments, gold: AlignedGold | None, settings: FitConfig
) -> list[Caution]:
    """Cautions about the models, beside ``judgments`` and ``gold``."""
    found = [] if judgments.n_judgments or gold is not None else [models_only()]
    names = np.array(models.votes.models)
    declared = np.isin(names, settings.trained_on_consensus)
    if declared.any():
        found.append(
            Caution(
                "trained_on_consensus",
                f"{_named(names[declared])} was trained on labels made from these judgments, so its votes count only "
                "on items that nobody judged",
                {"n_models": int(declared.sum())},
            )
        )
    accused = models.echoes.accused
    if accused.any():
        share = float(models.echoes.share[accused].max())
        found.append(
            Caution(
                "copies_majority",
                f"{_named(names[accused])} repeats the majority of people, even where they were divided, in up to "
                f"{share:.0%} of its votes, so a vote that agrees with them counts for next to nothing; if it never "
                "saw these judgments, pass --model-tests off",
                {"n_models": int(accused.sum())},
            )
        )
    found += [*_echoes_by_gold(models), *_of_families(models)]
    unknown = ~models.known & ~models.circular & ~models.echoes.mostly
    if unknown.any():
        least = int(np.ceil(MET - models.met[unknown].min()))
        found.append(
            Caution(
                "models_unverified",
                f"{_named(names[unknown])} voted on too few items that two people judged, so only the labels that "
                f"they name count, not their probabilities; have people judge {least:,} more such items (consensus "
                "escalate --audit-sample 0.05 draws some)",
                {"n_models": int(unknown.sum()), "items_needed": least},
            )
        )
    return [*found, *(Caution(*one[:3]) for one in models.votes.cautions)]


def _echoes_by_gold(models: ModelFindings) -> list[Caution]:
    """A caution about models that only gold shows to repeat people, where the fit does not see gold."""
    if models.by_gold is None:
        return []
    accused = models.by_gold.echoes.accused & ~models.echoes.accused
    if not accused.any():
        return []
    share = float(models.by_gold.echoes.share[accused].max())
    return [
        Caution(
            "copies_majority",
            f"gold shows that {_named(np.array(models.votes.models)[accused])} repeats the majority of people in up "
            f"to {share:.0%} of its votes, but its votes still count: labels that gold calibrates may not depend on "
            "gold; if it was trained on these judgments, say so with --trained-on-consensus",
            {"n_models": int(accused.sum())},
        )
    ]


def _of_families(models: ModelFindings) -> list[Caution]:
    """Cautions about families that share mistakes, or that nothing tests."""
    shared, names = models.shared, np.array(models.votes.models)
    by_gold = shared if models.by_gold is None else models.by_gold.shared
    only_gold = [group for group in by_gold.merged if not any(set(group) <= set(one) for one in shared.merged)]
    if not shared.merged and by_gold.untested:
        n = len(set(shared.declared))
        return [
            Caution(
                "families_untested",
                f"the models have {n:,} families that should err independently, and neither people nor gold show "
                "whether they do; have people judge a random sample, give more gold, or give all models the same "
                "family",
                {"n_families": n},
            )
        ]
    return [
        Caution(
            "families_share_mistakes",
            f"{_named(names[np.isin(names, group)])} make the same mistakes, though their families differ, so they "
            "count as one family; name one family for them in the column family, or pass --model-tests off if they "
            "err independently",
            {"n_models": len(group)},
        )
        for group in shared.merged
    ] + [
        Caution(
            "families_share_mistakes",
            f"gold shows that {_named(names[np.isin(names, group)])} make the same mistakes, though their families "
            "differ, but they still count apart: labels that gold calibrates may not depend on gold; name one family "
            "for them in the column family",
            {"n_models": len(group)},
        )
        for group in only_gold
    ]


def _named(names: NDArray[np.str_]) -> str:
    """The names of models, shortened for a message."""
    shown = ", ".join(f'"{name}"' for name in names[:3].tolist())
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more models"
