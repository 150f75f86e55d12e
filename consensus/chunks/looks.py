"""What is to be looked at beside the tables and masks of a run, and how it gets into the folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consensus.chunks import page
from consensus.chunks.gallery import MOST_CROPS, Gallery
from consensus.formats import writing
from consensus.report import charts

if TYPE_CHECKING:
    from pathlib import Path

    from consensus.chunks.whole_run import ChunkRun


@dataclass(frozen=True, slots=True)
class Looks:
    """What is drawn."""

    crops: int = MOST_CROPS
    """Pictures of single chunks at most."""
    with_page: bool = False
    """Also write report.html; it needs the extra ``report``."""
    out: str = "consensus-out"
    """What the folder is called in the commands that the page shows."""
    asked: bool | None = None
    """Whether the page was asked for or refused; None where nobody said."""

    @classmethod
    def of(cls, crops: int, report: bool | None, out: str) -> Looks:
        """What is drawn, given whether the page is asked for.

        Raises
        ------
        OutputError
            It is asked for, and its libraries are not there.
        """
        return cls(crops, wanted(report), out, report)

    def gallery(self, run: ChunkRun, folder: Path) -> Gallery:
        """What takes the pictures of a run while they are painted."""
        return Gallery(run, folder, self.crops, page.MOST_PICTURES if self.with_page else 0)

    def write_page(self, run: ChunkRun, gallery: Gallery, folder: Path) -> None:
        """Write the page, if it is wanted."""
        if self.with_page:
            run.listener.stage("reporting")
            writing.write_bytes(page.made(run, gallery, self.out), folder / page.FILE)


def wanted(report: bool | None) -> bool:
    """Whether the page is written: as it is asked for, or, where nobody says, if its libraries are there.

    Raises
    ------
    OutputError
        It is asked for, and they are not.
    """
    if report:
        charts.check()
    return charts.are_there() if report is None else report
