"""Settings of what workers are called in outputs."""

from pathlib import Path

from pydantic import Field

from consensus.config.settings_base import LABELS, Settings


class NamingConfig(Settings):
    """What workers are called in outputs.

    Examples
    --------
    >>> NamingConfig().pseudonyms is None
    True
    """

    pseudonyms: Path | None = Field(
        default=None,
        json_schema_extra=LABELS | {"metavar": "KEYFILE"},
        description=(
            "File of a secret key (16 bytes or more). All outputs and messages name workers by pseudonyms made with "
            "it. The same key gives the same names."
        ),
    )
