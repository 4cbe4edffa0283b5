"""Requests and what the front ends make of them, in few words."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from deploy.local.front_ends.message import FrontEnd, HttpRequest, HttpResponse, Moment

MOMENT = Moment(
    datetime(2026, 3, 12, 19, 3, 58, tzinfo=UTC), "8f507cfc-0f0e-4697-b07a-ac58fc914c95"
)
TRACE = "Root=1-69b30e1e-8f507cfc0f0e4697b07aac58"
DOMAIN = "abc123.example.com"


def request(**parts: Any) -> HttpRequest:
    plain: dict[str, Any] = {
        "method": "GET",
        "path": "/",
        "query": "",
        "headers": (),
        "body": b"",
        "client": "127.0.0.1",
    }
    return HttpRequest(**{**plain, **parts})


def event(front_end: FrontEnd, **parts: Any) -> dict[str, Any]:
    made = front_end.event(request(**parts), MOMENT)
    assert isinstance(made, dict)
    return made


def posted(front_end: FrontEnd, body: bytes, content_type: str) -> tuple[object, object]:
    headers = [("content-type", content_type)] if content_type else []
    made = event(front_end, method="POST", headers=headers, body=body)
    return made["body"], made["isBase64Encoded"]


def refusal(front_end: FrontEnd, **parts: Any) -> HttpResponse:
    made = front_end.event(request(**parts), MOMENT)
    assert isinstance(made, HttpResponse)
    return made


def answer(
    front_end: FrontEnd, result: object, method: str = "GET", **headers: str
) -> HttpResponse:
    asked = request(method=method, headers=tuple(headers.items()))
    return front_end.response(asked, json.dumps(result).encode())


def status_headers_body(response: HttpResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    """The response without the length, which is that of the body."""
    headers = [pair for pair in response.headers if pair[0] != "content-length"]
    lengths = [value for name, value in response.headers if name == "content-length"]
    assert lengths in ([], [str(len(response.body))])
    return response.status, headers, response.body
