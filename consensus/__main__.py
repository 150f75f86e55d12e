"""``python -m consensus`` and the ``consensus`` command."""

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

from consensus.cli import app
from consensus.errors import ConsensusError
from consensus.wording import ON_THE_COMMAND_LINE


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error is one line on stderr and exit status 1.

    Raises
    ------
    SystemExit
        Always: 0 done, 1 the input or settings are wrong, 2 usage.
    """
    for name in ("SIGTERM", "SIGHUP"):  # as for Ctrl-C: tidy up, then go
        with suppress(AttributeError, ValueError):  # no such signal here, or not the main thread
            signal.signal(getattr(signal, name), _leave)
    token = ON_THE_COMMAND_LINE.set(True)
    try:
        app(args=None if arguments is None else list(arguments), prog_name="consensus")
    except ConsensusError as error:
        sys.stderr.write(f"consensus: {error}\n")
        sys.exit(1)
    except OSError as error:  # such as a full disk behind stdout
        sys.stderr.write(f"consensus: {error.strerror or error}\n")
        with suppress(OSError):
            sys.stdout.close()  # else Python tries again at exit
        sys.exit(1)
    finally:
        ON_THE_COMMAND_LINE.reset(token)


def command() -> None:
    """Run ``main`` as a process of its own, and leave at once when it is done.

    Giving back the memory of a large run piece by piece, in which Python is thorough, takes a fifth of a second.
    """
    try:
        main()
    except SystemExit as left:
        with suppress(OSError, ValueError):  # nobody reads it any more, or it is closed
            sys.stdout.flush()
        os._exit(left.code if isinstance(left.code, int) else int(left.code is not None))


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    command()
