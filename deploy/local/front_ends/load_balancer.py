"""An Application Load Balancer whose target group holds a function.

Elastic Load Balancing, Application Load Balancers, "Use Lambda functions as targets of an
Application Load Balancer"; "HTTP headers and Application Load Balancers" for what it adds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deploy.local.front_ends.body import as_base64, as_text, bytes_of, textual
from deploy.local.front_ends.headers import listed, lower, parameters, without
from deploy.local.front_ends.message import Event, Headers, HttpRequest, HttpResponse, Moment
from deploy.local.front_ends.reply import MalformedError, document, mapping, sent, status, text

LIMIT = 1_048_576  # 1 MB for the request's body, and for the JSON of the response
_TEXT = re.compile(r"text/.*|application/(json|javascript|xml)")
HOP_BY_HOP = ("connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding")
_UPGRADE = "upgrade"


def _page(code: int, title: str) -> HttpResponse:
    """The page that a load balancer answers with itself (its text is not documented; seen)."""
    heading = f"{code} {title}"
    markup = (
        f"<html>\r\n<head><title>{heading}</title></head>\r\n<body>\r\n"
        f"<center><h1>{heading}</h1></center>\r\n</body>\r\n</html>\r\n"
    )
    return HttpResponse(code, (("content-type", "text/html"),), markup.encode())


BAD_REQUEST = _page(400, "Bad Request")
TOO_LARGE = _page(413, "Request Entity Too Large")
BAD_GATEWAY = _page(502, "Bad Gateway")


@dataclass(frozen=True)
class LoadBalancer:
    """A target group of type lambda; `multi_value` is lambda.multi_value_headers.enabled."""

    multi_value: bool
    port: int
    scheme: str = "http"
    target_group: str = (
        "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/hello/49e9d65c45c6791a"
    )

    @property
    def name(self) -> str:
        return "load-balancer-multi" if self.multi_value else "load-balancer"

    def event(self, request: HttpRequest, moment: Moment) -> Event | HttpResponse:
        """Path and parameters stay encoded; names of headers are in lower case (seen)."""
        if len(request.body) > LIMIT:
            return TOO_LARGE
        if request.last(_UPGRADE):
            return BAD_REQUEST  # "Upgrade requests are rejected with an HTTP 400 code"
        return {
            "requestContext": {"elb": {"targetGroupArn": self.target_group}},
            "httpMethod": request.method,
            "path": request.path,
            **self._pairs("queryStringParameters", parameters(request.query)),
            **self._pairs("headers", self._headers(request, moment)),
            **_body(request),
        }

    def response(self, request: HttpRequest, result: bytes) -> HttpResponse:
        """Only the form of headers that the target group is set to counts."""
        try:
            if len(result) > LIMIT:
                raise MalformedError(f"{len(result)} bytes of JSON")
            given = document(result)
            if not isinstance(given, dict):
                raise MalformedError(f"{given!r} is no object")
            return sent(request, status(given), self._given(given), bytes_of(given))
        except (MalformedError, ValueError):
            return BAD_GATEWAY

    def failure(self) -> HttpResponse:
        """502: "The target is a Lambda function and the response is malformed" or it failed."""
        return BAD_GATEWAY

    def _pairs(self, key: str, pairs: Sequence[tuple[str, str]]) -> Event:
        """Lists, or the last value of each name."""
        found = listed(pairs)
        if self.multi_value:
            return {f"multiValue{key[0].upper()}{key[1:]}": found}
        return {key: {name: values[-1] for name, values in found.items()}}

    def _headers(self, request: HttpRequest, moment: Moment) -> Headers:
        """X-Forwarded-For is appended to ("X-Forwarded-For", the default mode)."""
        before = request.last("x-forwarded-for")
        chain = f"{before}, {request.client}" if before else request.client
        own = {
            "x-forwarded-for": chain,
            "x-forwarded-proto": self.scheme,
            "x-forwarded-port": str(self.port),
        }
        kept = without(lower(request.headers), *own)
        traced = [] if request.last("x-amzn-trace-id") else [("x-amzn-trace-id", moment.trace)]
        return [*kept, *own.items(), *traced]

    def _given(self, result: dict[str, Any]) -> Headers:
        """application/octet-stream without a type of the function's (seen: fujiwara/ridge #9)."""
        headers = without(self._spread(result), *HOP_BY_HOP)
        if not any(name.lower() == "content-type" for name, _ in headers):
            headers.append(("content-type", "application/octet-stream"))
        return headers

    def _spread(self, result: dict[str, Any]) -> Headers:
        if not self.multi_value:
            return [(name, text(value)) for name, value in mapping(result, "headers").items()]
        many = mapping(result, "multiValueHeaders")
        return [(name, text(value)) for name, values in many.items() for value in values]


def _body(request: HttpRequest) -> Event:
    """Text of the four documented kinds, unless it is compressed; an empty body is "" (seen)."""
    if not request.body:
        return {"body": "", "isBase64Encoded": False}
    plain = not request.last("content-encoding")
    if plain and textual(request.last("content-type"), _TEXT):
        return as_text(request.body)
    return as_base64(request.body)
