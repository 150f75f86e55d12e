"""Options that are no settings: the files that commands read, and where their tables go."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from consensus.report.page_options import PageOptions

INPUTS, OUTPUT = "Inputs", "Output"
"""Headings of the help for what is no setting; ``Output`` stands at the end."""
FILES = (
    "Files of judgments: .csv, .tsv (also .gz, .zst), .jsonl, .parquet; folders or .zip of these; - is standard input"
)

Judgments = Annotated[
    list[Path],
    typer.Argument(help=f"{FILES}.", show_default=False),
]
SomeJudgments = Annotated[
    list[Path] | None,
    typer.Argument(
        help=f"{FILES}. With --model-votes there may be none.",
        show_default=False,
        metavar="JUDGMENTS...",
    ),
]
Gold = Annotated[
    Path | None, typer.Option(help="File of items with known labels (item, label).", rich_help_panel=INPUTS)
]
ModelVotes = Annotated[
    list[Path] | None,
    typer.Option(
        "--model-votes",
        help="File of what models say: item, model, label (and probability), or item, model and a column of "
        "probabilities a label; none leaves out those of an export. [may be repeated]",
        rich_help_panel=INPUTS,
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(help="TOML file of settings; options on the command line win.", rich_help_panel=INPUTS),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        help="File to write (.csv, .tsv, .jsonl, .parquet) instead of stdout.",
        rich_help_panel=OUTPUT,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON: for tables one object a line.", rich_help_panel=OUTPUT)]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help=("Print nothing but tables and errors."), rich_help_panel=OUTPUT)
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an older output.", rich_help_panel=OUTPUT)]


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


@dataclass(frozen=True)
class Paged:
    """How the page is written."""

    title: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Title of the page, instead of how much there is.", rich_help_panel=OUTPUT),
    ] = None
    item_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Address of an item in the tool where people judge, with {item} for its id: the page links to it.",
            rich_help_panel=OUTPUT,
        ),
    ] = None
    pseudonyms: Annotated[
        bool,
        typer.Option(
            "--pseudonyms",
            help="Show short names instead of the ids of workers on the page; pseudonyms.csv tells who is who.",
            rich_help_panel=OUTPUT,
        ),
    ] = False

    def options(self, *, is_written: bool = True) -> "PageOptions":
        """The same, checked; nothing may be said of a page that is not written.

        Raises
        ------
        ConfigError
            Something is said of it, or the address is none.
        """
        from consensus.errors import ConfigError
        from consensus.report.page_options import PageOptions

        given = {"--title": self.title, "--item-url": self.item_url, "--pseudonyms": self.pseudonyms or None}
        said = [name for name, value in given.items() if value is not None]
        if said and not is_written:
            raise ConfigError(f"{said[0]}: it is about the page, which --no-report leaves out; leave out one of them")
        return PageOptions(self.title, self.item_url, self.pseudonyms)
