"""An AWS whose answers a test writes byte by byte, over a real socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

PATIENCE = 60.0


@dataclass(frozen=True)
class Upstream:
    """Waits for requests at `endpoint`, one connection after the other."""

    listener: socket.socket

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    @contextmanager
    def accepted(self) -> Iterator[socket.socket]:
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE)
        with closing(connection):
            yield connection


@contextmanager
def listening() -> Iterator[Upstream]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        yield Upstream(listener)


def received(connection: socket.socket, end: bytes) -> bytes:
    """What arrives up to and with these bytes."""
    content = b""
    while end not in content:
        chunk = connection.recv(1 << 16)
        assert chunk, content
        content += chunk
    return content
