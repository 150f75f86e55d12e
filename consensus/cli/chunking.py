"""``consensus chunks``: pictures in chunks, from the masks that people painted."""

import json as json_module
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from consensus.cli import failing, job, options
from consensus.cli.options import ESCALATION, INPUT, LABELS, MODEL, OUTPUT
from consensus.cli.settings import Takes

if TYPE_CHECKING:
    from consensus.chunks import ChunkRun
    from consensus.chunks.looks import Looks
    from consensus.config import ChunksConfig, ReadConfig
    from consensus.runs.listening import Listener

ABOUT = "Merge masks that people painted on pictures, and list the disputed chunks to click."
OUT, CUTS = Path("consensus-out"), Path("cuts")
MOST_CROPS = 200

Folder = Annotated[
    Path,
    typer.Argument(
        help="Output folder of consensus chunks run.", metavar="RESULT_DIR", show_default=False, rich_help_panel=INPUT
    ),
]


def named_columns(given: str | None) -> dict[str, str] | None:
    """``image=file,mask=path`` as names by role."""
    if given is None:
        return None
    found: dict[str, str] = {}
    for one in given.split(","):
        role, is_one, name = one.partition("=")
        if not is_one or not name.strip():
            raise typer.BadParameter(f'"{one}" is no ROLE=NAME, such as mask=path')
        found[role.strip()] = name.strip()
    return found


def _checked(given: str | None) -> str | None:
    named_columns(given)
    return given


Images = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the pictures. Default: that of the file that names them.",
        metavar="FOLDER",
        rich_help_panel=INPUT,
    ),
]
Void = Annotated[
    int | None,
    typer.Option(
        help="Value of pixels that are not judged, such as 255. Only in masks of numbers.",
        metavar="NUMBER",
        rich_help_panel=LABELS,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        help="Names of columns of a manifest, as ROLE=NAME with commas between. Roles are image, worker, mask, region, "
        "timestamp, duration. Default: they are found by their names.",
        metavar="ROLE=NAME,...",
        callback=_checked,
        rich_help_panel=INPUT,
    ),
]


Masks = Annotated[
    list[Path],
    typer.Argument(
        help="A manifest (image, worker, mask), COCO JSON or a JSON export of Label Studio. There may be several.",
        show_default=False,
        metavar="MASKS",
        rich_help_panel=INPUT,
    ),
]
Crops = Annotated[
    int,
    typer.Option(min=0, help="Pictures of single chunks to write at most.", metavar="NUMBER", rich_help_panel=OUTPUT),
]
Report = Annotated[
    bool | None,
    typer.Option(
        "--report/--no-report",
        help="Also write report.html, a page to look at. Default: if its libraries are installed.",
        rich_help_panel=OUTPUT,
    ),
]


@dataclass(frozen=True)
class GivenMasks:
    """The files that a run reads beside the masks."""

    classes: Annotated[
        Path | None,
        typer.Option(
            help="Table of the classes (value, label; or colour, label). Default: the values that are found.",
            metavar="FILE",
            rich_help_panel=LABELS,
        ),
    ] = None
    gold: Annotated[
        Path | None,
        typer.Option(help="The same as MASKS, of masks known to be right.", metavar="FILE", rich_help_panel=INPUT),
    ] = None
    model_masks: Annotated[
        list[Path] | None,
        typer.Option(
            "--model-masks",
            help="The same as MASKS, of masks of models, or NPY of their probabilities.",
            metavar="FILE",
            rich_help_panel=INPUT,
        ),
    ] = None
    images: Images = None
    columns: Columns = None
    worker_from_file: Annotated[
        bool,
        typer.Option(
            "--worker-from-file",
            help="Each file is one worker's, and called by its name.",
            rich_help_panel=INPUT,
        ),
    ] = False
    void: Void = None
    pseudonyms: Annotated[
        Path | None,
        typer.Option(
            help="File of a secret key (16 bytes or more). All outputs and messages name people by pseudonyms made "
            "with it. The same key gives the same names.",
            metavar="KEYFILE",
            rich_help_panel=LABELS,
        ),
    ] = None
    cuts: Annotated[
        Path | None,
        typer.Option(
            help="Folder of cuts, as consensus chunks make writes it. Large disputed chunks are cut there.",
            metavar="FOLDER",
            rich_help_panel=ESCALATION,
        ),
    ] = None
    config: options.Config = None

    def paths(self) -> list[Path]:
        """All of them, to see that none is written over."""
        ones = (self.classes, self.gold, self.config, self.pseudonyms, *(self.model_masks or ()))
        return [path for path in ones if path is not None]

    def read(self, masks: list[Path], chosen: "ChunksConfig", listener: "Listener") -> "ChunkRun":
        """Read, count and fit."""
        from consensus import chunks

        return chunks.run(
            masks if len(masks) > 1 else masks[0],
            chosen,
            classes=self.classes,
            gold=self.gold,
            models=tuple(self.model_masks or ()),
            cuts=self.cuts,
            listener=listener,
            reading={
                "images": self.images,
                "columns": named_columns(self.columns),
                "void": self.void,
                "worker_from_file": self.worker_from_file,
                "pseudonyms": self.pseudonyms,
            },
        )


