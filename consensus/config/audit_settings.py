"""Settings of verdicts on workers, and of those who judge too much alike."""

from typing import Literal

from pydantic import Field

from consensus.config.settings_base import ESCALATION, LABELS, Settings

Collusion = Literal["auto", "report", "merge", "off"]


class AuditConfig(Settings):
    """When a worker gets which verdict.

    Examples
    --------
    >>> config = consensus.AuditConfig(min_worker_judgments=5)
    >>> table = consensus.audit(consensus.fit(judgments), config)
    """

    min_worker_judgments: int = Field(
        default=20,
        ge=5,
        le=1_000_000_000,
        json_schema_extra=LABELS,
        description="Judgments a worker needs for a verdict. With fewer it is too_few.",
    )
    condemned: float = Field(
        default=0.8,
        ge=0.5,
        lt=1,
        json_schema_extra=LABELS,
        description=(
            "A worker is called spammer or adversarial if the probability of answers at random, or against "
            "the truth, is above this."
        ),
    )
    condemned_of_two: float = Field(
        default=0.95,
        ge=0.5,
        lt=1,
        json_schema_extra=LABELS,
        description="The same with two labels, where a weak worker looks much like one who guesses.",
    )
    sure: float = Field(
        default=0.9,
        ge=0.5,
        lt=1,
        json_schema_extra=LABELS,
        description=(
            "Probability that each of these needs: expert, biased, careless, no spammer, and above chance "
            "and half of the median worker. A worker below the last two is weak."
        ),
    )
    apart: float = Field(
        default=2.5,
        gt=1,
        le=1_000_000,
        json_schema_extra=LABELS,
        description=(
            "A worker is expert (or careless) if their odds of being right are so many times higher (or "
            "lower) than those of the median worker."
        ),
    )
    swapped: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        json_schema_extra=LABELS,
        description="A worker is biased if they take one label for another in more than this share.",
    )
    swapped_at_least: float = Field(
        default=4.0,
        gt=0,
        le=1_000_000_000,
        json_schema_extra=LABELS,
        description="Such a mistake counts if at least so many of their judgments are expected to show it.",
    )
    retest: int = Field(
        default=0,
        ge=0,
        le=1_000_000_000,
        json_schema_extra=ESCALATION,
        description=(
            "Items to list for each worker whose verdict is open. At most so many, for those whose verdict more"
            " judgments may change."
        ),
    )


class CollusionConfig(Settings):
    """What is done about workers who judge too much alike."""

    collusion: Collusion | None = Field(
        default=None,
        json_schema_extra=LABELS | {"metavar": "WHAT"},
        description=(
            "Workers who judge too much alike: auto, report, merge or off. What to do with those who seem to "
            "copy. report: name them. merge: count each group as one worker. auto: merge the groups that are "
            "certain and report the others. off: do not look. Default: auto, up to two million judgments; with "
            "more it takes a third of the time of a fit."
        ),
    )
