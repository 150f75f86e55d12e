"""Tables that name masks: image, worker, mask, and perhaps the region that was judged, a time and a duration, a row."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from consensus.backends import Threads
from consensus.errors import ConfigError, FormatError
from consensus.formats.opening import readings
from consensus.formats.tables.coded_rows import Rows
from consensus.formats.tables.roles import NAMES as USUAL_NAMES
from consensus.formats.tables.roles import Roles, candidates_of, listed
from consensus.masks.given_masks import PICTURES, GivenMask, GivenMasks, InFile
from consensus.masks.mask_files import region_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NAMES: Mapping[str, tuple[str, ...]] = {
    "image": PICTURES,
    "worker": (*USUAL_NAMES["worker"], "painter"),
    "mask": (
        "mask", "mask_path", "mask_file", "segmentation", "segmentation_path", "label_map", "label_path", "annotation",
    ),
    "region": ("region", "judged_region", "roi", "box"),
    "timestamp": USUAL_NAMES["timestamp"],
    "duration": USUAL_NAMES["duration"],
}  # fmt: skip
"""Names of the column of each role."""
OF_MODELS = {**NAMES, "worker": (*USUAL_NAMES["model"], *NAMES["worker"])}
"""The same of masks of models."""


@dataclass(frozen=True, slots=True)
class ManifestRoles(Roles):
    """The columns of a manifest; that of the worker may be missing where the ``worker`` is known."""

    lenient: bool = True
    names: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: NAMES)
    worker_known: bool = False

    def positions(self, header: Sequence[str], place: str) -> dict[str, int]:
        """Position in ``header`` of the column of each role.

        Raises
        ------
        FormatError
            A column is missing, or several could be meant.
        """
        for role, name in self.named.items():
            if name is not None and name not in header:
                raise FormatError(
                    f'no column "{name}" for the {role}; the columns are: {listed(header)}; correct --columns',
                    place,
                    code="column_not_found",
                )
        named = dict(self.named)
        known = candidates_of(header, self.names["worker"])
        if self.worker_known and named["worker"] is None and len(known) != 1:
            del named["worker"]
        return Roles(named, True, self.names).positions(header, place)


def read_manifest(
    source: Any,
    columns: Mapping[str, str] | None = None,
    *,
    worker: str | None = None,
    names: Mapping[str, tuple[str, ...]] = NAMES,
) -> GivenMasks:
    """The masks that a table names; paths count from its folder.

    Parameters
    ----------
    source
        What ``consensus.read`` takes.
    columns
        Names of columns by role: image, worker, mask, region, timestamp, duration; others are found.
    worker
        Who painted, where no column tells.
    names
        Names of the columns that are looked for.

    Raises
    ------
    ConfigError
        ``columns`` names an unknown role.
    FormatError
        It can't be read, a column can't be found, a row lacks a value, or there is no row.
    """
    named: dict[str, str | None] = dict.fromkeys(names)
    for role, name in (columns or {}).items():
        if role not in named:
            raise ConfigError(f'--columns: no column is called "{role}"; expected one of {", ".join(named)}')
        named[role] = name
    rows = Rows(tuple(named), ("image", "mask"), Threads(), None)
    files = []
    with closing(readings(source, ManifestRoles(named, names=names, worker_known=worker is not None))) as found:
        for reading in found:
            rows.add(reading)
            files.append(reading.file)
    for first in rows.rejects[:1]:
        raise FormatError(
            f"{first.reason}: {first.row[:60]}; correct the manifest", first.file, first.line, code="bad_row"
        )
    if not rows.n_rows:
        raise FormatError("a header but no rows; expected an image, a worker and a mask in each", files[0])
    texts = [[texts[code].as_py() if code >= 0 else None for code in codes.tolist()] for codes, texts in rows.ranked()]
    made = GivenMasks(sources=list(rows.sources))
    for row, (image, who, mask, region, timestamp, duration) in enumerate(zip(*texts, strict=True)):
        file, line = rows.located(row)
        folder = Path(file).parent
        place = rows.place(row)
        painter = who or worker
        if painter is None:
            raise FormatError("the worker is missing; correct the manifest", file, line, code="bad_row")
        made.masks.append(
            GivenMask(
                image,
                painter,
                place,
                InFile(folder / mask, region_of(region, folder)),
                folder,
                timestamp=timestamp,
                duration=_seconds(duration),
            )
        )
    return made


def _seconds(text: str | None) -> float | None:
    try:
        found = float(text or "")
    except ValueError:
        return None
    return found if 0 <= found < math.inf else None
