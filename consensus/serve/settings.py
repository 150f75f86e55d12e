"""How a service is reached: host, port, token; checked before anything is loaded."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass
from importlib.util import find_spec

from consensus.errors import ConfigError

TOKEN = "CONSENSUS_TOKEN"
"""The environment variable that holds the token."""
SHORTEST_TOKEN = 16


@dataclass(frozen=True, slots=True)
class Reached:
    """How a service is reached."""

    host: str
    port: int
    token: str | None = None

    @classmethod
    def of(cls, host: str, port: int) -> Reached:
        """A host and a port, with the token of the environment.

        Raises
        ------
        ConfigError
            The host is not loopback and there is no token, or it is too short, or the extra ``serve`` is missing.
        """
        if any(find_spec(name) is None for name in ("fastapi", "uvicorn")):
            raise ConfigError(
                "a service needs FastAPI and uvicorn; install crowd-consensus[serve]", code="missing_library"
            )
        token = os.environ.get(TOKEN) or None
        if token is None and not is_loopback(host):
            raise ConfigError(
                f"--host {host} can be reached by other machines, and no token is set; set the environment variable "
                f"{TOKEN} to {SHORTEST_TOKEN} characters or more, or leave out --host",
                code="missing_input",
            )
        if token is not None and (len(token) < SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
            raise ConfigError(
                f"the environment variable {TOKEN} is too short, or holds more than plain ASCII; give "
                f"{SHORTEST_TOKEN} characters or more"
            )
        return cls(host, port, token)

    def bound(self) -> socket.socket:
        """The socket, which is bound and not yet listened to.

        Raises
        ------
        ConfigError
            The port is taken, or there is no such host.
        """
        try:
            family, kind, number, _, address = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            found = socket.socket(family, kind, number)
        except OSError:
            raise ConfigError(f"--host {self.host}: there is no such host; name one of this machine") from None
        try:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            found.bind(address)
        except OSError as error:
            found.close()
            reason = (error.strerror or str(error)).lower()
            raise ConfigError(
                f"--host {self.host} --port {self.port}: {reason}; choose another port, or 0 for a free one"
            ) from None
        return found


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address(host: str, port: int) -> str:
    """Such as ``http://127.0.0.1:8000``."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
