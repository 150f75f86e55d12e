"""What a run found, pushed to an address: pages of JSON, signed, each of which arrives once."""

from consensus.push.delivery import SECRET, Delivery, address, push, secret
from consensus.push.letters import Letter, read_letters, write_letters
from consensus.push.pages import Page, pages

__all__ = [
    "SECRET",
    "Delivery",
    "Letter",
    "Page",
    "address",
    "pages",
    "push",
    "read_letters",
    "secret",
    "write_letters",
]