@dataclass(frozen=True)
class Written:
    """What is written, and where."""

    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write.", metavar="FOLDER", rich_help_panel=OUTPUT)
    ] = OUT
    overwrite: options.Overwrite = False
    crops: Crops = MOST_CROPS
    raw_cells: options.RawCells = False
    report: Report = None


def make(
    images: Annotated[
        list[Path],
        typer.Argument(help="Pictures.", show_default=False, metavar="IMAGE", rich_help_panel=INPUT),
    ],
    method: Annotated[
        Literal["slic", "felzenszwalb"],
        typer.Option(
            help="Pieces of even size, or as large as they look alike.",
            metavar="slic|felzenszwalb",
            rich_help_panel=MODEL,
        ),
    ] = "slic",
    size: Annotated[int, typer.Option(help="Pixels of a piece, about.", metavar="NUMBER", rich_help_panel=MODEL)] = 200,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write.", metavar="FOLDER", rich_help_panel=OUTPUT)
    ] = CUTS,
    quiet: options.Quiet = False,
) -> None:
    """Cut IMAGEs into superpixels, so that large disputed chunks can be clicked piece by piece (run --cuts)."""
    from consensus import chunks
    from consensus.inputs.counted import counted

    show = job.Show(quiet)
    written = chunks.make(images, output, method=method, size=size)
    show.say(f"wrote {counted(len(written), 'cut')} into {output}")


def run(
    masks: Masks,
    given: GivenMasks,
    chosen: Annotated["ChunksConfig", Takes("ChunksConfig", of="ChunksConfig")],
    written: Written,
    json: options.Json = False,
    quiet: options.Quiet = False,
    fail_on: options.FailOn = None,
) -> None:
    """Merge MASKS into one label map a picture, rate who painted, list the chunks to click: all in a folder."""
    show = job.Show(quiet)

    from consensus.chunks import folder, looks, words

    drawn = looks.Looks.of(written.crops, written.report, str(written.output))
    out = folder.check(written.output, overwrite=written.overwrite, inputs=[*masks, *given.paths()])
    job.say_compiling(show)
    with folder.alone(out, show), show.stages():
        found = given.read(masks, chosen, show)
        folder.write(found, out, raw_cells=written.raw_cells, drawn=drawn, overwrite=written.overwrite)
    _tell(show, words.lines(found), drawn)
    for line in words.steps(found, str(written.output)):
        show.say(line)
    _ended(out, found, json=json, fail_on=fail_on)


