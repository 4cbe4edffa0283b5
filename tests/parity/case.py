"""One case, and what came of it in either runtime."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from deploy.local.front_ends.message import HttpRequest

HOST = "api.example.com"
CLIENT = "127.0.0.1"
Step = list[Any]


@dataclass(frozen=True)
class Case:
    """A request, and the script of its answer; without one the application mirrors it."""

    method: str = "GET"
    path: str = "/"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    script: tuple[Step, ...] | None = None

    @property
    def request(self) -> HttpRequest:
        """As it goes over the wire, with the headers that every client sends."""
        headers = [("host", HOST), *self.headers]
        if self.script is not None:
            script = base64.b64encode(json.dumps(self.script).encode()).decode()
            headers.append(("x-script", script))
        if self.body:
            headers.append(("content-length", str(len(self.body))))
        headers.append(("x-request-id", "case-1"))
        return HttpRequest(self.method, self.path, self.query, headers, self.body, CLIENT)

    @property
    def mirrors(self) -> bool:
        return self.script is None


@dataclass(frozen=True)
class Answer:
    """A response as it came; `cut` when the connection ended before it was whole."""

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=())
    body: bytes = b""
    cut: bool = False


def wire(request: HttpRequest) -> bytes:
    """The request's bytes."""
    target = f"{request.path}?{request.query}" if request.query else request.path
    lines = [f"{request.method} {target} {request.protocol}"]
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + request.body
