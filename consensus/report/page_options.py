"""What the page is called, and where its items link to."""

from __future__ import annotations

from dataclasses import dataclass

from consensus.errors import ConfigError

ITEM = "{item}"
SAFE = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class PageOptions:
    """How report.html is written.

    Raises
    ------
    ConfigError
        ``item_url`` is no web address, or holds no ``{item}``.
    """

    title: str | None = None
    """Instead of how much there is."""
    item_url: str | None = None
    """Address of an item in the tool that asks people, with ``{item}`` where its id belongs."""

    def __post_init__(self) -> None:
        if self.item_url is None:
            return
        if not self.item_url.startswith(SAFE):
            raise ConfigError(f'--item-url "{self.item_url}": no web address; it begins with https:// or http://')
        if ITEM not in self.item_url:
            raise ConfigError(
                f'--item-url "{self.item_url}": it does not say where the item\'s id belongs; put {ITEM} there, as in '
                "https://example.org/task/{item}"
            )
