"""A line to a server on loopback that can be cut, and mended."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Line:
    """Passes connections on to `upstream`; while it is cut, none is kept and none is taken."""

    upstream: str
    listener: socket.socket = field(
        default_factory=lambda: socket.create_server(("127.0.0.1", 0), backlog=64)
    )
    _open: set[socket.socket] = field(default_factory=set)
    _cut: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def cut(self) -> None:
        self._cut = True
        for end in list(self._open):
            with contextlib.suppress(OSError):  # it has just been closed
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._cut = False

    def run(self) -> None:
        """Until the listener is shut down."""
        pumps = []
        with contextlib.suppress(OSError):
            while True:
                pumps += self._joined(self.listener.accept()[0])
        self.cut()
        for pump in pumps:
            pump.join()

    def _joined(self, taken: socket.socket) -> list[threading.Thread]:
        if self._cut:
            taken.close()
            return []
        asked = urlsplit(self.upstream)
        given = socket.create_connection((asked.hostname or "", asked.port or 0))
        both = [(taken, given), (given, taken)]
        pumps = [threading.Thread(target=self._pump, args=ends) for ends in both]
        self._open |= {taken, given}
        for pump in pumps:
            pump.start()
        return pumps

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while some := source.recv(65_536):
                sink.sendall(some)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self._open.discard(source)
        source.close()


@contextlib.contextmanager
def line_to(upstream: str) -> Iterator[Line]:
    """A line, which is gone afterwards."""
    line = Line(upstream)
    thread = threading.Thread(target=line.run)
    thread.start()
    try:
        yield line
    finally:
        line.listener.shutdown(socket.SHUT_RDWR)
        thread.join()
        line.listener.close()
