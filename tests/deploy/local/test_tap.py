"""The proxy that listens, before servers and clients of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from deploy.local.overheard import LARGEST_BODY, Overheard
from deploy.local.server import Background, listen
from deploy.local.tap import tapped
from deploy.parity.request import Request

SECONDS = 60


@dataclass
class Heard:
    """What was heard."""

    requests: list[Request] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, side: str, request: Request) -> None:
        self.requests.append(request)

    def leave_out(self, side: str, request: Request, reason: str) -> None:
        self.left_out.append(reason)


@dataclass
class Wire:
    """A client's socket before the proxy, and the server's behind it."""

    client: socket.socket
    server: socket.socket
    heard: Heard


@pytest.fixture
def behind() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        yield listener


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def front(behind: socket.socket, heard: Heard) -> Iterator[tuple[str, int]]:
    """The proxy's address."""
    listener = listen(0, "")
    address = listener.getsockname()
    tap = tapped(listener, behind.getsockname()[1], lambda: Overheard("instance", heard))
    with Background() as background:
        background.run(tap.__aenter__())
        yield address
        background.run(tap.__aexit__(None, None, None))


@pytest.fixture
def wire(behind: socket.socket, heard: Heard, front: tuple[str, int]) -> Iterator[Wire]:
    with socket.create_connection(front, SECONDS) as client, behind.accept()[0] as server:
        server.settimeout(SECONDS)
        yield Wire(client, server, heard)


def received(connection: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count and (piece := connection.recv(65_536)):
        got += piece
    return got


def test_bytes_pass_unchanged_both_ways_and_requests_are_heard(wire: Wire) -> None:
    headers = b"B: 2\r\nhost: h\r\nb:  \xfc\r\nTransfer-Encoding: chunked\r\n\r\n"
    first = b"PUT //a%2f?x HTTP/1.1\r\n" + headers
    rest = b"1;ext=1\r\na\r\n2\r\n\r\n\r\n0\r\nTrailer: 1\r\n\r\nGET /2 HTTP/1.0\r\n\r\n"
    for piece in (first, rest):
        wire.client.sendall(piece)
        assert received(wire.server, len(piece)) == piece
    wire.server.sendall(b"\0anything\r\n")
    assert received(wire.client, 11) == b"\0anything\r\n"
    put, get = wire.heard.requests
    assert (put.method, put.target, put.body) == ("PUT", "//a%2f?x", b"a\r\n")
    assert put.headers == (("B", "2"), ("b", "\xfc"), ("Transfer-Encoding", "chunked"))
    assert (get.method, get.target) == ("GET", "/2")


def test_an_upgrade_passes_and_is_left_out(wire: Wire) -> None:
    asked = b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x00"
    wire.client.sendall(asked)
    assert received(wire.server, len(asked)) == asked
    wire.client.sendall(b"\x82\x00frames")
    assert received(wire.server, 8) == b"\x82\x00frames"
    assert wire.heard == Heard([], ["it leaves HTTP, and Lambda cannot"])


def test_what_is_no_http_passes(wire: Wire) -> None:
    wire.client.sendall(b"\x16\x03\x01\0")
    assert received(wire.server, 4) == b"\x16\x03\x01\0"
    assert wire.heard == Heard()


def test_a_body_larger_than_lambda_takes_passes_and_is_left_out(wire: Wire) -> None:
    body = b"x" * (LARGEST_BODY + 1)
    asked = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    sending = threading.Thread(target=wire.client.sendall, args=(asked,))
    sending.start()
    assert received(wire.server, len(asked)) == asked
    sending.join()
    assert wire.heard == Heard([], ["its body has 6291457 bytes, more than Lambda takes"])


def test_a_half_closed_client_still_gets_its_answer(wire: Wire) -> None:
    wire.client.shutdown(socket.SHUT_WR)
    assert wire.server.recv(1) == b""
    wire.server.sendall(b"late")
    assert received(wire.client, 4) == b"late"


def test_the_end_of_the_answer_ends_the_connection(wire: Wire) -> None:
    wire.server.close()
    assert wire.client.recv(1) == b""


def test_a_client_that_breaks_off_is_broken_off_behind(wire: Wire) -> None:
    _reset(wire.client)
    with pytest.raises(ConnectionResetError):
        wire.server.recv(1)


def test_a_server_that_breaks_off_is_broken_off_before(wire: Wire) -> None:
    wire.server.sendall(b"half an")
    assert received(wire.client, 7) == b"half an"
    _reset(wire.server)
    with pytest.raises(ConnectionResetError):
        wire.client.recv(1)


def test_nobody_behind_is_a_connection_that_ends(
    behind: socket.socket, front: tuple[str, int]
) -> None:
    behind.close()
    # Blocking, as a connect that is waited for would tell of a reset that comes at once.
    with socket.socket() as client:
        client.connect(front)
        client.settimeout(SECONDS)
        assert _ended(client)


def test_the_end_of_the_proxy_ends_open_connections(behind: socket.socket, heard: Heard) -> None:
    listener = listen(0, "")
    tap = tapped(listener, behind.getsockname()[1], lambda: Overheard("instance", heard))
    with Background() as background:
        background.run(tap.__aenter__())
        client = socket.create_connection(listener.getsockname(), SECONDS)
        server = behind.accept()[0]
        background.run(tap.__aexit__(None, None, None))
        with client, server:
            assert _ended(client)
            assert _ended(server)


def test_a_connection_that_is_cancelled_while_it_ends_is_closed_on_both_sides(
    behind: socket.socket, heard: Heard
) -> None:
    listener = listen(0, "")

    async def cancelled_twice() -> tuple[bytes, bytes]:
        tap = tapped(listener, behind.getsockname()[1], lambda: Overheard("instance", heard))
        async with tap:
            others = asyncio.all_tasks()
            client, writing = await asyncio.open_connection(*listener.getsockname())
            server, _ = await asyncio.to_thread(behind.accept)
            for task in (carrying := asyncio.all_tasks() - others):
                task.cancel()
            await asyncio.sleep(0)
            for task in carrying:
                task.cancel()
            with server, contextlib.closing(writing):
                server.settimeout(SECONDS)
                return await client.read(), await asyncio.to_thread(server.recv, 1)

    assert asyncio.run(cancelled_twice()) == (b"", b"")


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _ended(connection: socket.socket) -> bool:
    connection.settimeout(SECONDS)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
