"""Tables that a run was given in memory, written beside its results so that it can be made again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from consensus.formats import sources, writing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

BESIDE = ("costs", "workers")
FILES = {kind: f"input_{kind}.parquet" for kind in ("judgments", "model_votes", "gold", *BESIDE)}
"""What each is called in the folder of a run."""


def tables_of(**given: Any) -> dict[str, Any]:
    """Those of what is ``given`` that are tables in memory: no files, and nothing that was read before."""
    return {kind: one for kind, one in given.items() if hasattr(one, "columns") or isinstance(one, dict)}


def beside(folder: Path) -> dict[str, Path]:
    """Costs and workers that were kept in a folder."""
    return {kind: folder / FILES[kind] for kind in BESIDE if (folder / FILES[kind]).is_file()}


def written(tables: Mapping[str, Any], folder: Path) -> dict[str, list[dict[str, str]]]:
    """Write ``tables`` into a ``folder``; what summary.json says of each. One that Parquet can't hold is left out."""
    import pandas as pd
    import pyarrow as pa
    from pyarrow import parquet

    told = {}
    for kind, table in tables.items():
        path = folder / FILES[kind]
        try:
            if isinstance(table, (dict, pd.DataFrame)):
                made = pa.Table.from_pandas(pd.DataFrame(table), preserve_index=False)
            else:
                made = pa.table(table)
            with writing.replacing(path) as file:
                parquet.write_table(made, file)
        except (pa.ArrowException, TypeError, ValueError):
            continue
        told[kind] = [{"file": path.name, "sha256": sources.digest_of(path)}]
    return told
