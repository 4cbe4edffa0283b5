"""Asks a service without a pause until standard input ends; then says what came of it.

    python -m tests.guests.load URL [--closing N] [--keep-alive N] [--pausing N] [--slow N]
                                    [--pause SECONDS] [--least N] [--tell SECONDS]

Four kinds of clients: a new connection for each request; one connection for many; the same with
a pause before each, so that a server that ends closes idle connections; and requests that take
three seconds. A request is lost when it was sent, or could not be for want of a connection, and
no whole answer with status 200 came back; nothing is tried a second time. A connection whose end
the client has seen is replaced and nothing is lost, one that ends under a request is a loss.
Prints one JSON document: for each kind `asked`, `lost` and the first reasons; `labels`, the first
word of each answer in the order in which they were first seen, with seconds since the start; and
the longest time without an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop

PATIENCE = 60.0
_AFTER_LOSS = 0.05  # a refused client must not use up the processor
_REASONS = 10


@dataclass(frozen=True)
class Way:
    """How one kind of clients asks; `pause` is the longest, in seconds."""

    keeps: bool
    path: str = "/"
    pause: float = 0.0

    @property
    def request(self) -> bytes:
        way = "keep-alive" if self.keeps else "close"
        return f"GET {self.path} HTTP/1.1\r\nHost: service\r\nConnection: {way}\r\n\r\n".encode()


WAYS: Mapping[str, Way] = MappingProxyType(
    {
        "closing": Way(keeps=False),
        "keep-alive": Way(keeps=True),
        "pausing": Way(keeps=True, pause=3.0),
        "slow": Way(keeps=False, path="/slow"),
    }
)


@dataclass
class Kind:
    """What one kind of clients saw."""

    asked: int = 0
    lost: int = 0
    reasons: list[str] = field(default_factory=list)

    def lose(self, why: str) -> None:
        self.lost += 1
        if len(self.reasons) < _REASONS:
            self.reasons.append(why)


class LostError(Exception):
    """No whole answer with status 200."""


class Connection(asyncio.Protocol):
    """One connection, on which one request at a time is asked."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[bytes] | None = None
        self._body = b""
        self._received = 0
        self._parser = httptools.HttpResponseParser(self)
        self.is_open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.is_open = True

    async def ask(self, request: bytes) -> bytes:
        """The body of the answer.

        Raises:
            LostError: another status, or the connection ended before the answer was whole.
        """
        self._answer = asyncio.get_running_loop().create_future()
        self._body, self._received = b"", 0
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        self.is_open = False
        self._transport.close()

    def data_received(self, chunk: bytes) -> None:
        self._received += len(chunk)
        try:
            self._parser.feed_data(chunk)
        except httptools.HttpParserError as error:
            self._lose(f"no HTTP: {error}")

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        self.is_open = self._parser.should_keep_alive()
        if status != 200:
            self._lose(f"status {status}")
        elif self._is_awaited:
            cast("asyncio.Future[bytes]", self._answer).set_result(self._body)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_open = False
        self._lose(f"the connection ended after {self._received} bytes: {error!r}")

    @property
    def _is_awaited(self) -> bool:
        return self._answer is not None and not self._answer.done()

    def _lose(self, why: str) -> None:
        if self._is_awaited:
            cast("asyncio.Future[bytes]", self._answer).set_exception(LostError(why))


@dataclass
class Load:
    """The clients, and what they have seen so far."""

    host: str
    port: int
    least: int = 0
    pause: float = 0.0
    patience: float = PATIENCE
    kinds: dict[str, Kind] = field(default_factory=dict)
    labels: dict[str, float] = field(default_factory=dict)
    silence: float = 0.0
    stopped: bool = False
    start: float = field(default_factory=time.monotonic)

    async def run(self, clients: Mapping[str, int]) -> None:
        """The clients ask until `stopped` is set and `least` requests were asked."""
        self.kinds = {name: Kind() for name, count in clients.items() if count}
        self.start = self._last = time.monotonic()
        await asyncio.gather(
            *(
                self._client(WAYS[name], kind)
                for name, kind in self.kinds.items()
                for _ in range(clients[name])
            )
        )

    @property
    def is_over(self) -> bool:
        return self.stopped and self.asked >= self.least

    @property
    def asked(self) -> int:
        return sum(kind.asked for kind in self.kinds.values())

    @property
    def lost(self) -> int:
        return sum(kind.lost for kind in self.kinds.values())

    async def _client(self, way: Way, kind: Kind) -> None:
        request = way.request
        connection: Connection | None = None
        while not self.is_over:
            kind.asked += 1
            try:
                async with asyncio.timeout(self.patience):
                    if connection is None or not connection.is_open:
                        connection = await self._connected()
                    self._saw(await connection.ask(request))
            except (OSError, LostError) as why:
                kind.lose(f"after {time.monotonic() - self.start:.1f} s: {why!r}")
                if connection:
                    connection.close()
                await asyncio.sleep(_AFTER_LOSS)
            if connection and not way.keeps:
                connection.close()
            if pause := max(way.pause, self.pause):
                await asyncio.sleep(random.uniform(0.0, pause))
        if connection:
            connection.close()

    async def _connected(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, self.host, self.port)
        return connection

    def _saw(self, body: bytes) -> None:
        now = time.monotonic()
        if not self.is_over:  # then there are fewer and fewer clients
            self.silence = max(self.silence, now - self._last)
        self._last = now
        label = body.split(b" ", 1)[0].decode()
        if label not in self.labels:
            self.labels[label] = round(now - self.start, 1)

    def document(self) -> dict[str, object]:
        return {
            "kinds": {name: asdict(kind) for name, kind in self.kinds.items()},
            "labels": self.labels,
            "seconds": round(time.monotonic() - self.start, 1),
            "silence": round(self.silence, 2),
        }


async def _told(load: Load, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        print(f"  {load.asked:,} asked, {load.lost:,} lost", file=sys.stderr, flush=True)  # noqa: T201


async def _main(given: argparse.Namespace) -> dict[str, object]:
    address = urlsplit(given.url)
    load = Load(address.hostname or "", address.port or 80, given.least, given.pause)

    def await_the_end() -> None:
        sys.stdin.read()
        load.stopped = True

    threading.Thread(target=await_the_end, daemon=True).start()
    telling = asyncio.ensure_future(_told(load, given.tell)) if given.tell else None
    await load.run({name: getattr(given, name.replace("-", "_")) for name in WAYS})
    if telling:
        telling.cancel()
    return load.document()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.guests.load", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--closing", type=int, default=4)
    parser.add_argument("--keep-alive", type=int, default=8)
    parser.add_argument("--pausing", type=int, default=0)
    parser.add_argument("--slow", type=int, default=4)
    parser.add_argument("--pause", type=float, default=0.0, help="of every client, at most")
    parser.add_argument("--least", type=int, default=0, help="go on until so many were asked")
    parser.add_argument("--tell", type=float, default=0.0, help="say how many, every so often")
    try:
        found = uvloop.run(_main(parser.parse_args(arguments)))
    except KeyboardInterrupt:
        return 130
    print(json.dumps(found, indent=2), flush=True)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