def answers(
    folder: Folder,
    clicks: Annotated[
        Path,
        typer.Argument(
            help="What was answered about chunks (item, worker, label): a table or an export. "
            "Items are called as in escalations.csv.",
            metavar="ANSWERS",
            show_default=False,
            rich_help_panel=INPUT,
        ),
    ],
    chosen: Annotated["ReadConfig", Takes("item", "worker", "label", "platform", "pseudonyms", of="ReadConfig")],
    crops: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Pictures of single chunks to write at most. Default: as in the run.",
            metavar="NUMBER",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    report: Annotated[
        bool | None,
        typer.Option(
            "--report/--no-report",
            help="Also write report.html, a page to look at. Default: as in the run.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    fail_on: options.FailOn = None,
) -> None:
    """Merge ANSWERS about chunks into the run in RESULT_DIR, fit again, and write it anew."""
    show = job.Show(quiet)

    from consensus import chunks
    from consensus.chunks import folder as folders
    from consensus.chunks import words

    with folders.alone(folder, show):
        told = folders.summary_of(folder)
        drawn = folders.looks_of(told, str(folder), crops, report)
        job.say_compiling(show)
        out = folders.check(folder, overwrite=True, inputs=[clicks])
        with show.stages():
            before = folders.images_of(folder)
            made = chunks.load(folder, show, pseudonyms=chosen.pseudonyms)
            found = chunks.answers(made, clicks, chosen, listener=show)
            folders.write(found, out, raw_cells=folders.is_raw(told), drawn=drawn)
    _tell(show, [*words.lines(found), words.compared(before, found)], drawn)
    for line in words.steps(found, str(folder)):
        show.say(line)
    _ended(out, found, json=json, fail_on=fail_on)


def evaluate(
    folder: Folder,
    truth: Annotated[
        Path,
        typer.Argument(
            help="One true mask a picture. It is a file of the kinds that chunks run reads.",
            metavar="TRUTH",
            show_default=False,
            rich_help_panel=INPUT,
        ),
    ],
    boundary: Annotated[
        int,
        typer.Option(help="Pixels by which an outline may be off.", metavar="PIXELS", rich_help_panel=MODEL),
    ] = 2,
    images: Images = None,
    void: Void = None,
    json: options.Json = False,
    quiet: options.Quiet = False,
    raw_cells: options.RawCells = False,
) -> None:
    """Score the masks in RESULT_DIR against TRUTH: IoU, Dice, outlines, accuracy, log loss, calibration error."""
    show = job.Show(quiet)

    from consensus import chunks
    from consensus.chunks import words
    from consensus.formats import writing

    job.say_compiling(show)
    reading = {"images": images, "void": void}
    with show.stages():
        found = chunks.evaluate(
            chunks.load(folder, show),
            truth,
            boundary=boundary,
            **{name: value for name, value in reading.items() if value is not None},
        )
    if json:
        typer.echo(json_module.dumps(words.evaluated(found), ensure_ascii=False))
        return
    n = len(found.images)
    typer.echo(f"{'':14} {'all pixels':>11} {'mean of ' + str(n):>11} {'worst':>11}")
    for name, value, mean, worst in words.scores(found):
        typer.echo(f"{name:14} {value:>11} {mean:>11} {worst:>11}")
    typer.echo("")
    typer.echo(writing.text(found.classes, raw_cells=raw_cells), nl=False)


def _tell(show: job.Show, lines: list[str], drawn: "Looks") -> None:
    """Words, and what was written."""
    from consensus.chunks import page
    from consensus.report import charts

    for line in lines:
        show.say(line)
    show.say(f"wrote {Path(drawn.out) / page.FILE if drawn.with_page else drawn.out}")
    if drawn.asked is None and not drawn.with_page:
        show.say(f"no {page.FILE}, a page to look at: {charts.HOW_TO_GET_THEM}")


def _ended(out: Path, found: "ChunkRun", *, json: bool, fail_on: str | None) -> None:
    from consensus.chunks import words

    if json:
        typer.echo((out / "summary.json").read_text(encoding="utf-8"), nl=False)
    failing.refuse(words.cautions(found), fail_on)


COMMANDS: Mapping[str, Any] = {"make": make, "run": run, "answers": answers, "evaluate": evaluate}
"""The commands of the group."""
