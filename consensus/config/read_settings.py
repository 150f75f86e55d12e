"""Settings by which judgments, model votes and gold are read."""

import codecs
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from consensus.config.naming_settings import NamingConfig
from consensus.config.settings_base import COLUMNS, INPUT, LABELS, RARE, Settings

Repeats = Literal["last", "first", "keep", "error"]
Foldable = Literal["labels", "workers", "items"]
DriftBy = Literal["auto", "time", "rows"]
TIME_FORMATS = ("month-first", "day-first", "year-first", "excel", "epoch")
Wide = Literal["workers", "questions", "counts"]
ScoreScale = Literal["1", "10", "100", "logit", "log"]

OF_LABELS = (
    *("item", "label", "confidence", "margin", "entropy", "runner_up", "n_judgments", "n_model_votes"),
    *("majority_label", "source", "status", "certified", "decision", "expected_cost", "weight", "cluster"),
)
"""Columns that the table of labels has of its own (``runs.columns.LABELS``)."""


class ReadConfig(NamingConfig):
    """How tables of judgments are read.

    Examples
    --------
    >>> consensus.read("judgments.csv", consensus.ReadConfig(repeats="first"))
    Judgments(36 judgments of 12 items by 3 workers, 2 labels)
    """

    item: str | None = Field(
        default=None, json_schema_extra=COLUMNS, description="Column of the item, if its name does not tell."
    )
    worker: str | None = Field(
        default=None, json_schema_extra=COLUMNS, description="Column of the worker, if its name does not tell."
    )
    label: str | None = Field(
        default=None, json_schema_extra=COLUMNS, description="Column of the label, if its name does not tell."
    )
    timestamp: str | None = Field(
        default=None, json_schema_extra=COLUMNS, description="Column of the time of the judgment."
    )
    time_format: str | None = Field(
        default=None,
        json_schema_extra=COLUMNS | RARE | {"metavar": "FORMAT"},
        description=(
            "How times are written. month-first, day-first or year-first (3/9/2024, 9/3/2024, 24/3/9), excel "
            "(days since 1900), epoch (seconds since 1970), or a pattern of strptime, such as '%d.%m.%Y %H:%M'."
            " Default: what the column tells."
        ),
    )
    duration: str | None = Field(
        default=None, json_schema_extra=COLUMNS, description="Column of the seconds that the judgment took."
    )
    price_column: str | None = Field(
        default=None, json_schema_extra=COLUMNS, description="Column of the money paid for the judgment."
    )
    group: str | None = Field(
        default=None,
        json_schema_extra=COLUMNS,
        description="Column of the batch, topic or HIT of the judgment. It is read only when it is named.",
    )
    weight: str | None = Field(
        default=None,
        json_schema_extra=COLUMNS,
        description=(
            "Column of how many items the item counts as. A number above 0: how often a text was repeated, the pixels"
            " of a part of a picture, revenue. It is read only when it is named."
        ),
    )
    cluster: str | None = Field(
        default=None,
        json_schema_extra=COLUMNS,
        description=(
            "Column of the picture, document or dialogue of the item. Items of one err together, and count as fewer. "
            "It is read only when it is named."
        ),
    )
    repeats: Repeats = Field(
        default="last",
        json_schema_extra=LABELS,
        description=(
            "Which of a worker's judgments of one item counts. The last, the first, or all of them (keep); "
            "error refuses them."
        ),
    )
    drift_by: DriftBy = Field(
        default="auto",
        json_schema_extra=LABELS | RARE,
        description=(
            "What shows who changed. The time of judgments (time), or, without times, the order of the rows (rows). "
            "auto takes the rows only if they are not sorted by item, worker or label. That rows stand in the order of "
            "the judgments is a guess, and the output says so."
        ),
    )
    abstain: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=LABELS | {"metavar": "LABEL"},
        description="Labels that mean 'no answer', such as NA.",
    )
    anonymous: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=LABELS,
        description=(
            "Name that stands for many people, such as guest. Each of its judgments counts as that of another "
            "person, and none of them is audited. Default: names such as not-logged-in that judged an item "
            "several times, unless --repeats is given."
        ),
    )
    keep: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=COLUMNS,
        description="Column to copy to the labels, such as a text. Each item gets its first value.",
    )
    drop: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=INPUT | {"metavar": "COLUMN=VALUE"},
        description="Rows to leave out, such as Status=Rejected.",
    )
    worker_from_file: bool = Field(
        default=False,
        json_schema_extra=COLUMNS | RARE,
        description=(
            "The worker is the name of the file. Without its ending: for tables of which each person has one."
        ),
    )
    fold: tuple[Foldable, ...] = Field(
        default=(),
        json_schema_extra=LABELS | {"csv": True, "metavar": "WHAT"},
        description=(
            "What gets one spelling: labels, workers, items, or several. Several stand with commas between, "
            "such as labels,workers. Spellings count as one if they differ only by case, spaces, Unicode form, "
            "a trailing dot or the form of a number; labels also by quotes, an underscore for a space or the "
            "order of a list."
        ),
    )
    label_map: Path | None = Field(
        default=None,
        json_schema_extra=LABELS,
        description=(
            "File of what labels become (from, to). Also those of gold and of models. Several may become the "
            "same one; an empty 'to' means no answer."
        ),
    )
    platform: str | None = Field(
        default=None,
        json_schema_extra=INPUT,
        description=(
            "Platform that exported the files, or none. Such as crowdflower; none reads them as plain tables. "
            "Default: what their content shows."
        ),
    )
    sheet: str | None = Field(
        default=None,
        json_schema_extra=INPUT | RARE,
        description="Sheet of a spreadsheet of judgments. Default: the first one that holds a table.",
    )
    by: str | None = Field(
        default=None,
        json_schema_extra=COLUMNS,
        description=(
            "Column of the question, if a table holds several. run handles each in a folder of its own. For a "
            "platform's export, 'question' means all its questions."
        ),
    )
    only: str | None = Field(
        default=None,
        json_schema_extra=COLUMNS | {"metavar": "QUESTION"},
        description=(
            "The one question that is read, of several. Those of --by, of --wide questions, or of a platform's export."
        ),
    )
    wide: Wide | None = Field(
        default=None,
        json_schema_extra=COLUMNS | RARE,
        description=(
            "What columns hold beside the item. The judgments of workers, each of one worker; the answers of a "
            "worker to questions, each to one question; or counts of those who gave a label, each of one label."
        ),
    )
    wide_columns: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=COLUMNS | RARE | {"option": "columns", "csv": True, "metavar": "NAME,NAME"},
        description="The columns that --wide takes, as one line of CSV. Default: those that look like it.",
    )
    questions: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=COLUMNS | {"csv": True, "metavar": "NAME,NAME"},
        description="Columns that hold questions. As one line of CSV: short for --wide questions --columns.",
    )
    counts: str | None = Field(
        default=None,
        json_schema_extra=COLUMNS | RARE,
        description=("Column of how many people gave the label of the row. Each counts as a person of their own."),
    )

    @property
    def shape(self) -> Wide | None:
        """What columns hold, where a table is wide."""
        return "questions" if self.questions else self.wide

    @property
    def question(self) -> tuple[str | None, str] | None:
        """The column of questions, if there is one, and the question that is read; None where there is but one."""
        return None if self.only is None else (self.by, self.only)

    @property
    def is_alone(self) -> bool:
        """Whether a question is named, but not where questions stand: it is one of an export."""
        return self.only is not None and self.by is None and self.shape != "questions"

    @property
    def are_several(self) -> bool:
        """Whether several questions are asked for, each of which is read by itself."""
        return self.only is None and (self.by is not None or self.shape == "questions")

    encoding: str | None = Field(
        default=None,
        json_schema_extra=INPUT | RARE,
        description=(
            "Encoding of files that are not UTF-8, such as cp1252. It is about the files of judgments and gold."
            " UTF-16 and UTF-32 with a byte order mark need none."
        ),
    )
    delimiter: str | None = Field(
        default=None,
        json_schema_extra=INPUT | RARE | {"metavar": "CHARACTER"},
        description=(
            "What stands between the fields of judgments. One character, or tab. Default: the comma, tab, "
            "semicolon or bar that the first lines show."
        ),
    )
    no_header: bool = Field(
        default=False,
        json_schema_extra=INPUT | RARE,
        description='The judgments have no header. Their columns are called "column 1", "column 2" and so on.',
    )

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, encoding: str | None) -> str | None:
        try:
            known = encoding is None or codecs.lookup(encoding)._is_text_encoding
        except LookupError:
            known = False
        if not known or encoding in {"idna", "punycode", "undefined"}:
            raise ValueError("there is no such encoding; known are those of Python, such as cp1252, latin-1, utf-16-le")
        return encoding

    @field_validator("delimiter")
    @classmethod
    def _delimiter_is_one_character(cls, delimiter: str | None) -> str | None:
        delimiter = "\t" if delimiter in {"tab", "\\t"} else delimiter
        if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n\0'):
            raise ValueError("it should be one ASCII character that is no quote and no line break, or tab")
        return delimiter

    @field_validator("abstain")
    @classmethod
    def _abstain_is_text(cls, abstain: tuple[str, ...]) -> tuple[str, ...]:
        for label in abstain:
            label.encode()  # a UnicodeEncodeError is a ValueError
        return abstain

    @field_validator("time_format")
    @classmethod
    def _time_format_is_known(cls, form: str | None) -> str | None:
        if form is None or form in TIME_FORMATS:
            return form
        if "%" not in form:
            raise ValueError(f"should be {', '.join(TIME_FORMATS)}, or a pattern such as '%d.%m.%Y %H:%M'")
        try:
            datetime.strptime(datetime(2024, 3, 9, tzinfo=UTC).strftime(form), form)
        except ValueError:
            raise ValueError("should be a pattern of strptime, such as '%d.%m.%Y %H:%M'") from None
        if not any(year in form for year in ("%Y", "%y", "%G")):
            raise ValueError("the pattern has no year (%Y or %y)")
        return form

    @field_validator("keep")
    @classmethod
    def _keep_names_new_columns(cls, keep: tuple[str, ...]) -> tuple[str, ...]:
        for name in keep:
            if name in OF_LABELS:
                raise ValueError(
                    f'the table of labels has a column "{name}" of its own; give that of the input another name'
                )
            if not name:
                raise ValueError("the name of a column is empty")
            name.encode()  # a UnicodeEncodeError is a ValueError
        return tuple(dict.fromkeys(keep))

    @field_validator("drop")
    @classmethod
    def _drop_names_column_and_value(cls, drop: tuple[str, ...]) -> tuple[str, ...]:
        for one in drop:
            if not one.partition("=")[0] or "=" not in one:
                raise ValueError("each should be a column and a value with = between, such as status=rejected")
        return drop

    @model_validator(mode="after")
    def _one_source_of_workers(self) -> Self:
        if self.worker_from_file and self.worker is not None:
            raise ValueError(f'the worker can\'t be both the name of the file and the column "{self.worker}"')
        return self

    @model_validator(mode="after")
    def _one_shape(self) -> Self:
        if self.questions and (self.wide not in {None, "questions"} or self.wide_columns):
            raise ValueError("--questions says what --wide questions --columns would; leave out --wide and --columns")
        if self.wide_columns and self.wide is None:
            raise ValueError("--columns are those of --wide; say what they hold with --wide")
        if self.counts is not None and self.shape is not None:
            raise ValueError("counts and wide can't be given together; columns of counts are --wide counts")
        if self.by is not None and self.shape == "questions":
            raise ValueError("by names a column of questions, and wide columns that are questions; leave out one")
        return self

    @model_validator(mode="after")
    def _columns_that_are_left(self) -> Self:
        by = "by" if self.by not in {None, "question"} else ""  # of exports, that names the questions they ask
        shape = "counts" if self.counts is not None else f"wide {self.shape}" if self.shape else by
        if self.by in self.keep:
            raise ValueError(f"by tells questions by {self.by}, which all items of one share; leave it out of keep")
        if shape and self.platform not in {None, "none"}:
            raise ValueError(f"{shape} is about plain tables; leave out --platform {self.platform}")
        gone = {"wide workers": ("worker", "label"), "wide counts": ("worker", "label"), "counts": ("worker",)}
        gone["wide questions"] = ("label",)
        for name in gone.get(shape, ()):
            if getattr(self, name) is not None:
                raise ValueError(f"{shape} leaves no column of the {name}; leave out --{name}")
        if self.worker_from_file and "worker" in gone.get(shape, ()):
            raise ValueError(f"{shape} says who judged; leave out --worker-from-file")
        return self


