"""What all settings have in common: they are frozen, typed, and checked once."""

import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from consensus import wording
from consensus.errors import ConfigError

if TYPE_CHECKING:
    from pydantic.config import JsonDict

INPUT: "JsonDict" = {"group": "Input"}
COLUMNS: "JsonDict" = {"group": "Columns"}
LABELS: "JsonDict" = {"group": "Labels and workers"}
ACCEPTANCE: "JsonDict" = {"group": "Acceptance"}
ESCALATION: "JsonDict" = {"group": "Escalation"}
MODEL: "JsonDict" = {"group": "Model"}
OUTPUT: "JsonDict" = {"group": "Output"}
PERFORMANCE: "JsonDict" = {"group": "Performance"}
GROUPS = tuple(
    str(one["group"]) for one in (INPUT, COLUMNS, LABELS, ACCEPTANCE, ESCALATION, MODEL, OUTPUT, PERFORMANCE)
)
"""Headings of the help, in its order. A field is told its group as ``json_schema_extra``, and with it

- ``metavar``: what its value is, where that does not follow from its type;
- ``option``: its name as an option, where that is another;
- ``csv``: as an option it is one line of CSV;
- ``rare``: few need it, so that ``--help`` only names it, and ``--help-all`` describes it.
"""
RARE: "JsonDict" = {"rare": True}
RENAMED = {
    "audit": "audit_sample",
    "least_judgments": "min_worker_judgments",
    "price": "price_per_judgment",
}
"""Names of settings up to 0.4: they are understood for one version more, and a warning tells the new one."""


LONGEST = 200  # characters of a value in a message
BY_NAME = "; give each setting by its name, such as target=0.95"
IN_WORDS = {
    "byte_size": "give it in bytes, or with a unit, such as 4GB",
    "byte_size_unit": "give it in bytes, or with a unit, such as 4GB",
    "tuple_type": "input should be a list",
    "too_short": "it is empty; give at least one",
}
"""What is wrong with a value, by pydantic's name of it, where its own words are those of a programmer."""


def nearest(name: str, known: Sequence[str]) -> str:
    """The end of a message about an unknown ``name``: those of the ``known`` that are like it, else all."""
    told = wording.meant(name, known)
    return f"; {told}" if told else f"; the settings are: {', '.join(known)}"


class Settings(BaseModel):
    """Settings that can be made from others, with errors in words."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, defer_build=True)

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise _told(error, list(type(self).model_fields)) from None

    @classmethod
    def of(cls, given: Self | None = None, **settings: Any) -> Self:
        """Settings from an existing object (or the defaults), changed by ``settings``.

        Raises
        ------
        ConfigError
            A name is unknown or a value out of range.
        """
        if given is not None and not isinstance(given, Settings):
            raise ConfigError(
                f"config: it is of type {type(given).__name__}; give a {cls.__name__}, or name each setting, and what "
                "else there is, such as gold=..."
            )
        known = {name: getattr(given, name) for name in given.model_fields_set} if given is not None else {}
        settings = cls.renamed(settings)
        for name, value in settings.items():
            if isinstance(value, str) and name in cls.model_fields and cls.model_fields[name].default == ():
                settings[name] = (value,)  # one of what may be several
        return cls(**(known | settings))

    @classmethod
    def renamed(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The same ``settings`` by the names that they have now; a ``FutureWarning`` tells of each that has another.

        Raises
        ------
        ConfigError
            A setting is given by both names.
        """
        found = dict(settings)
        for old, new in RENAMED.items():
            if old not in found or old in cls.model_fields or new not in cls.model_fields:
                continue
            if new in found:
                raise ConfigError(f"{old} is the former name of {new}; leave out {old}")
            warnings.warn(f'the setting "{old}" is now called "{new}"', FutureWarning, stacklevel=4)
            found[new] = found.pop(old)
        return found

    @classmethod
    def from_toml(cls, path: Path) -> dict[str, Any]:
        """Settings in a TOML file, or from standard input (``-``), checked.

        Raises
        ------
        ConfigError
            The file can't be read, is not TOML, or holds an unknown setting or a bad value.
        """
        import tomllib

        try:
            text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
            found = tomllib.loads(text)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"can't be read as settings: {reason.lower()}", path, code="bad_settings_file") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"not a TOML file: {error}", path, code="bad_settings_file") from None
        try:
            found = cls.renamed(found)
            cls.of(None, **found)
        except ConfigError as error:
            raise ConfigError(str(error), path, code=error.code) from None
        return found


def _told(error: ValidationError, known: Sequence[str]) -> ConfigError:
    """The first thing that is wrong, in words."""
    first = error.errors()[0]
    kind, value = first["type"], first["input"]
    name = ".".join(str(part) for part in first["loc"])
    if kind == "extra_forbidden":
        way_out = BY_NAME if name in ("config", "settings") else nearest(name, known)
        return ConfigError(f'unknown setting "{name}"{way_out}', code="unknown_setting")
    said = first["msg"].removeprefix("Value error, ")
    if not name:  # a rule about several settings
        return ConfigError(f"settings: {said}")
    said = IN_WORDS.get(kind, said)
    if 1 in {first.get("ctx", {}).get(bound) for bound in ("lt", "le")} and 1 < float(value) <= 100:
        said += f"; {float(value):g} % is {float(value) / 100:g}"
    try:
        shown = repr(value)
    except Exception:  # whatever an object does
        shown = ""
    if not 0 < len(shown) <= LONGEST:
        shown = f"a {type(value).__name__}"
    return ConfigError(f"setting {name} = {shown}: {said[:1].lower()}{said[1:]}")
