"""What all settings have in common: they are frozen, typed, and checked once."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from consensus.errors import ConfigError

if TYPE_CHECKING:
    from pydantic.config import JsonDict

READING: "JsonDict" = {"group": "Columns and reading"}
MODEL: "JsonDict" = {"group": "Model"}
SETTLING: "JsonDict" = {"group": "When an item is settled"}
ASKING: "JsonDict" = {"group": "What to ask for"}
WORKERS: "JsonDict" = {"group": "Workers"}
COMPUTING: "JsonDict" = {"group": "Computing"}
GROUPS = tuple(str(one["group"]) for one in (READING, MODEL, SETTLING, ASKING, WORKERS, COMPUTING))
"""Headings of the settings, in the order of the help. A field is told its group as ``json_schema_extra``."""


LIKE = 0.7  # of 1: how far a name must be like another one to be taken for it


def nearest(name: str, known: Sequence[str]) -> str:
    """The end of a message about an unknown ``name``: the one of the ``known`` that is most like it, else all."""
    like = difflib.get_close_matches(name, known, 1, LIKE)
    return f"; did you mean {like[0]}?" if like else f"; the settings are: {', '.join(known)}"


class Settings(BaseModel):
    """Settings that can be made from others, with errors in words."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, defer_build=True)

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
        for name, value in settings.items():
            if isinstance(value, str) and name in cls.model_fields and cls.model_fields[name].default == ():
                settings[name] = (value,)  # one of what may be several
        try:
            return cls(**(known | settings))
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            if first["type"] == "extra_forbidden":
                raise ConfigError(f'unknown setting "{name}"{nearest(name, list(cls.model_fields))}') from None
            if not name:  # a rule about several settings
                raise ConfigError(f"settings: {first['msg'].removeprefix('Value error, ')}") from None
            percent = ""
            if 1 in {first.get("ctx", {}).get(bound) for bound in ("lt", "le")} and 1 < float(first["input"]) <= 100:
                percent = f"; {float(first['input']):g} % is {float(first['input']) / 100:g}"
            told = first["msg"].removeprefix("Value error, ")
            told = told[:1].lower() + told[1:]
            raise ConfigError(f"setting {name} = {first['input']!r}: {told}{percent}") from None

    @classmethod
    def from_toml(cls, path: Path) -> dict[str, Any]:
        """Settings in a TOML file, checked.

        Raises
        ------
        ConfigError
            The file can't be read, is not TOML, or holds an unknown setting or a bad value.
        """
        import tomllib

        try:
            found = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path}: can't be read as settings: {error}") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: not a TOML file: {error}") from None
        try:
            cls.of(None, **found)
        except ConfigError as error:
            raise ConfigError(f"{path}: {error}") from None
        return found
