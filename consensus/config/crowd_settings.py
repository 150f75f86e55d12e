"""Settings of simulations."""

from typing import Self

from pydantic import Field, model_validator

from consensus.config.settings_base import Settings


class CrowdConfig(Settings):
    """What a simulated crowd is like, and how much it judges."""

    n_items: int = Field(default=1000, ge=1, le=2**31 - 1, json_schema_extra={"option": "items"}, description="Items.")
    n_workers: int = Field(
        default=20, ge=1, le=10_000_000, json_schema_extra={"option": "workers"}, description="Workers."
    )
    n_labels: int = Field(default=3, ge=1, le=10_000, json_schema_extra={"option": "labels"}, description="Labels.")
    per_item: float = Field(
        default=5.0,
        ge=1,
        le=10_000_000,
        description="Mean judgments an item. Each gets the whole number below or above, at most one of each worker.",
    )
    accuracy: float = Field(
        default=0.75,
        ge=0,
        le=1,
        json_schema_extra={"metavar": "SHARE"},
        description="Mean accuracy of ordinary workers. Each has an accuracy and errors of their own.",
    )
    spammers: float = Field(
        default=0.0,
        ge=0,
        le=1,
        json_schema_extra={"metavar": "SHARE"},
        description="Share of workers who answer at random.",
    )
    adversaries: float = Field(
        default=0.0,
        ge=0,
        le=1,
        json_schema_extra={"metavar": "SHARE"},
        description="Share of workers who mostly give a wrong answer.",
    )
    biased: float = Field(
        default=0.0,
        ge=0,
        le=1,
        json_schema_extra={"metavar": "SHARE"},
        description="Share of workers who confuse two labels. They are ordinary but take one label for another one in "
        "most of its items.",
    )
    seed: int = Field(default=0, ge=0, le=2**63 - 1, description="Seed of everything drawn.")

    @model_validator(mode="after")
    def _shares_of_one_crowd(self) -> Self:
        if self.spammers + self.adversaries + self.biased > 1.0 + 1e-9:
            raise ValueError(
                f"spammers {self.spammers:g}, adversaries {self.adversaries:g} and biased {self.biased:g} are shares "
                "of one crowd; lower them to 1 together"
            )
        return self


class ModelsConfig(Settings):
    """What simulated models are like."""

    accuracy: float = Field(default=0.8, ge=0, le=1, description="Of every model.")
    shared: float = Field(
        default=0.6, ge=0, le=1, description="Share of a model's mistakes that its whole family makes."
    )
    soft: bool = Field(
        default=False,
        description="Votes are probabilities: that of the label a model finds best is right as often as it says, the "
        "rest is even.",
    )
    temperature: float = Field(
        default=1.0,
        ge=0.01,
        le=100,
        description="Logarithms of soft votes are divided by it: below 1 the models are too sure of themselves, above "
        "1 too unsure.",
    )
    families: int = Field(default=1, ge=1, description="Models are dealt out to so many families in turn.")
    share_of_items: float = Field(
        default=1.0, gt=0, le=1, description="Share of the items that the models vote on, all of them on the same."
    )
    seed: int = Field(default=0, ge=0, description="Seed of everything drawn.")
