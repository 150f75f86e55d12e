"""``python -m consensus`` and the ``consensus`` command."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from consensus.cli import app, failing
from consensus.errors import ConsensusError
from consensus.wording import ON_THE_COMMAND_LINE


@contextmanager
def _closed_streams_lead_nowhere() -> Iterator[None]:
    """Open standard streams that the caller closed (``>&-``), which Python knows only as None."""
    with ExitStack() as opened:
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:
                opened.callback(setattr, sys, name, None)
                setattr(sys, name, opened.enter_context(Path(os.devnull).open(mode, encoding="utf-8")))
        yield


@_closed_streams_lead_nowhere()
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error is one line on stderr, or JSON with ``--json``.

    Raises
    ------
    SystemExit
        Always, with one of ``consensus.errors.EXIT_CODES``.
    """
    for name in ("SIGTERM", "SIGHUP"):  # as for Ctrl-C: tidy up, then go
        with suppress(AttributeError, ValueError):  # no such signal here, or not the main thread
            signal.signal(getattr(signal, name), _leave)
    token = ON_THE_COMMAND_LINE.set(True)
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        left = app(args=given, prog_name="consensus", standalone_mode=False)
    except failing.UsageError as error:
        left = failing.show_help(error) if failing.is_help(error) else _failed(error, given)
    except ConsensusError as error:
        left = _failed(error, given)
    except OSError as error:
        left = _failed(error, given)
        with suppress(OSError):
            sys.stdout.close()  # else Python tries again at exit
    finally:
        ON_THE_COMMAND_LINE.reset(token)
    sys.exit(left if isinstance(left, int) else 0)


def command() -> None:
    """Run ``main`` as a process of its own, and leave at once when it is done.

    Giving back the memory of a large run piece by piece, in which Python is thorough, takes a fifth of a second.
    """
    try:
        main()
    except SystemExit as left:
        with suppress(OSError, ValueError, AttributeError):  # nobody reads it any more, or it is closed
            sys.stdout.flush()
        os._exit(left.code if isinstance(left.code, int) else int(left.code is not None))


def _failed(error: Exception, given: Sequence[str]) -> int:
    return failing.told(error, as_json=failing.wants_json(given))


def _leave(number: int, _frame: object) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    command()
