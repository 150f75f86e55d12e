"""What a terminal may be shown: a terminal obeys what ids, labels and names of models from files hold."""

import io
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


def visible(text: str) -> str:
    """Text without what a terminal would obey, such as colours and the direction of writing: escapes stand for it."""
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)


def lines(text: str) -> str:
    """The same of several lines."""
    return "\n".join(map(visible, text.split("\n")))


def is_there() -> bool:
    """Whether stdout is one."""
    return sys.stdout.isatty()


def put(encode: "Callable[[BinaryIO], None]") -> None:
    """Write a table to stdout: byte for byte into a pipe or file, made visible on a terminal."""
    if not is_there():
        encode(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    held = io.BytesIO()
    encode(held)
    sys.stdout.write(lines(held.getvalue().decode("utf-8", "backslashreplace")))
    sys.stdout.flush()
