"""The script that draws the charts of a page: Vega, Vega-Lite and Vega-Embed in one that loads nothing.

To bundle it takes a second, as long as all else of a small run. So it is kept where Python keeps the compiled files of
this package: by the version of the library that makes it, and not at all where nothing may be written.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from consensus.formats import partials


@functools.cache
def charts_script() -> str:
    """The script, fit to stand within ``<script>``."""
    import vl_convert

    kept = _place(version("vl-convert-python"))
    found = _read(kept)
    if found is None:
        bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub knows of no default
        found = bundle.replace("</script", "<\\/script")
        if not sys.dont_write_bytecode:
            _write(kept, found)
    return found


def _place(of_version: str) -> Path:
    return Path(importlib.util.cache_from_source(__file__)).with_name(f"charts-{of_version}.js")


def _read(kept: Path) -> str | None:
    """What is kept; None where there is nothing, or not all of it: its digest stands before it."""
    try:
        digest, _, content = kept.read_bytes().partition(b"\n")
    except OSError:
        return None
    return content.decode() if hashlib.sha256(content).hexdigest().encode() == digest else None


def _write(kept: Path, script: str) -> None:
    content = script.encode()
    with suppress(OSError):  # then it is bundled again the next time
        kept.parent.mkdir(exist_ok=True)
        with partials.claimed(kept, is_folder=False) as partial:
            partial.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
            partial.replace(kept)
