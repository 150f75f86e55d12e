"""Settings of pictures in chunks."""

from typing import TYPE_CHECKING

from pydantic import Field

from consensus.config.settings_base import ACCEPTANCE, ESCALATION, LABELS, MODEL, PERFORMANCE, RARE, Settings

if TYPE_CHECKING:
    from pydantic.config import JsonDict

SHARE: "JsonDict" = {"metavar": "SHARE"}


class ChunksConfig(Settings):
    """How masks are merged, and which chunks are listed. Every field has a default that needs no thought."""

    target: float = Field(
        default=0.95,
        gt=0,
        lt=1,
        json_schema_extra=ACCEPTANCE | {"metavar": "IOU"},
        description="Expected foreground IoU from which a picture is settled, and confidence from which a chunk is.",
    )
    clicks: int = Field(
        default=40,
        ge=0,
        le=1_000_000_000,
        json_schema_extra=ESCALATION,
        description=(
            "Clicks for each picture at most, those of the audit among them. Where they can't bring it to the target, "
            "it is to be repainted."
        ),
    )
    least_area: int = Field(
        default=8,
        ge=1,
        le=1_000_000_000,
        json_schema_extra=ESCALATION | {"metavar": "PIXELS"},
        description="Pixels of the smallest chunk that is listed. Smaller ones are shown with their neighbour.",
    )
    two_clicks_above: float = Field(
        default=0.005,
        gt=0,
        le=1,
        json_schema_extra=ESCALATION | RARE | SHARE,
        description="Share of the picture above which a chunk needs two clicks. One click alone changes nothing there.",
    )
    cut_above: float = Field(
        default=0.02,
        gt=0,
        le=1,
        json_schema_extra=ESCALATION | RARE | SHARE,
        description="Share of the picture above which a disputed chunk is cut, where there is a cut of the picture.",
    )
    audit_sample: float = Field(
        default=0.01,
        ge=0,
        le=1,
        json_schema_extra=ESCALATION | SHARE,
        description="Share of the chunks without dispute that are asked for nevertheless, drawn at random.",
    )
    rho: float = Field(
        default=0.2,
        ge=0,
        le=100,
        json_schema_extra=MODEL,
        description="Correlation of the masks of one picture. It lowers confidences: 0 leaves them as they are.",
    )
    background: str | None = Field(
        default=None,
        json_schema_extra=LABELS | {"metavar": "LABEL"},
        description=(
            "The class that has no parts of its own. Default: the class of value 0, else the one that is called "
            "background."
        ),
    )
    seed: int = Field(
        default=0,
        ge=0,
        le=2**63 - 1,
        json_schema_extra=MODEL,
        description="Random seed. Of the chunks that are drawn for the audit.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        json_schema_extra=PERFORMANCE,
        description="Threads to use. They never change a result. Default: one for each usable core.",
    )
