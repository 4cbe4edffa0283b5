"""An Amazon API Gateway HTTP API, with payload format 2.0 or 1.0.

Amazon API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs",
"Stages for HTTP APIs", "API mappings". `seen` is a live capture, published in the tests of
hotsock/voker (#8).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from deploy.local.front_ends import payload_1, payload_2
from deploy.local.front_ends.headers import cookies, joined, lower, without
from deploy.local.front_ends.message import (
    Event,
    Headers,
    HttpRequest,
    HttpResponse,
    Moment,
    as_json,
)

# "Quotas for configuring and running an HTTP API": 10 MB, of which Lambda takes 6.
BODY_LIMIT = 10_485_760
INTERNAL_ERROR = as_json(500, {"message": "Internal Server Error"})
BAD_REQUEST = as_json(400, {"message": "Bad Request"})
TOO_LARGE = as_json(413, {"message": "Request Entity Too Large"})
_INVALID = re.compile(r"%(?![0-9a-fA-F]{2})")


@dataclass(frozen=True)
class HttpApi:
    """One stage of an HTTP API, at `domain`.

    A stage other than $default stands before the path, in the address and in the event.
    """

    domain: str
    payload: Literal["1.0", "2.0"] = "2.0"
    stage: str = "$default"
    port: int = 443
    scheme: str = "https"

    @property
    def name(self) -> str:
        return f"http-api-{self.payload}"

    def event(self, request: HttpRequest, moment: Moment) -> Event | HttpResponse:
        """The path is decoded twice, and cut at a "?" that the first time uncovers (seen)."""
        if len(request.body) > BODY_LIMIT:
            return TOO_LARGE
        path = twice_decoded(request.path)
        if path is None:
            return BAD_REQUEST
        whole = path if self.stage == "$default" else f"/{self.stage}{path}"
        form = self._payload_2 if self.payload == "2.0" else self._payload_1
        return form(request, moment, whole)

    def response(self, request: HttpRequest, result: bytes) -> HttpResponse:
        """Anything malformed is a 500."""
        if self.payload == "2.0":
            return payload_2.response(request, result, INTERNAL_ERROR)
        try:
            return payload_1.response(request, result)
        except ValueError:
            return INTERNAL_ERROR

    def failure(self) -> HttpResponse:
        """500, without the function's error."""
        return INTERNAL_ERROR

    def _payload_2(self, request: HttpRequest, moment: Moment, path: str) -> Event:
        """The cookies stand in a list of their own only (seen)."""
        headers = lower(without(self._headers(request), "cookie"))
        event: Event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "headers": joined(headers),
            "requestContext": payload_2.request_context(
                request, moment, self.domain, self.stage, account="123456789012", path=path
            ),
            **payload_2.query_part(request),
            **payload_2.body_part(request),
        }
        if sent := cookies(request.headers):
            event["cookies"] = sent
        return event

    def _payload_1(self, request: HttpRequest, moment: Moment, path: str) -> Event:
        return {
            "version": "1.0",
            "resource": "$default",
            "path": path,
            "httpMethod": request.method,
            **payload_1.head_part(self._headers(request)),
            **payload_1.query_part(request),
            "requestContext": payload_1.request_context(
                request, moment, self.domain, self.stage, path
            ),
            "pathParameters": None,
            "stageVariables": None,
            "body": None,
            **payload_2.body_part(request),
        }

    def _headers(self, request: HttpRequest) -> Headers:
        """X-Forwarded-For is appended to (assumed)."""
        before = request.last("x-forwarded-for")
        own = {
            "X-Forwarded-For": f"{before}, {request.client}" if before else request.client,
            "X-Forwarded-Proto": self.scheme,
            "X-Forwarded-Port": str(self.port),
        }
        return [*without(request.headers, *(name.lower() for name in own)), *own.items()]


def twice_decoded(path: str) -> str | None:
    """The path as an HTTP API tells it, or None when it refuses it.

    Seen: %2F is "/", %3F ends the path, %252F is "/" as well, %25 before what is no
    escape is refused.
    """
    once = unquote(path).partition("?")[0]
    return None if _INVALID.search(path) or _INVALID.search(once) else unquote(once)
