"""tests.guests.load: what counts as lost, against real servers that fail in real ways."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.guests.load import Load

ROOT = Path(__file__).parents[2]
WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nfirst 01234"
LAST = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 11\r\n\r\nfirst 01234"
STOP_AFTER = 3  # requests that a client asks, or more

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def loaded(serve: Server, clients: dict[str, int], *, patience: float = 60.0) -> Load:
    """What the clients saw of a server that has served at least so many of them."""

    async def run() -> Load:
        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with listening:
            load = Load("127.0.0.1", port, least=STOP_AFTER, patience=patience, stopped=True)
            await load.run(clients)
        return load

    return asyncio.run(run())


async def asked(reader: asyncio.StreamReader) -> bool:
    """Whether one more request has come."""
    try:
        await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return False
    return True


def answering(answer: bytes, *, times: int = 1) -> Server:
    """Each connection gets the answer so many times, and is then closed at once."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(times):
            if await asked(reader):
                writer.write(answer)
        writer.close()

    return serve


@pytest.mark.parametrize("kind", ["closing", "keep-alive", "slow"])
def test_a_whole_answer_is_no_loss(kind: str) -> None:
    load = loaded(answering(WHOLE, times=100), {kind: 1})
    assert (load.kinds[kind].asked, load.kinds[kind].lost) == (STOP_AFTER, 0)


@pytest.mark.parametrize(
    ("kind", "count"), [("keep-alive", 1), ("pausing", 1), ("closing", STOP_AFTER)]
)
def test_a_connection_is_kept_or_not(kind: str, count: int) -> None:
    connections: list[bool] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(True)
        while await asked(reader):
            writer.write(WHOLE)
        writer.close()

    loaded(serve, {kind: 1})
    assert len(connections) == count


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n", "status 503"),
        (WHOLE[:-1], f"the connection ended after {len(WHOLE) - 1} bytes"),
        (b"HTTP/1.1 200 OK\r\n", "the connection ended after 17 bytes"),
        (b"", "the connection ended after 0 bytes"),
        (b"hello\r\n\r\n", "no HTTP"),
    ],
    ids=["503", "body cut off", "head cut off", "no answer", "not HTTP"],
)
@pytest.mark.parametrize("kind", ["closing", "keep-alive"])
def test_any_other_answer_is_a_loss(kind: str, answer: bytes, reason: str) -> None:
    found = loaded(answering(answer), {kind: 1}).kinds[kind]
    assert (found.asked, found.lost) == (STOP_AFTER, STOP_AFTER)
    assert reason in found.reasons[0]


def test_no_answer_in_time_is_a_loss() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    found = loaded(serve, {"closing": 1}, patience=0.1).kinds["closing"]
    assert (found.asked, found.lost) == (STOP_AFTER, STOP_AFTER)
    assert "TimeoutError" in found.reasons[0]


def test_a_refused_connection_is_a_loss() -> None:
    async def run() -> Load:
        closed = await asyncio.start_server(answering(WHOLE), "127.0.0.1", 0)
        port = closed.sockets[0].getsockname()[1]
        closed.close()
        await closed.wait_closed()
        load = Load("127.0.0.1", port, least=STOP_AFTER, stopped=True)
        await load.run({"keep-alive": 1})
        return load

    found = asyncio.run(run()).kinds["keep-alive"]
    assert (found.asked, found.lost) == (STOP_AFTER, STOP_AFTER)
    assert "ConnectionRefusedError" in found.reasons[0]


def test_a_connection_that_ends_under_a_request_is_a_loss() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await asked(reader):
            writer.write(WHOLE)
        await asked(reader)  # it was sent, and is not answered
        writer.close()

    found = loaded(serve, {"keep-alive": 1}).kinds["keep-alive"]
    assert (found.asked, found.lost) == (3, 1)


def test_a_connection_that_ends_before_a_request_is_replaced() -> None:
    found = loaded(answering(WHOLE), {"pausing": 1}).kinds["pausing"]
    assert (found.asked, found.lost) == (STOP_AFTER, 0)


def test_a_client_that_is_told_of_the_end_takes_another_connection() -> None:
    found = loaded(answering(LAST), {"keep-alive": 1}).kinds["keep-alive"]
    assert (found.asked, found.lost) == (STOP_AFTER, 0)


async def started(port: int, stdin: int, *more: str) -> asyncio.subprocess.Process:
    """The program with one client that closes."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.guests.load", f"http://127.0.0.1:{port}"),
        *("--closing", "1", "--keep-alive", "0", "--slow", "0", *more),
        cwd=ROOT,
        stdin=stdin,
        stdout=subprocess.PIPE,
    )


def test_as_a_program_it_asks_until_its_input_ends_and_says_what_it_saw() -> None:
    async def run() -> bytes:
        many = asyncio.Event()
        seen: list[bool] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(True)
            if len(seen) == 20:
                many.set()
            await answering(WHOLE)(reader, writer)

        listening = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with listening:
            program = await started(port, subprocess.PIPE)
            try:
                await asyncio.wait_for(many.wait(), 60)
                output, _ = await program.communicate(b"")  # its input ends
            finally:
                with suppress(ProcessLookupError):
                    program.kill()
                await program.wait()
        assert program.returncode == 0
        assert json.loads(output)["kinds"] == {
            "closing": {"asked": len(seen), "lost": 0, "reasons": []}
        }
        return output

    found = json.loads(asyncio.run(run()))
    assert list(found["labels"]) == ["first"]


def test_as_a_program_it_goes_on_until_the_least_was_asked() -> None:
    async def run() -> bytes:
        listening = await asyncio.start_server(answering(WHOLE), "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        async with listening:
            program = await started(port, subprocess.DEVNULL, "--least", "30")
            return (await program.communicate())[0]

    assert json.loads(asyncio.run(run()))["kinds"]["closing"]["asked"] >= 30
