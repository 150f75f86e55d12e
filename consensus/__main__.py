"""``python -m consensus`` and the ``consensus`` command."""

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import FrameType

STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")
PATIENCE = 1.0
"""Seconds after a signal in which others are not heard."""
SOON = 0.02
"""Seconds after which a signal is tried again that came at a bad moment."""
_asked = [-PATIENCE]  # when, last
_raised: list[int] = []
"""Signals that became ``Stopped``."""
_later: list[threading.Timer] = []
BROKEN_PIPE = 128 + 13
"""How a command exits whose reader is gone, as ``head`` is: as if by SIGPIPE, which Python ignores."""


class Stopped(BaseException):
    """A signal asks the process to go; everything on the way tidies up."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    @property
    def status(self) -> int:
        """How the command exits."""
        return 128 + self.number


@contextmanager
def _closed_streams_lead_nowhere() -> Iterator[None]:
    """Open standard streams that the caller closed (``>&-``), which Python knows only as None."""
    with ExitStack() as opened:
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:
                opened.callback(setattr, sys, name, None)
                setattr(sys, name, opened.enter_context(Path(os.devnull).open(mode, encoding="utf-8")))
        yield


@contextmanager
def _nothing_is_cut_off() -> Iterator[None]:
    """Buffer a standard output that is not (``PYTHONUNBUFFERED``): a write to it may take the half, and not say so."""
    raw, before = getattr(sys.stdout, "buffer", None), sys.stdout
    if not isinstance(raw, io.RawIOBase):
        yield
    else:
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(raw), sys.stdout.encoding, sys.stdout.errors, newline="", line_buffering=True
        )
        try:
            yield
        finally:
            with suppress(OSError, ValueError):
                sys.stdout.detach().detach()
            sys.stdout = before


@contextmanager
def _any_text_can_be_written() -> Iterator[None]:
    """Words on standard output are UTF-8 as tables are, whatever the locale; a terminal gets what it can show."""
    out = sys.stdout
    if not isinstance(out, io.TextIOWrapper):
        yield
    else:
        encoding, errors = out.encoding, out.errors
        out.reconfigure(encoding=encoding if out.isatty() else "utf-8", errors="backslashreplace")
        try:
            yield
        finally:
            with suppress(OSError, ValueError):  # its reader is gone, or it is closed
                out.reconfigure(encoding=encoding, errors=errors)


@contextmanager
def _signals_stop() -> Iterator[None]:
    """Turn signals that ask to go into ``Stopped``, but for those that the caller ignores, as ``nohup`` does."""
    before = {}
    _asked[0] = -PATIENCE
    _raised.clear()
    for name in STOPPING:
        with suppress(AttributeError, ValueError):  # no such signal here, or not the main thread
            number = getattr(signal, name)
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, _stop)
    try:
        yield
    finally:
        while _later:
            _later.pop().cancel()
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: FrameType | None) -> None:
    """Go, unless that goes on already: who presses twice must not break off the tidying up.

    While the compiler of the loops calls back, an exception is lost, and the compiler crashes: then a little later.
    """
    if _is_compiling(frame):
        again = threading.Timer(SOON, os.kill, (os.getpid(), number))
        again.daemon = True
        _later.append(again)
        again.start()
        return
    now = time.monotonic()
    if now - _asked[0] > PATIENCE:
        _asked[0] = now
        _raised.append(number)
        raise Stopped(number)


def _is_compiling(frame: FrameType | None) -> bool:
    """Whether a call from here leads through LLVM."""
    while frame is not None:
        if "llvmlite" in frame.f_code.co_filename:
            return True
        frame = frame.f_back
    return False


@_closed_streams_lead_nowhere()
@_nothing_is_cut_off()
@_any_text_can_be_written()
def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error is one line on stderr, or JSON with ``--json``.

    Raises
    ------
    SystemExit
        Always, with one of ``consensus.errors.EXIT_CODES``.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    with _signals_stop():
        try:
            left = _done(given)
        except Stopped as stopped:
            left = _stopped(stopped, given)
        except Exception:
            if not _raised:
                raise
            left = _stopped(Stopped(_raised[-1]), given)  # what is written in C may make another error of it
    sys.exit(left)


def _stopped(stopped: Stopped, given: Sequence[str]) -> int:
    """Say that a signal stopped the command; how to exit."""
    from consensus.cli import failing

    failing.tell_stopped(stopped.number, as_json=failing.wants_json(given))
    return stopped.status


def _done(given: Sequence[str]) -> int:
    """Do what the arguments say; how to exit."""
    from consensus.cli import app, failing  # once signals are heard
    from consensus.errors import ConsensusError
    from consensus.wording import ON_THE_COMMAND_LINE

    streams = sys.stdout, sys.stderr
    token = ON_THE_COMMAND_LINE.set(True)
    as_json = failing.wants_json(given)
    try:
        left = app(args=given, prog_name="consensus", standalone_mode=False)
        sys.stdout.flush()  # what can't be written is to be known
    except BrokenPipeError:
        left = BROKEN_PIPE
        _give_up_what_is_left()
    except failing.UsageError as error:
        left = failing.show_help(error) if failing.is_help(error) else failing.told(error, as_json=as_json)
    except ConsensusError as error:
        left = failing.told(error, as_json=as_json)
    except OSError as error:
        left = failing.told(error, as_json=as_json)
        _give_up_what_is_left()
    except SystemExit as error:  # by which Typer says that the reader of its output is gone
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        sys.stdout, sys.stderr = streams
        left = BROKEN_PIPE
        _give_up_what_is_left()
    finally:
        ON_THE_COMMAND_LINE.reset(token)
    return left if isinstance(left, int) else 0


def _give_up_what_is_left() -> None:
    """Close standard output if what is left can't be written, or Python tries again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError):
            sys.stdout.close()


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


if __name__ == "__main__":
    command()
