"""A service that runs until a signal ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.inputs.counted import counted
from consensus.serve.refitting import Refitting
from consensus.serve.settings import Reached, address
from consensus.state import streams

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PATIENCE = 5.0
"""Seconds that requests, and a fit, may go on when the service is to end."""


def serve(
    state: Path,
    reached: Reached,
    *,
    seconds: float,
    judgments: int,
    wait: float,
    access_log: bool,
    say: Callable[[str], None],
) -> None:
    """Serve a state until SIGINT or SIGTERM; it is fitted anew ``seconds`` after a judgment, or after so many.

    Raises
    ------
    ConsensusError
        It is no state, another process has it, or the port is taken.
    """
    import logging

    import uvicorn

    from consensus.serve import app

    with reached.bound() as bound, streams.open(state, wait=wait) as stream:
        if access_log:
            handler = logging.StreamHandler()
            handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            logging.getLogger("uvicorn.access").addHandler(handler)
            logging.getLogger("uvicorn.access").setLevel(logging.INFO)
        config = uvicorn.Config(
            app.made(stream, reached.token),
            access_log=access_log,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=int(PATIENCE),
            server_header=False,
        )
        refitting = Refitting(stream, seconds, judgments, say)
        bound.listen()  # whoever reads the line may ask at once
        at = address(reached.host, bound.getsockname()[1])
        say(f"serving {state} at {at}: {counted(stream.n_judgments, 'judgment')}, {stream.n_new:,} of them new")
        refitting.start()
        try:
            uvicorn.Server(config).run(sockets=[bound])
        finally:
            refitting.stop(PATIENCE)
