"""The page of a run as a value: to save, to pass on, or to see in a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from consensus.formats import given, writing

if TYPE_CHECKING:
    from pathlib import Path

HEIGHT = 800  # pixels of the frame in a notebook


@dataclass(frozen=True, slots=True, repr=False)
class Page:
    """The page of a run, from ``run.report()``; a notebook shows it in a frame of its own.

    Examples
    --------
    >>> page = consensus.run(judgments).report(title="Animals")  # doctest: +SKIP
    >>> page.save("report.html")  # doctest: +SKIP
    """

    html: str
    """The whole document; it needs nothing else."""

    def save(self, path: Path | str) -> Path:
        """Write it to a file, and return the path.

        Raises
        ------
        ConfigError
            The ``path`` is none.
        OutputError
            It can't be written.
        """
        path = given.path(path, "path", "name a file, such as report.html")
        writing.check_place(path)
        writing.write_bytes(self.html.encode(), path)
        return path

    def __str__(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Page({len(self.html.encode()):,} bytes of HTML; save(path) writes it)"

    def _repr_html_(self) -> str:
        """A frame whose styles and scripts do not touch the notebook's, which may not touch the notebook either."""
        document = escape(self.html, quote=True)
        return (
            f'<iframe srcdoc="{document}" sandbox="allow-scripts allow-popups allow-downloads" '
            f'style="width: 100%; height: {HEIGHT}px; border: 1px solid #ccc"></iframe>'
        )
