"""Options that are no settings: the files that commands read, and where their tables go."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from consensus.report.page_options import PageOptions

INPUT, COLUMNS, LABELS, ACCEPTANCE = "Input", "Columns", "Labels and workers", "Acceptance"
ESCALATION, MODEL, OUTPUT, PERFORMANCE = "Escalation", "Model", "Output", "Performance"
GROUPS = (INPUT, COLUMNS, LABELS, ACCEPTANCE, ESCALATION, MODEL, OUTPUT, PERFORMANCE)
"""Headings of the help: those of ``consensus.config.GROUPS``, which loads too much for a help text."""
RARE = ("raw_cells", "timings", "item_url")
"""Options, other than settings, that few need: ``--help`` only names them."""
RENAMED = {"out": "output"}
"""Options, other than settings, that had another name up to 0.4."""
NEEDLESS = {
    "--spreadsheet-safe": "--spreadsheet-safe is what is done anyway: leave it out; --raw-cells leaves formulas as "
    "they are"
}
"""Options that are understood for one version, and change nothing; what a note says of each."""
STDOUT = Path("-")
"""Names standard output where a file is to be written."""
FILES = (
    "Files of judgments; - is standard input. They are .csv, .tsv (also .gz, .zst), .jsonl, .parquet; folders or .zip "
    "of these."
)

Judgments = Annotated[
    list[Path],
    typer.Argument(help=FILES, show_default=False, metavar="JUDGMENTS", rich_help_panel=INPUT),
]
SomeJudgments = Annotated[
    list[Path] | None,
    typer.Argument(
        help=f"{FILES} With --model-votes there may be none.",
        show_default=False,
        metavar="JUDGMENTS",
        rich_help_panel=INPUT,
    ),
]
KeptState = Annotated[
    Path | None,
    typer.Option(
        "--state",
        help="Also keep a state, a new folder. consensus update adds new judgments to it without starting over.",
        metavar="FOLDER",
        rich_help_panel=OUTPUT,
    ),
]
OfState = Annotated[
    Path | None,
    typer.Option(
        "--state",
        help="Take the last fit of a state (run --state, update). Nothing is read or fitted again.",
        metavar="STATE",
        show_default=False,
        rich_help_panel=INPUT,
    ),
]
Gold = Annotated[
    Path | None,
    typer.Option(help="File of items with known labels (item, label).", metavar="FILE", rich_help_panel=INPUT),
]
ModelVotes = Annotated[
    list[Path] | None,
    typer.Option(
        "--model-votes",
        help="File of what models say (item, model, label, probability). The probability may be missing; instead of "
        "label and probability there may be a column of probabilities a label; none leaves out the votes of an export.",
        metavar="FILE",
        rich_help_panel=INPUT,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(help="TOML file of settings. Options on the command line win.", metavar="FILE", rich_help_panel=INPUT),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write instead of stdout, which is -. Its ending is .csv, .tsv, .jsonl or .parquet.",
        metavar="FILE",
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[
    bool,
    typer.Option(
        "--json",
        help="Print JSON, and errors as JSON on stderr. A table is one object a line. An error is the last line of "
        "stderr: an object of code, message, file and line.",
        rich_help_panel=OUTPUT,
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help=("Print nothing but tables and errors."), rich_help_panel=OUTPUT)
]
RawCells = Annotated[
    bool,
    typer.Option(
        "--raw-cells",
        help="Leave text that spreadsheets take for formulas as it is. Else ' stands before it in CSV.",
        rich_help_panel=OUTPUT,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an older output.", rich_help_panel=OUTPUT)]


def _codes(given: str | None) -> str | None:
    """Refuse codes that no warning has."""
    if given is None:
        return None
    import difflib

    from consensus.found.cautions import CODES

    for code in given.split(","):
        if code.strip() not in {*CODES, ANY}:
            near = difflib.get_close_matches(code.strip(), [*CODES, ANY], 3)
            like = f"; like it are {', '.join(near)}" if near else f"; give {ANY}, or codes that warnings begin with"
            raise typer.BadParameter(f'no warning has the code "{code.strip()}"{like}')
    return given


ANY = "any"
"""All warnings, for ``--fail-on``."""
FailOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on",
        help="Exit with 4 if one of these warnings arises, or any. Codes with commas between, such as "
        "small_data,copying. All output is written before.",
        metavar="CODE,CODE",
        callback=_codes,
        rich_help_panel=OUTPUT,
    ),
]


@dataclass(frozen=True)
class Given:
    """The files that a command reads."""

    judgments: SomeJudgments = None
    model_votes: ModelVotes = None
    gold: Gold = None
    config: Config = None

    def paths(self) -> list[Path]:
        """All of them, to see that none is written over."""
        ones = (path for path in (self.gold, self.config) if path is not None)
        return [*(self.judgments or ()), *(self.model_votes or ()), *ones]


@dataclass(frozen=True)
class Printed:
    """Where a table goes, and how."""

    output: Output = None
    json: Json = False
    quiet: Quiet = False
    raw_cells: RawCells = False

    @property
    def file(self) -> Path | None:
        """The file to write; None for stdout."""
        return None if self.output == STDOUT else self.output


@dataclass(frozen=True)
class Warned(Printed):
    """The same where there are warnings."""

    fail_on: FailOn = None


@dataclass(frozen=True)
class Paged:
    """How the page is written."""

    title: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Title of the page. Default: how much there is.", rich_help_panel=OUTPUT),
    ] = None
    item_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address of an item, with {item} for its id. In the tool where people judge: the page links to it.",
            rich_help_panel=OUTPUT,
        ),
    ] = None

    def options(self, *, is_written: bool = True) -> "PageOptions":
        """The same, checked; nothing may be said of a page that is not written.

        Raises
        ------
        ConfigError
            Something is said of it, or the address is none.
        """
        from consensus.errors import ConfigError
        from consensus.report.page_options import PageOptions

        given = {"--title": self.title, "--item-url": self.item_url}
        said = [name for name, value in given.items() if value is not None]
        if said and not is_written:
            raise ConfigError(f"{said[0]}: it is about the page, which --no-report leaves out; leave out one of them")
        return PageOptions(self.title, self.item_url)