class VotesConfig(Settings):
    """How tables of model votes are read."""

    score_scale: ScoreScale | None = Field(
        default=None,
        json_schema_extra=COLUMNS | RARE | {"metavar": "SCALE"},
        description=(
            "What the scores of models are: 1, 10, 100, logit or log. 1: probabilities; 10: from 0 to 10; 100: "
            "percent; logit: logits of several labels, or the log odds of one; log: log-probabilities. Default:"
            " probabilities; counts and percent of several labels are divided by their sum."
        ),
    )
    vote_item: str | None = Field(
        default=None,
        json_schema_extra=COLUMNS | RARE,
        description=(
            "Column of the item in model votes. In JSON lines, as for all columns, dots go into objects: "
            "output.verdict."
        ),
    )
    vote_model: str | None = Field(
        default=None, json_schema_extra=COLUMNS | RARE, description="Column of the model in model votes."
    )
    vote_label: str | None = Field(
        default=None, json_schema_extra=COLUMNS | RARE, description="Column of the label in model votes."
    )
    vote_score: str | None = Field(
        default=None, json_schema_extra=COLUMNS | RARE, description="Column of the score of the label in model votes."
    )

    @property
    def named(self) -> dict[str, str | None]:
        """Column by role."""
        return {
            "item": self.vote_item,
            "model": self.vote_model,
            "label": self.vote_label,
            "probability": self.vote_score,
        }


class GoldConfig(Settings):
    """Where gold stands."""

    gold_item: str | None = Field(
        default=None, json_schema_extra=COLUMNS | RARE, description="Column of the item in gold."
    )
    gold_label: str | None = Field(
        default=None,
        json_schema_extra=COLUMNS,
        description="Column of the label in gold. If the file of the judgments holds gold, name it with --gold, too.",
    )
    gold_worker: tuple[str, ...] = Field(
        default=(),
        json_schema_extra=LABELS,
        description="Worker whose judgments are gold, and no judgments.",
    )
