"""What a service takes and answers: pydantic models, by which requests are checked and the OpenAPI page is made."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

from consensus.state.records import LONGEST

MOST_JUDGMENTS = 10_000
MOST_BYTES = 16 << 20
"""Of the body of a request."""
MOST_ASKED = 1_000
LONGEST_LEASE = 30 * 86_400.0

Text = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST, pattern=r"\S")]


class Judgment(BaseModel):
    """One judgment."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    item: Text = Field(description="Id of the item.")
    worker: Text = Field(description="Id of the worker.")
    label: Text = Field(description="What they said.")
    timestamp: datetime | None = Field(default=None, description="When; UTC where no zone is given.")
    duration: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="Seconds that it took.")
    judgment_id: Text | None = Field(
        default=None, description="Its id where it comes from; the same id twice is one judgment."
    )


class Judgments(BaseModel):
    """Several judgments: all of them are taken, or none."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    judgments: list[Judgment] = Field(max_length=MOST_JUDGMENTS)


LIST = TypeAdapter(Annotated[list[Judgment], Field(max_length=MOST_JUDGMENTS)])


class Added(BaseModel):
    """They are on the disk."""

    new: int = Field(description="Of an item by a worker who had not judged it.")
    corrected: int = Field(description="By a worker who had given the item another label.")
    repeated: int = Field(description="That were there: the same item, worker and label, or the same judgment_id.")


class Asked(BaseModel):
    """An item to ask about."""

    item: str
    reason: str = Field(description="Why, as in escalations.csv.")
    priority: float | None = Field(description="Errors that a judgment saves, as in escalations.csv.")
    suggested: bool = Field(description="The plan names this worker for it.")


class Next(BaseModel):
    """What to ask, most urgent first; empty where nothing is needed."""

    items: list[Asked]


class Told(BaseModel):
    """What is known of an item, a worker, or in all; its fields are those of the tables."""

    model_config = ConfigDict(extra="allow")


class Wrong(BaseModel):
    """What is wrong with a request."""

    detail: str | list[dict[str, Any]] = Field(description="In words; or each wrong field, with where it stands.")
