"""The error tree.

::

    ConsensusError
    ├── ConfigError          a setting is out of range, unknown or contradicts another
    ├── OutputError          an output can't be written, or would overwrite something
    └── JudgmentError        the judgments (or gold) can't be used as they are
        └── FormatError      a file or frame can't be read as judgments

Every message says what was found, where, and what to do about it, on one line: on the command line in its options, in
Python in arguments (``consensus.wording``).
"""

from __future__ import annotations

from consensus.wording import in_words_of_the_caller


class ConsensusError(Exception):
    """Base of every error that this package raises on purpose. Its message is one line, whatever the data holds.

    Examples
    --------
    >>> try:
    ...     consensus.fit(judgments, priors="none")
    ... except consensus.ConsensusError as error:
    ...     print(error)
    unknown setting "priors"; did you mean prior?
    """

    def __init__(self, message: str) -> None:
        super().__init__("".join(one if one.isprintable() else repr(one)[1:-1] for one in message))

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


class OutputError(ConsensusError):
    """An output can't be written, or would overwrite something."""


class JudgmentError(ConsensusError):
    """The judgments or gold labels can't be used as they are."""


class FormatError(JudgmentError):
    """A file or frame can't be read as a table of judgments."""
