"""The error tree, and what programs are told of errors: a code, a file, a line, and how the command exits.

::

    ConsensusError
    ├── ConfigError          a setting is out of range, unknown or contradicts another
    ├── OutputError          an output can't be written, or would overwrite something
    │   ├── RunError         a folder is not the output of a run, or that run can't be done again
    │   └── StateError       a folder is no state, of another version, or in use
    ├── ServerError          another machine can't be reached, or does not take what is sent
    └── JudgmentError        the judgments (or gold) can't be used as they are
        └── FormatError      a file or frame can't be read as judgments

Every message says what was found, where, and what to do about it, on one line: on the command line in its options, in
Python in arguments (``consensus.wording``).
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Self

from consensus.wording import in_words_of_the_caller

if TYPE_CHECKING:
    from pathlib import Path

DONE, INPUT, USAGE, SETTINGS, WARNED = range(5)
STOPPED = 128
EXIT_CODES = {
    DONE: "Done.",
    INPUT: "Input: a file, or what it holds, can't be used.",
    USAGE: "Usage: the command line can't be understood.",
    SETTINGS: "Settings or output: a setting can't be used, or what is to be written can't be.",
    WARNED: "A warning that --fail-on names; all output is written.",
    STOPPED: "And more: stopped by a signal, whose number is added. 130 is Ctrl-C, 143 SIGTERM, 129 SIGHUP; nothing is "
    "left half-written. 141: who reads standard output is gone, as head is.",
}
"""How the command exits."""
CODES: dict[str, tuple[int, str]] = {
    "bad_file": (INPUT, "A file or frame can't be read as what it is given for."),
    "file_not_found": (INPUT, "There is no such file or folder."),
    "empty_file": (INPUT, "A file is empty, or holds a header and no rows."),
    "no_table": (INPUT, "What a file holds is no table, such as an image or a PDF."),
    "bad_encoding": (INPUT, "A file is not in the encoding that is expected, or named."),
    "bad_row": (INPUT, "A row of a file can't be read, or its value can't be used."),
    "column_not_found": (INPUT, "No column holds what is needed, or none has the name that is given."),
    "column_not_clear": (INPUT, "Several columns could hold what is needed."),
    "several_questions": (INPUT, "An export asks several questions, and none is named."),
    "bad_judgments": (INPUT, "What the files hold does not go together, or can't be used as it is."),
    "repeated_judgment": (INPUT, "A worker judged an item twice, and --repeats error refuses that."),
    "unknown_item": (INPUT, "Items that are given, such as those of gold, occur nowhere in the judgments."),
    "unknown_label": (INPUT, "A label that is given is not in the label set."),
    "no_run": (INPUT, "A folder is not the output of a run, or the inputs of that run are gone or have changed."),
    "no_state": (
        INPUT,
        "A folder is not a state, is of another version, was changed or damaged, or another process writes it.",
    ),
    "usage": (USAGE, "The command line can't be understood: an unknown command, option or kind of value."),
    "bad_setting": (SETTINGS, "A setting is out of range, or contradicts another or the data."),
    "unknown_setting": (SETTINGS, "There is no setting of this name."),
    "bad_settings_file": (SETTINGS, "The file of --config can't be read."),
    "unknown_name": (SETTINGS, "An item, worker, table or platform that is named is not there."),
    "missing_input": (SETTINGS, "What is asked for needs another input, such as gold."),
    "missing_library": (SETTINGS, "A library that is not installed is needed."),
    "not_enough_memory": (SETTINGS, "The work needs more memory than there is, or than --memory allows."),
    "bad_output": (SETTINGS, "An output can't be written, as when a disk is full."),
    "output_exists": (SETTINGS, "Something stands where the output would be written."),
    "unknown_ending": (SETTINGS, "The ending of a file to write names no format."),
    "bad_server": (SETTINGS, "A server can't be reached, refuses a request, or answers what can't be used."),
    "warning": (WARNED, "A warning arose that --fail-on names."),
    "stopped": (STOPPED, "A signal stopped the command."),
}
"""How the command exits, and what it means, by the code of an error."""


ELSEWHERE = "choose another place"
WAYS_OUT = {
    errno.ENOSPC: f"make room there, or {ELSEWHERE}",
    errno.EDQUOT: f"make room there, or {ELSEWHERE}",
    errno.EFBIG: f"allow larger files (ulimit -f), or {ELSEWHERE}",
    errno.ENOENT: "create its folder first",
}
"""What to do where the system refuses to write, by its reason; else ``ELSEWHERE``."""


class Place(str):
    """``file:line``, and the two apart."""

    __slots__ = ("file", "line")
    file: str
    line: int | None

    @classmethod
    def of(cls, file: str | Path, line: int) -> Self:
        """The ``line``, from 1, of a ``file``."""
        place = cls(f"{file}:{line}")
        place.file, place.line = str(file), line
        return place

    @classmethod
    def restored(cls, file: str, line: int | None, text: str) -> Self:
        """One that was written as its parts and its text."""
        place = cls(text)
        place.file, place.line = file, line
        return place


class ConsensusError(Exception):
    """Base of every error that this package raises on purpose. Its message is one line, whatever the data holds.

    Parameters
    ----------
    message
        What was found, and what to do about it.
    file
        The file that it is about, or a place in it; the message begins with it.
    line
        Line of that file, from 1.
    code
        One of ``CODES``; else that of the kind of error.

    Examples
    --------
    >>> try:
    ...     consensus.fit(judgments, priors="none")
    ... except consensus.ConsensusError as error:
    ...     print(error)
    unknown setting "priors"; did you mean prior?
    """

    code = "bad_judgments"
    """Stable name of the kind of error: a key of ``CODES``."""
    file: str | None = None
    """The file that it is about, if it is about one."""
    line: int | None = None
    """Line of the file, from 1, if it is about one."""

    def __init__(
        self, message: str, file: str | Path | None = None, line: int | None = None, *, code: str | None = None
    ) -> None:
        if file is not None:
            message = f"{file}: {message}" if line is None else f"{file}:{line}: {message}"
            self.file, self.line = (file.file, file.line) if isinstance(file, Place) else (_shown(str(file)), line)
        if code is not None:
            self.code = code
        super().__init__(_shown(message))

    def about(self, other: ConsensusError) -> Self:
        """The same, with the code, file and line of the ``other`` error that it retells."""
        self.code, self.file, self.line = other.code, other.file, other.line
        return self

    def elsewhere(self, place: Path, now: Path) -> Self:
        """The same about a file in ``now``, if it is about one in ``place``."""
        if self.file is not None and self.file.startswith(_shown(str(place))):
            self.args = (str(self.args[0]).replace(_shown(str(place)), _shown(str(now))),)
            self.file = self.file.replace(_shown(str(place)), _shown(str(now)))
        return self

    def __str__(self) -> str:
        return in_words_of_the_caller(super().__str__())


class ConsensusWarning(UserWarning):
    """What to know before trusting a result; given by ``consensus.fit`` and ``consensus.run``.

    Examples
    --------
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore", consensus.ConsensusWarning)
    ...     result = consensus.fit(judgments)
    """


class ConfigError(ConsensusError):
    """A setting is out of range, unknown, or contradicts another."""

    code = "bad_setting"


class OutputError(ConsensusError):
    """An output can't be written, or would overwrite something."""

    code = "bad_output"

    @classmethod
    def of(cls, error: OSError, file: str | Path) -> Self:
        """What the system says of a ``file`` that is to be written, and the way out."""
        return cls(refused(error), file)


class RunError(OutputError):
    """A folder is not the output of a run, or its inputs are not what they were."""

    code = "no_run"


class StateError(OutputError):
    """A folder is no state, of another version, was changed, or another process writes it."""

    code = "no_state"


class ServerError(ConsensusError):
    """Another machine can't be reached, refuses a request, or answers what can't be used."""

    code = "bad_server"


class JudgmentError(ConsensusError):
    """The judgments or gold labels can't be used as they are."""


class FormatError(JudgmentError):
    """A file or frame can't be read as a table of judgments."""

    code = "bad_file"


def refused(error: OSError) -> str:
    """What is said of something that can't be written, and the way out."""
    return f"can't be written: {reason(error)}; {WAYS_OUT.get(error.errno or 0, ELSEWHERE)}"


def reason(error: OSError) -> str:
    """What the system says, as a part of a sentence."""
    return str(error.strerror or error).lower()


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
