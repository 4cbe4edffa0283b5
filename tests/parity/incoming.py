"""Bytes that come in over a connection, taken by what ends them or by their number."""

from __future__ import annotations

from abc import ABC, abstractmethod


class Incoming(ABC):
    """What has come in and was not taken yet; whoever inherits says how more comes in."""

    def __init__(self) -> None:
        self._received = b""

    @abstractmethod
    def _receive(self) -> None:
        """More bytes are in `_received`."""

    def _until(self, end: bytes) -> bytes:
        while end not in self._received:
            self._receive()
        found, _, self._received = self._received.partition(end)
        return found

    def _exactly(self, size: int) -> bytes:
        parts = [self._received]
        missing = size - len(self._received)
        while missing > 0:
            self._received = b""
            self._receive()
            parts.append(self._received)
            missing -= len(self._received)
        whole = b"".join(parts)
        self._received = whole[size:]
        return whole[:size]

    def _chunks(self) -> bytes:
        """RFC 9112, section 7.1, without trailers."""
        parts = []
        while size := int(self._until(b"\r\n"), 16):
            parts.append(self._exactly(size + 2)[:-2])
        self._exactly(2)
        return b"".join(parts)
