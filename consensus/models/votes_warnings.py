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
        "nobody judged any item: a confidence is no more than the models' agreement with each other supports, and "
        "mistakes that they share are invisible; have people judge a random sample",
    )


def of_models(
    models: ModelFindings, judgments: Judgments, gold: AlignedGold | None, settings: FitConfig
) -> list[Caution]:
    """Cautions about the models, beside ``judgments`` and ``gold``."""
    found = [] if judgments.n_judgments or gold is not None else [models_only()]
    names = np.array(models.votes.models)
    declared = np.isin(names, settings.trained_on_consensus)
    for code, circular, why in (
        ("trained_on_consensus", declared, "was trained on labels made from these judgments"),
        ("copies_majority", models.circular & ~declared, "follows the majority of people even where they were divided"),
    ):
        if circular.any():
            found.append(
                Caution(
                    code,
                    f"{_named(names[circular])} {why}: circular evidence, which counts only on items that nobody "
                    "judged",
                    {"n_models": int(circular.sum())},
                )
            )
    unknown = ~models.known & ~models.circular
    if unknown.any():
        least = int(np.ceil(MET - models.met[unknown].min()))
        found.append(
            Caution(
                "models_unverified",
                f"{_named(names[unknown])} met too few items that two people judged: what they state is not believed, "
                f"only the labels that they name count; {least:,} more such items are needed "
                "(consensus escalate --audit 0.05 draws some)",
                {"n_models": int(unknown.sum()), "items_needed": least},
            )
        )
    return [*found, *(Caution(*one[:3]) for one in models.votes.cautions)]


def _named(names: NDArray[np.str_]) -> str:
    """The names of models, shortened for a message."""
    shown = ", ".join(f'"{name}"' for name in names[:3].tolist())
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more models"
