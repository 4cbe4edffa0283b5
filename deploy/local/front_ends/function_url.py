"""A Lambda Function URL.

AWS Lambda Developer Guide, "Invoking Lambda function URLs": request and response payload
format, version 2.0. `seen` is a live capture, published in the tests of hotsock/voker (#8).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from deploy.local.front_ends import payload_2
from deploy.local.front_ends.headers import cookies, joined, lower
from deploy.local.front_ends.message import Event, HttpRequest, HttpResponse, Moment, as_json

INTERNAL_ERROR = HttpResponse(502, (payload_2.JSON,), b"Internal Server Error")
TOO_LARGE = as_json(413, {"Message": "Request Entity Too Large"})


@dataclass(frozen=True)
class FunctionUrl:
    """A Function URL; `domain` is its host name on AWS, `port` where it was asked."""

    domain: str
    port: int
    scheme: str = "http"
    name: str = "function-url"

    def event(self, request: HttpRequest, moment: Moment) -> Event | HttpResponse:
        """The path stays encoded in rawPath and is decoded in the context (seen)."""
        event: Event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": request.path,
            "headers": self._headers(request),
            "requestContext": payload_2.request_context(
                request,
                moment,
                self.domain,
                "$default",
                account="anonymous",
                path=unquote(request.path),
            ),
            **payload_2.query_part(request),
            **payload_2.body_part(request),
        }
        if sent := cookies(request.headers):
            event["cookies"] = sent
        return event

    def response(self, request: HttpRequest, result: bytes) -> HttpResponse:
        """Anything malformed is a 502."""
        return payload_2.response(request, result, INTERNAL_ERROR)

    def failure(self) -> HttpResponse:
        """502, without the function's error."""
        return INTERNAL_ERROR

    def _headers(self, request: HttpRequest) -> dict[str, str]:
        """The Cookie header stays beside the cookies (seen)."""
        return joined(lower(request.headers)) | {
            "x-forwarded-for": request.client,
            "x-forwarded-proto": self.scheme,
            "x-forwarded-port": str(self.port),
        }
