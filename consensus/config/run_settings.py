"""Settings of a run and its parts. The same class serves Python, the command line and TOML files."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import ByteSize, Field, field_validator, model_validator

from consensus.config.audit_settings import AuditConfig, CollusionConfig
from consensus.config.read_settings import GoldConfig, ReadConfig, VotesConfig
from consensus.config.settings_base import ACCEPTANCE, ESCALATION, LABELS, MODEL, PERFORMANCE, RARE, Settings

Model = Literal["average", "dawid_skene", "majority_vote"]
Prior = Literal["learnt", "fixed", "none"]
Ties = Literal["first", "abstain"]
Calibrating = Literal["gold", "none"]
ModelTests = Literal["auto", "off"]
Promise = Literal["item", "set"]
MOST_RHO = 100.0


class FitConfig(Settings):
    """How a consensus is fitted. Every field has a default that needs no thought.

    Examples
    --------
    >>> config = consensus.FitConfig(model="dawid_skene", seed=1)
    >>> consensus.fit(judgments, config).model
    'dawid_skene'
    """

    prior: Prior = Field(
        default="learnt",
        json_schema_extra=MODEL,
        description=(
            "What is assumed of a worker at the start. learnt from all workers together; fixed: 4 on the "
            "diagonal of the confusion matrix, 1 off it; or none: classic maximum likelihood."
        ),
    )
    rho: float | Literal["measured"] | None = Field(
        default=None,
        json_schema_extra=MODEL,
        description=(
            "Correlation of the judgments on one item, or measured. A number from 0 to 100. It lowers "
            "confidences: 0 leaves them as they are; measured takes the mean of five splits of held-out "
            "judgments. Default: measured with model votes, else .4, or .3 with the average of readings and "
            "four judgments an item or more."
        ),
    )
    calibration: Calibrating | None = Field(
        default=None,
        json_schema_extra=MODEL,
        description=(
            "What confidences are calibrated on. gold, if 25 gold items or more were judged, or none: then the "
            "fit takes gold as known labels. Default: gold, unless rho is given."
        ),
    )
    max_iterations: int = Field(
        default=500, ge=1, le=1_000_000, json_schema_extra=MODEL | RARE, description="EM passes at most."
    )
    tolerance: float = Field(
        default=1e-7,
        gt=0,
        le=1_000_000,
        json_schema_extra=MODEL | RARE,
        description="Gain at which EM stops. It is that of the log likelihood, for each judgment.",
    )
    labels: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        json_schema_extra=LABELS | {"csv": True, "metavar": "LABEL,LABEL"},
        description=(
            "The label set in its order, such as no,maybe,yes. As an option it is one line of CSV. Default: the"
            " labels that occur, sorted."
        ),
    )
    ties: Ties = Field(
        default="first",
        json_schema_extra=MODEL | RARE,
        description=(
            "What the label of a tie is. Where the two best labels of an item are equally probable: the first "
            "in label order, or none (abstain)."
        ),
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        json_schema_extra=PERFORMANCE,
        description="Threads to use. They never change a result. Default: one for each usable core.",
    )
    memory: ByteSize | None = Field(
        default=None,
        gt=0,
        json_schema_extra=PERFORMANCE | {"metavar": "SIZE"},
        description=(
            "Memory that may be used, such as 4GB. In bytes, or with a unit; a larger need is refused before "
            "the work begins. Default: all that the machine has."
        ),
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**63 - 1,
        json_schema_extra=MODEL,
        description="Random seed. Of held-out judgments, samples for intervals and items to replay.",
    )

    trained_on_consensus: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=MODEL | RARE | {"metavar": "MODEL"},
        description=(
            "Models that were trained on labels made from these judgments. Their votes count only on items that"
            " nobody judged, and only as the label they name."
        ),
    )
    model_tests: ModelTests = Field(
        default="auto",
        json_schema_extra=MODEL | RARE,
        description=(
            "Whether models are compared with people first. auto finds models that repeat the majority of "
            "people, and families that share mistakes; off trusts the models and families as given."
        ),
    )
    model: Model | None = Field(
        default=None,
        json_schema_extra=MODEL | {"metavar": "NAME"},
        description=(
            "How labels are found: average, dawid_skene or majority_vote. average: three readings (models of how "
            "workers err), dawid_skene and two in which workers err together, each weighted by how well it predicts "
            "judgments. dawid_skene: learns how far to believe each worker. majority_vote: counts everybody "
            "alike and takes no model votes. Default: average up to a million judgments; dawid_skene for more, "
            "with model votes, with --prior none, or if many labels make the average slow."
        ),
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

    @field_validator("labels", mode="before")
    @classmethod
    def _labels_as_in_tables(cls, labels: Any) -> Any:
        if isinstance(labels, (set, frozenset)):
            raise ValueError("a set has no order; give a list")
        listed = labels.tolist() if hasattr(labels, "tolist") else labels
        return tuple(map(_label, listed)) if isinstance(listed, (list, tuple)) else listed

    @field_validator("labels")
    @classmethod
    def _labels_differ(cls, labels: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if labels is not None and len(set(labels)) < len(labels):
            raise ValueError("the same label stands there twice")
        return labels


class EscalateConfig(Settings):
    """When an item is settled, and when it goes to an expert.

    Examples
    --------
    >>> config = consensus.EscalateConfig(target=0.99)
    >>> table = consensus.escalate(consensus.fit(judgments), config)
    """

    target: float = Field(
        default=0.95,
        gt=0,
        lt=1,
        json_schema_extra=ACCEPTANCE | {"metavar": "SHARE"},
        description="Confidence at which an item is accepted.",
    )
    min_judgments: int = Field(
        default=2,
        ge=1,
        le=1_000_000,
        json_schema_extra=ACCEPTANCE,
        description="Judgments an item needs to be accepted.",
    )
    max_judgments: int = Field(
        default=7,
        ge=1,
        le=1_000_000,
        json_schema_extra=ESCALATION,
        description="Judgments after which an unsettled item goes to an expert.",
    )
    budget: float | None = Field(
        default=None,
        ge=1e-9,
        le=1e12,
        allow_inf_nan=False,
        json_schema_extra=ESCALATION,
        description=(
            "Judgments, or money, that may be spent now. Money if a price is known (--price-per-judgment, or "
            "prices of --workers). The list takes the items where it saves most, some with several judgments."
        ),
    )
    price_per_judgment: float | None = Field(
        default=None,
        ge=1e-9,
        le=1e9,
        allow_inf_nan=False,
        json_schema_extra=ESCALATION,
        description="Money paid for every judgment. Whatever a column of prices says.",
    )
    expert_below: float = Field(
        default=0.5,
        ge=0,
        le=1,
        json_schema_extra=ESCALATION | RARE | {"metavar": "SHARE"},
        description=(
            "Chance to be settled below which an item goes to an expert. Of unsettled items with five judgments"
            " or more: the probability that they are settled with --max-judgments."
        ),
    )
    margin: float = Field(
        default=0.02,
        ge=0,
        lt=1,
        json_schema_extra=ACCEPTANCE | RARE | {"metavar": "SHARE"},
        description=(
            "How far below the target an accepted item may fall. It is about items that --previous accepted: "
            "whose confidence falls further is opened again."
        ),
    )
    promise: Promise = Field(
        default="item",
        json_schema_extra=ACCEPTANCE,
        description=(
            "What holds at the target: each item, or the set. item: every item whose confidence reaches the "
            "target is accepted. set: the largest set of the surest items of which at most 1 - target are "
            "wrong, as gold certifies with 95 % confidence. It needs gold drawn at random (plan-gold)."
        ),
    )
    random_gold: bool = Field(
        default=False,
        json_schema_extra=ACCEPTANCE,
        description="Gold was drawn at random from all items. Even if it does not look so.",
    )
    skill: str | None = Field(
        default=None,
        json_schema_extra=ESCALATION,
        description="Suggest only workers with this skill. Of those in --workers.",
    )

    ask_anyone: bool = Field(
        default=False,
        json_schema_extra=ESCALATION | RARE,
        description=(
            "Suggest also workers whom the audit warns of. Those who are called spammer, adversarial or "
            "gold_aware, or who became clearly worse than the median worker."
        ),
    )
    audit_sample: float = Field(
        default=0.0,
        ge=0,
        le=1,
        json_schema_extra=ESCALATION | {"metavar": "SHARE"},
        description=(
            "Share of the items to ask for at random, as a check. It checks the confidences: two judgments by "
            "people for items that models voted on; without models, one more judgment for accepted items. 5 % "
            "(0.05) is a good value."
        ),
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

    votes: tuple[Annotated[int, Field(ge=1, le=1_000_000)], ...] = Field(
        default=(2, 3, 5), description="Numbers of judgments an item."
    )
    targets: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = Field(
        default=(0.9, 0.95, 0.99), description="Confidences, each from two judgments an item to max_judgments."
    )
    without: dict[str, tuple[str, ...]] | None = Field(
        default=None, description="Groups of workers by name, each of them left out once."
    )
    price_per_judgment: float | None = Field(
        default=None,
        ge=1e-9,
        le=1e9,
        allow_inf_nan=False,
        description="Price of a judgment, in any unit. Default: the column of prices of the judgments.",
    )
    most_items: int = Field(default=5_000, ge=1, description="Items that are replayed at most, drawn at random.")
    seed: int = Field(
        default=0, ge=0, le=2**63 - 1, description="Seed of that draw, and of the order of the judgments."
    )

    def of_fit(self) -> FitConfig:
        """How each way is fitted, with the seed of every other fit."""
        given = self.model_fields_set & FitConfig.model_fields.keys() - {"seed"}
        return FitConfig.of(None, **{name: getattr(self, name) for name in given})


class RunConfig(FitConfig, EscalateConfig, AuditConfig, ReadConfig, VotesConfig, GoldConfig, CollusionConfig):
    """All settings of ``consensus run``; what a settings file may hold.

    Examples
    --------
    >>> consensus.RunConfig(target=0.9).target
    0.9
    """

    costs: Path | None = Field(
        default=None,
        json_schema_extra=ACCEPTANCE,
        description="File of what wrong decisions cost (true, decided, cost).",
    )
    workers: Path | None = Field(
        default=None,
        json_schema_extra=ESCALATION,
        description=(
            "File of who can be asked (worker, available, price, skills). Only the worker must be there. "
            "Default: all who judged."
        ),
    )
    previous: Path | None = Field(
        default=None,
        json_schema_extra=ACCEPTANCE | {"metavar": "FOLDER"},
        description=(
            "Output folder of an earlier run, or its labels.csv. Accepted items stay accepted unless they are "
            "unsure now."
        ),
    )

    def part(self, kind: type[Settings]) -> dict[str, Any]:
        """The settings that ``kind`` knows."""
        return {name: getattr(self, name) for name in kind.model_fields}


def _label(given: Any) -> Any:
    """A number or truth value as the label that it is in a table: 1, 1.0 and "1" are one, and True is "true"."""
    if isinstance(given, bool):
        return str(given).lower()
    if isinstance(given, float) and given.is_integer():
        return str(int(given))
    return str(given) if isinstance(given, (int, float)) else given
