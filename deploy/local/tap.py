"""A proxy on loopback that passes bytes on unchanged, both ways, and lets somebody listen."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

from deploy.local.embedded_aws import LOOPBACK
from deploy.local.overheard import Listener, Overheard

_PIECE_BYTES = 65_536
_WITH_RESET = struct.pack("ii", 1, 0)
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@contextlib.asynccontextmanager
async def tapped(listener: socket.socket, port: int, heard: Listener) -> AsyncIterator[None]:
    """While the block runs, what connects to the socket is connected to the port behind it.

    A half-closed connection is half-closed on the other side, a broken one broken, so that
    the server behind sees what it would have seen without.
    """
    open_now: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  asyncio runs this in one
        open_now.add(task)
        try:
            await _carry((reader, writer), port, heard())
        except asyncio.CancelledError:
            writer.transport.abort()  # The end of the block; nobody awaits this task's end.
        finally:
            open_now.discard(task)

    server = await asyncio.start_server(connected, sock=listener)
    try:
        yield
    finally:
        server.close()
        for task in open_now:
            task.cancel()
        await asyncio.gather(*open_now, return_exceptions=True)


async def _carry(client: Stream, port: int, heard: Overheard) -> None:
    try:
        behind = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        _break_off(client[1])
        return
    there = asyncio.create_task(_there(client[0], behind[1], heard))
    try:
        await _back(behind[0], client[1])
    finally:
        there.cancel()
        for _, writer in (behind, client):
            writer.close()
        await asyncio.gather(there, return_exceptions=True)  # last: it may be cancelled in turn


async def _there(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Overheard
) -> None:
    try:
        while piece := await reader.read(_PIECE_BYTES):
            heard.feed(piece)
            writer.write(piece)
            await writer.drain()
        writer.write_eof()
    except OSError:
        _break_off(writer)


async def _back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
    except OSError:
        _break_off(writer)


def _break_off(writer: asyncio.StreamWriter) -> None:
    """By a reset: at a mere end, an answer without a length would look whole."""
    with contextlib.suppress(OSError):  # It may be gone itself.
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _WITH_RESET)
    writer.transport.abort()
