"""The application under test, a handler module of its own: it mirrors what it was asked, or
plays the script that came in the header x-script.

A script is JSON in base64, a list of steps: ["start", status, headers], ["body", text, more,
times], ["raise", text], ["exit"],
["cancel"], ["return", value], ["background"]. Bytes stand as latin-1.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from typing import Any

from service.runtime.events import EventRouter

MIRRORED = (
    "type", "asgi", "http_version", "method", "scheme", "path", "root_path", "client", "server",
    "extensions", "state",
)  # fmt: skip
events = EventRouter()


async def app(scope: Any, receive: Any, send: Any) -> Any:
    if scope["type"] == "lifespan":
        return await _lifespan(scope, receive, send)
    body = await _body(receive)
    script = dict(scope["headers"]).get(b"x-script")
    if script is not None:
        return await _play(json.loads(base64.b64decode(script)), send)
    return await _play(_mirrored(scope, body), send)


async def _lifespan(scope: Any, receive: Any, send: Any) -> None:
    scope["state"]["started"] = True
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Any) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _mirrored(scope: Any, body: bytes) -> list[list[Any]]:
    seen = {
        **{key: scope.get(key) for key in MIRRORED},
        "raw_path": (scope.get("raw_path") or b"").decode("latin-1"),
        "query_string": scope["query_string"].decode("latin-1"),
        "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in scope["headers"]],
        "body": [len(body), hashlib.sha256(body).hexdigest()],
    }
    return [["start", 200, [["content-type", "application/json"]]], ["body", json.dumps(seen)]]


async def _play(steps: list[list[Any]], send: Any) -> Any:
    for kind, *rest in steps:
        if kind == "start":
            await send(_start(*rest))
        elif kind == "body":
            await send(_part(*rest))
        elif kind == "raise":
            raise ZeroDivisionError(*rest)
        elif kind == "exit":
            raise SystemExit(*rest)
        elif kind == "cancel":
            raise asyncio.CancelledError(*rest)
        elif kind == "background":
            await asyncio.sleep(0)
        elif kind == "return":
            return rest[0]
    return None


def _start(status: int, headers: list[list[str]]) -> dict[str, Any]:
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return {"type": "http.response.start", "status": status, "headers": pairs}


def _part(text: str, more: bool = False, times: int = 1) -> dict[str, Any]:
    return {"type": "http.response.body", "body": text.encode("latin-1") * times, "more_body": more}
