"""Asks a service without a pause until standard input ends; then says what came of it.

    python -m tests.guests.load URL [--closing N] [--keep-alive N] [--slow N] [--most N]

Three kinds of clients: a new connection for each request, one connection for many, and
requests that take three seconds. A request is lost when it was sent and no whole answer with
status 200 came back; nothing is tried a second time. Prints one JSON document: for each kind
`asked`, `lost` and the first reasons, `digests` in the order in which they were first seen,
with seconds since the start, and the longest time without an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

import uvloop

PATIENCE = 60.0
SLOW = "/slow"
_REASONS = 5


@dataclass
class Kind:
    """What one kind of clients saw."""

    asked: int = 0
    lost: int = 0
    reasons: list[str] = field(default_factory=list)

    def lose(self, why: object) -> None:
        self.lost += 1
        if len(self.reasons) < _REASONS:
            self.reasons.append(str(why))


class LostError(Exception):
    """No whole answer with status 200."""


@dataclass
class Load:
    """The clients, and what they have seen so far."""

    host: str
    port: int
    most: int = 0
    kinds: dict[str, Kind] = field(default_factory=dict)
    digests: dict[str, float] = field(default_factory=dict)
    silence: float = 0.0
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    start: float = field(default_factory=time.monotonic)
    last: float = field(default_factory=time.monotonic)

    async def run(self, clients: dict[str, int]) -> None:
        ways: dict[str, Callable[[Kind], Awaitable[None]]] = {
            "closing": self._closing,
            "keep-alive": self._keep_alive,
            "slow": self._slow,
        }
        for name, count in clients.items():
            if count:
                self.kinds[name] = Kind()
        self.last = time.monotonic()
        await asyncio.gather(
            *(ways[name](kind) for name, kind in self.kinds.items() for _ in range(clients[name]))
        )

    @property
    def is_over(self) -> bool:
        asked = sum(kind.asked for kind in self.kinds.values())
        return self.stopped.is_set() or bool(self.most and asked >= self.most)

    async def _closing(self, kind: Kind) -> None:
        while not self.is_over:
            await self._counted(kind, self._alone("/"))

    async def _slow(self, kind: Kind) -> None:
        while not self.is_over:
            await self._counted(kind, self._alone(SLOW))

    async def _alone(self, path: str) -> None:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            await self._answer(reader, writer, path, "close")
        finally:
            writer.close()

    async def _keep_alive(self, kind: Kind) -> None:
        while not self.is_over:
            try:
                reader, writer = await asyncio.open_connection(self.host, self.port)
            except OSError as refusal:
                kind.asked += 1
                kind.lose(refusal)
                await asyncio.sleep(0.05)
                continue
            try:
                stays = True
                while stays and not self.is_over:
                    stays = bool(
                        await self._counted(kind, self._answer(reader, writer, "/", "keep-alive"))
                    )
            finally:
                writer.close()

    async def _counted(self, kind: Kind, asking: Awaitable[bool | None]) -> bool | None:
        """Whether the connection stays; a request that was lost is written down."""
        kind.asked += 1
        try:
            async with asyncio.timeout(PATIENCE):
                stays = await asking
        except (OSError, LostError, asyncio.IncompleteReadError, TimeoutError) as why:
            kind.lose(repr(why))
            await asyncio.sleep(0.05)  # a refused client must not use up the processor
            return False
        now = time.monotonic()
        self.silence, self.last = max(self.silence, now - self.last), now
        return stays

    async def _answer(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, way: str
    ) -> bool:
        """Reads a whole answer; gives whether the server keeps the connection."""
        request = f"GET {path} HTTP/1.1\r\nHost: service\r\nConnection: {way}\r\n\r\n"
        writer.write(request.encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if not head.startswith("http/1.1 200"):
            raise LostError(head.splitlines()[0])
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if line.startswith("content-le")
        )
        body = (await reader.readexactly(length)).decode()
        seen = body.split()[0] if body else ""
        if seen not in self.digests:
            self.digests[seen] = round(time.monotonic() - self.start, 1)
        return "connection: close" not in head

    def document(self) -> dict[str, object]:
        return {
            "kinds": {name: asdict(kind) for name, kind in self.kinds.items()},
            "digests": self.digests,
            "seconds": round(time.monotonic() - self.start, 1),
            "silence": round(self.silence, 2),
        }


async def _main(given: argparse.Namespace) -> dict[str, object]:
    address = urlsplit(given.url)
    load = Load(address.hostname or "", address.port or 80, given.most)
    loop = asyncio.get_running_loop()

    def wait_for_the_end() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(load.stopped.set)

    # A daemon: with --most the load ends by itself, and nobody closes standard input.
    threading.Thread(target=wait_for_the_end, daemon=True).start()
    clients = {"closing": given.closing, "keep-alive": given.keep_alive, "slow": given.slow}
    await load.run(clients)
    return load.document()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--closing", type=int, default=4)
    parser.add_argument("--keep-alive", type=int, default=8)
    parser.add_argument("--slow", type=int, default=4)
    parser.add_argument("--most", type=int, default=0, help="end after so many requests")
    found = uvloop.run(_main(parser.parse_args()))
    print(json.dumps(found, indent=2), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
