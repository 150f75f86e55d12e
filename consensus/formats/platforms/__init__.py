"""Exports of platforms, recognised by what is in them: one module each, and an entry in ``PLATFORMS``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.errors import ConfigError
from consensus.formats.platforms import (
    argilla,
    crowdflower,
    crowdflower_json,
    doccano,
    get_another_label,
    label_studio,
    lewidi,
    mace,
    mturk,
    prodigy,
    sagemaker,
    sagemaker_answers,
    toloka,
    zooniverse,
)
from consensus.formats.platforms.seam import head_of

if TYPE_CHECKING:
    from pathlib import Path

    from consensus.formats.platforms.seam import Head, Platform

NONE = "none"
"""Instead of a platform's name: a plain table, whatever is in it."""
PLATFORMS: tuple[Platform, ...] = (
    argilla,
    crowdflower,
    crowdflower_json,
    doccano,
    get_another_label,
    label_studio,
    lewidi,
    mace,
    mturk,
    prodigy,
    sagemaker,
    toloka,
    zooniverse,
)
"""All that are known; a file is of the first one that knows it."""

__all__ = ["NONE", "PLATFORMS", "also_read", "digest_of", "head_of", "named", "recognised"]


def recognised(head: Head) -> Platform | None:
    """The platform whose export a file is; None for a plain table."""
    return next((platform for platform in PLATFORMS if platform.sniff(head)), None)


def digest_of(path: Path) -> str:
    """SHA-256 of what a platform reads of a folder, as hexadecimal digits."""
    return sagemaker.digest_of(path)


def also_read(path: Path) -> Path | None:
    """What is read with a folder that is an export, and may lie outside of it; None if there is nothing."""
    return sagemaker_answers.manifest_of(path)


def named(name: str) -> Platform | None:
    """The platform of a name; None for "none".

    Raises
    ------
    ConfigError
        There is no such platform.
    """
    known = {NONE: None} | {platform.NAME: platform for platform in PLATFORMS}
    if name not in known:
        raise ConfigError(f'unknown platform "{name}"; known are {", ".join(sorted(known))}', code="unknown_name")
    return known[name]
