"""HTTP request -> Function URL event, and the function's result -> HTTP response. Pure.

AWS Lambda Developer Guide, "Invoking Lambda function URLs": request and response payload
format, version 2.0.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

Headers = Sequence[tuple[str, str]]

_TEXT = re.compile(
    r"text/.*|application/(json|javascript|xml|.*\+json|.*\+xml)(;.*)?", re.IGNORECASE
)


@dataclass(frozen=True)
class HttpRequest:
    """A request as it came in; path and query still percent-encoded, header names as sent."""

    method: str
    path: str
    query: str
    headers: Headers
    body: bytes
    client: str
    protocol: str = "HTTP/1.1"


@dataclass(frozen=True)
class Endpoint:
    """The Function URL that was asked; `domain` is its host name on AWS."""

    domain: str
    port: int

    @property
    def url_id(self) -> str:
        return self.domain.split(".")[0]


@dataclass(frozen=True)
class HttpResponse:
    """What the caller gets."""

    status: int
    headers: Headers = field(default=())
    body: bytes = b""


_JSON = (("content-type", "application/json"),)
INTERNAL_ERROR = HttpResponse(502, _JSON, b"Internal Server Error")


def event_from(
    request: HttpRequest, endpoint: Endpoint, request_id: str, now: datetime
) -> dict[str, Any]:
    """The event that the handler gets for the request."""
    headers = _joined(request, endpoint)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": _context(request, endpoint, request_id, now),
        **_body(request.body, headers.get("content-type", "")),
    }
    if cookies := _cookies(request.headers):
        event["cookies"] = cookies
    if request.query:
        event["queryStringParameters"] = _parameters(request.query)
    return event


def _joined(request: HttpRequest, endpoint: Endpoint) -> dict[str, str]:
    """Names in lower case, values of one name joined by commas, cookies left out."""
    joined: dict[str, str] = {}
    for name, value in request.headers:
        lower = name.lower()
        if lower != "cookie":
            joined[lower] = f"{joined[lower]},{value}" if lower in joined else value
    joined["x-forwarded-for"] = request.client
    joined["x-forwarded-proto"] = "http"
    joined["x-forwarded-port"] = str(endpoint.port)
    return joined


def _cookies(headers: Headers) -> list[str]:
    sent = (value for name, value in headers if name.lower() == "cookie")
    return [part.strip() for value in sent for part in value.split(";") if part.strip()]


def _parameters(query: str) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        parameters[name] = f"{parameters[name]},{value}" if name in parameters else value
    return parameters


def _context(
    request: HttpRequest, endpoint: Endpoint, request_id: str, now: datetime
) -> dict[str, Any]:
    agents = [value for name, value in request.headers if name.lower() == "user-agent"]
    return {
        "accountId": "anonymous",
        "apiId": endpoint.url_id,
        "domainName": endpoint.domain,
        "domainPrefix": endpoint.url_id,
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.client,
            "userAgent": agents[0] if agents else "",
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": now.astimezone(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now.timestamp() * 1000),
    }


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    """Text of a textual media type as it is, anything else in base64."""
    if not body:
        return {"isBase64Encoded": False}
    if _TEXT.fullmatch(content_type):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def response_from(payload: bytes) -> HttpResponse:
    """The response that Lambda makes of a handler's result.

    A result without statusCode is the body of a 200 answer in JSON; anything that is not
    a well-formed response beyond that is a 502.
    """
    try:
        result = json.loads(payload)
        if not isinstance(result, dict) or "statusCode" not in result:
            body = result.encode() if isinstance(result, str) else payload
            return HttpResponse(200, _JSON, body)
        return HttpResponse(_status(result), _headers(result), _decoded(result))
    except (ValueError, TypeError, AttributeError, binascii.Error):
        return INTERNAL_ERROR


def _status(result: dict[str, Any]) -> int:
    status = result["statusCode"]
    if (
        isinstance(status, bool)
        or not isinstance(status, int | str)
        or not 100 <= int(status) <= 599
    ):
        raise ValueError(f"statusCode is {status!r}")
    return int(status)


def _headers(result: dict[str, Any]) -> Headers:
    given = {str(name).lower(): value for name, value in (result.get("headers") or {}).items()}
    given.setdefault("content-type", "application/json")
    plain = [(name, _text(value)) for name, value in given.items()]
    return (*plain, *(("set-cookie", str(cookie)) for cookie in result.get("cookies") or ()))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise TypeError(f"a header's value is {value!r}")


def _decoded(result: dict[str, Any]) -> bytes:
    body = result.get("body")
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body)
    return base64.b64decode(text, validate=True) if result.get("isBase64Encoded") else text.encode()
