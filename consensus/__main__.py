"""``python -m consensus`` and the ``consensus`` command."""

import sys
from collections.abc import Sequence

from consensus.cli import app
from consensus.errors import ConsensusError


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an expected error is one line on stderr and exit status 1.

    Raises
    ------
    SystemExit
        Always: 0 done, 1 the input or settings are wrong, 2 usage.
    """
    try:
        app(args=None if arguments is None else list(arguments), prog_name="consensus")
    except ConsensusError as error:
        sys.stderr.write(f"consensus: {error}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
