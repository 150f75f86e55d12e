"""Settings of a run and its parts. The same class serves Python, the command line and TOML files."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ByteSize, Field, field_validator, model_validator

from consensus.config.read_settings import GoldConfig, ReadConfig, VotesConfig
from consensus.config.settings_base import ASKING, COMPUTING, MODEL, READING, SETTLING, WORKERS, Settings

Model = Literal["average", "dawid_skene", "majority_vote"]
Prior = Literal["learnt", "fixed", "none"]
Ties = Literal["first", "abstain"]
Calibrating = Literal["gold", "none"]
ModelTests = Literal["auto", "off"]
Collusion = Literal["auto", "report", "merge", "off"]
Promise = Literal["item", "set"]
MOST_RHO = 100.0


class FitConfig(Settings):
    """How a consensus is fitted. Every field has a default that needs no thought."""

    prior: Prior = Field(
        default="learnt",
        json_schema_extra=MODEL,
        description="What is believed of workers before they are seen: learnt from all of them together, fixed (4 on "
        "the diagonal of a confusion, 1 off it) or none (classic maximum likelihood).",
    )
    rho: float | Literal["measured"] | None = Field(
        default=None,
        json_schema_extra=MODEL,
        description="Correlation of judgments on one item, from 0 to 100, by which confidences are tempered: 0 does "
        "not temper, measured is the mean of five splits of held-out judgments. Default: beside model votes it "
        "is measured; else it is .4, and .3 with the average of readings where items have four judgments or more in "
        "the mean.",
    )
    calibration: Calibrating | None = Field(
        default=None,
        json_schema_extra=MODEL,
        description="What confidences are calibrated on besides: gold, where 25 gold items or more were judged, or "
        "none: then gold is clamped in the fit. Default: gold, unless rho is named.",
    )
    max_iterations: int = Field(default=500, ge=1, json_schema_extra=MODEL, description="EM passes at most.")
    tolerance: float = Field(
        default=1e-7,
        gt=0,
        json_schema_extra=MODEL,
        description="EM stops when the log likelihood gains less than this a judgment.",
    )
    labels: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        json_schema_extra=READING | {"csv": True},
        description="The label set in its order; as an option one line of CSV, such as 'no,maybe,yes'. Default: the "
        "labels that occur, sorted.",
    )
    ties: Ties = Field(
        default="first",
        json_schema_extra=MODEL,
        description="Label of an item whose best two labels are equally probable: the first of them in label order, "
        "or none (abstain).",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        json_schema_extra=COMPUTING,
        description="Threads to use; they never change a result. Default: one for each usable core.",
    )
    memory: ByteSize | None = Field(
        default=None,
        gt=0,
        json_schema_extra=COMPUTING,
        description="Memory that may be used, in bytes or such as 4GB; a larger need is refused before the work "
        "begins. Default: all that the machine has.",
    )
    seed: int = Field(
        default=0,
        ge=0,
        json_schema_extra=MODEL,
        description="Seed of all that is drawn: held-out judgments, samples for an interval, items to replay.",
    )

    trained_on_consensus: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=MODEL,
        description="Models that were trained on labels made from these judgments: circular evidence. Their votes "
        "count only on items that nobody judged, and only as the label they name.",
    )
    model_tests: ModelTests = Field(
        default="auto",
        json_schema_extra=MODEL,
        description="Whether models are held against people before they are believed: auto finds those that repeat "
        "the majority of people, and families that share mistakes; off believes what is declared.",
    )
    model: Model | None = Field(
        default=None,
        json_schema_extra=MODEL,
        description="How labels are found: average takes three readings of the judgments, dawid_skene and two in which "
        "workers err together, each weighted by how well it predicts judgments; dawid_skene alone learns how far to "
        "believe each worker; majority_vote counts everybody alike and takes no model votes. Default: average in up to "
        "a million judgments; dawid_skene in more, beside model votes, without prior, and where many labels make the "
        "average long.",
    )

    @field_validator("rho", mode="before")
    @classmethod
    def _number_or_measured(cls, rho: object) -> object:
        if rho is None or rho == "measured":
            return rho
        try:
            number = float(rho)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = -1.0
        if not 0 <= number <= MOST_RHO:
            raise ValueError("it should be a number from 0 to 100, or measured")
        return number

    @field_validator("labels")
    @classmethod
    def _labels_differ(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if labels is not None and len(set(labels)) < len(labels):
            raise ValueError("the same label stands there twice")
        return labels


class EscalateConfig(Settings):
    """When an item is settled, and when it goes to an expert."""

    target: float = Field(
        default=0.95, gt=0, lt=1, json_schema_extra=SETTLING, description="Confidence at which an item is accepted."
    )
    min_judgments: int = Field(
        default=2, ge=1, json_schema_extra=SETTLING, description="Judgments an item needs before it may be accepted."
    )
    max_judgments: int = Field(
        default=7,
        ge=1,
        json_schema_extra=SETTLING,
        description="Unsettled items with this many judgments go to an expert.",
    )
    budget: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        json_schema_extra=ASKING,
        description="What may be spent now, in judgments, or in money where a price is known (--price, or prices of "
        "--workers): listed are the items where it saves most, some with several judgments at once.",
    )
    price: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        json_schema_extra=ASKING,
        description="Money paid for every judgment, whatever a column of prices says.",
    )
    expert_below: float = Field(
        default=0.5,
        ge=0,
        le=1,
        json_schema_extra=SETTLING,
        description="Unsettled items with five judgments or more go to an expert if the probability that they are "
        "settled with max_judgments is below this.",
    )
    margin: float = Field(
        default=0.02,
        ge=0,
        lt=1,
        json_schema_extra=SETTLING,
        description="Items that an earlier run accepted (--previous) are opened again only when their confidence is "
        "so far below the target.",
    )
    promise: Promise = Field(
        default="item",
        json_schema_extra=SETTLING,
        description="What is accepted: item, every item whose confidence reaches the target; or set, the largest set "
        "of the surest items of which gold certifies, with 95 % confidence, that at most 1 - target are wrong. It "
        "needs gold that was drawn at random (plan-gold).",
    )
    random_gold: bool = Field(
        default=False,
        json_schema_extra=SETTLING,
        description="Gold was drawn at random from all items, also where it does not look so.",
    )
    skill: str | None = Field(
        default=None,
        json_schema_extra=ASKING,
        description="Only workers with this skill, of those in --workers, are suggested.",
    )

    ask_anyone: bool = Field(
        default=False,
        json_schema_extra=ASKING,
        description="Suggest also workers who are called spammer or adversarial, or who changed over time and are "
        "clearly less often right than the median worker since.",
    )
    audit: float = Field(
        default=0.0,
        ge=0,
        le=1,
        json_schema_extra=ASKING,
        description="Share of the items, drawn at random, that are asked for although nothing calls for it, so that "
        "confidences can be checked: of those that models voted on, two judgments by people; without models, of the "
        "accepted ones, one judgment more. 5 % are a good reserve.",
    )

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        if self.min_judgments > self.max_judgments:
            raise ValueError(
                f"min_judgments {self.min_judgments} is above max_judgments {self.max_judgments}; lower min_judgments "
                "(--min-judgments), too, or raise max_judgments"
            )
        return self


class BudgetConfig(FitConfig):
    """Which ways to ask ``plan_budget`` replays, and how they are fitted."""

    votes: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(2, 3, 5), description="Numbers of judgments an item."
    )
    targets: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        default=(0.9, 0.95, 0.99), description="Confidences, each from two judgments an item to max_judgments."
    )
    without: dict[str, tuple[str, ...]] | None = Field(
        default=None, description="Groups of workers by name, each of them left out once."
    )
    price: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="Of a judgment, in any unit. Default: what the judgments have beside them.",
    )
    most_items: int = Field(default=5_000, ge=1, description="Items that are replayed at most, drawn at random.")
    seed: int = Field(default=0, ge=0, description="Seed of that draw, and of the order of the judgments.")

    def of_fit(self) -> FitConfig:
        """How each way is fitted, with the seed of every other fit."""
        given = self.model_fields_set & FitConfig.model_fields.keys() - {"seed"}
        return FitConfig.of(None, **{name: getattr(self, name) for name in given})


class AuditConfig(Settings):
    """When a worker gets which verdict."""

    least_judgments: int = Field(
        default=20,
        ge=5,
        json_schema_extra=WORKERS,
        description="Judgments of a worker below which there is no verdict but too_few.",
    )
    condemned: float = Field(
        default=0.8,
        ge=0.5,
        lt=1,
        json_schema_extra=WORKERS,
        description="Probability of answers at random or against the truth above which a worker is called spammer or "
        "adversarial.",
    )
    condemned_of_two: float = Field(
        default=0.95,
        ge=0.5,
        lt=1,
        json_schema_extra=WORKERS,
        description="The same where there are two labels: whoever is weak there looks much like who guesses.",
    )
    sure: float = Field(
        default=0.9,
        ge=0.5,
        lt=1,
        json_schema_extra=WORKERS,
        description="Probability that expert, biased and careless need, being no spammer, and being above chance and "
        "half of the median worker: who is not is weak.",
    )
    apart: float = Field(
        default=2.5,
        gt=1,
        json_schema_extra=WORKERS,
        description="Expert or careless is who has so many times higher or lower odds of being right than the median "
        "worker.",
    )
    swapped: float = Field(
        default=0.2,
        gt=0,
        lt=1,
        json_schema_extra=WORKERS,
        description="Biased is who takes a label for another one in more than this share.",
    )
    swapped_at_least: float = Field(
        default=4.0,
        gt=0,
        json_schema_extra=WORKERS,
        description="Expected judgments of such a mistake that are needed to speak of it.",
    )
    retest: int = Field(
        default=0,
        ge=0,
        json_schema_extra=ASKING,
        description="Items to be listed among the escalations, at most, for each worker whose verdict more judgments "
        "may change.",
    )


class CollusionConfig(Settings):
    """What is done about workers who judge too much alike."""

    collusion: Collusion | None = Field(
        default=None,
        json_schema_extra=WORKERS,
        description="Workers who judge too much alike, as if they copied: report them, merge each group of them into "
        "one worker, auto: merge the groups that are sure beyond doubt and report the others, or off: do not look. "
        "Default: auto, in up to two million judgments; in more it takes a third of a fit.",
    )


class RunConfig(FitConfig, EscalateConfig, AuditConfig, ReadConfig, VotesConfig, GoldConfig, CollusionConfig):
    """All settings of ``consensus run``; what a settings file may hold."""

    costs: Path | None = Field(
        default=None,
        json_schema_extra=SETTLING,
        description="File of what deciding for a label costs where another one is true (true, decided, cost).",
    )
    workers: Path | None = Field(
        default=None,
        json_schema_extra=ASKING,
        description="File of the workers who can be asked (worker; available, price, skills). Default: all who judged.",
    )
    previous: Path | None = Field(
        default=None,
        json_schema_extra=SETTLING,
        description="Output folder of an earlier run, or its labels.csv: what was accepted stays so unless it is "
        "unsure now.",
    )

    def part(self, kind: type[Settings]) -> dict[str, Any]:
        """The settings that ``kind`` knows."""
        return {name: getattr(self, name) for name in kind.model_fields}
