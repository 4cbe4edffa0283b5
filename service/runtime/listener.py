"""The socket that the HTTP server listens on: given by supervisord, or bound here."""

import errno
import os
import socket
from pathlib import Path

from service.errors import ListenError
from service.settings import Settings

BACKLOG = 2048


def listener(settings: Settings) -> socket.socket:
    """A listening socket whose connections send small answers at once (TCP_NODELAY).

    File descriptor 0 where that is a listening socket, as under supervisord's
    fcgi-program (FastCGI specification, section 2.2), else host and port of the settings.

    Raises:
        ListenError: the address cannot be had.
    """
    sock = inherited(0) or _bound(settings.host, settings.port)
    if sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def inherited(descriptor: int) -> socket.socket | None:
    """The listening socket behind `descriptor`; None for anything else, such as a terminal.

    It is opened with its own family. As a Unix socket, which is how `uvicorn --fd`
    opens it, TCP_NODELAY could not be set. Then nothing can be read from `descriptor`:
    a child process inherits standard input, and one that outlives this process would
    keep the port.
    """
    try:
        given = socket.socket(fileno=descriptor)
    except OSError:
        return None
    try:
        if not given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return None
        sock = given.dup()
    finally:
        given.detach()  # it stays open, as it is not ours to close
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), descriptor)
    return sock


def _bound(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:
        raise ListenError(refusal(host, port, error)) from error


def refusal(host: str, port: int, error: Exception) -> str:
    """Why host and port cannot be had, and what to do about it."""
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return (
                f"Port {port} on {host} is in use. "
                f"Stop what listens there, or set --port (SERVICE_PORT) to another."
            )
        case errno.EACCES | errno.EPERM:
            return (
                f"Port {port} needs privileges that this user lacks. "
                f"Set --port (SERVICE_PORT) to 1024 or above."
            )
        case _:
            return (
                f"Host {host!r} is not an address of this machine ({error}). "
                f"Set --host (SERVICE_HOST) to one, such as 127.0.0.1 or 0.0.0.0."
            )
