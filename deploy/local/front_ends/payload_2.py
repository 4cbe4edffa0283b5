"""Payload format 2.0, which Function URLs and HTTP APIs share.

Amazon API Gateway Developer Guide, "Create AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

import re
from typing import Any

from deploy.local.front_ends.body import as_base64, as_text, bytes_of, textual
from deploy.local.front_ends.headers import decoded, joined, parameters
from deploy.local.front_ends.message import Event, Headers, HttpRequest, HttpResponse, Moment
from deploy.local.front_ends.reply import MalformedError, document, mapping, sent, status, text

# Which media types travel as text is not documented; seen with Function URLs and HTTP APIs.
_TEXT = re.compile(r"text/.*|application/(json|javascript|xml|.*\+json|.*\+xml)")
JSON = ("content-type", "application/json")


def query_part(request: HttpRequest) -> Event:
    """The raw query, and its parameters decoded and joined by commas."""
    if not request.query:
        return {"rawQueryString": ""}
    return {
        "rawQueryString": request.query,
        "queryStringParameters": joined(decoded(parameters(request.query))),
    }


def body_part(request: HttpRequest) -> Event:
    """Text of a textual media type as it is, anything else in base64."""
    if not request.body:
        return {"isBase64Encoded": False}
    if textual(request.last("content-type"), _TEXT):
        return as_text(request.body)
    return as_base64(request.body)


def request_context(
    request: HttpRequest, moment: Moment, domain: str, stage: str, *, account: str, path: str
) -> Event:
    """What the front end tells about the request; `path` is decoded."""
    name = domain.partition(".")[0]
    return {
        "accountId": account,
        "apiId": name,
        "domainName": domain,
        "domainPrefix": name,
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.client,
            "userAgent": request.last("user-agent"),
        },
        "requestId": moment.request_id,
        "routeKey": "$default",
        "stage": stage,
        "time": moment.clock,
        "timeEpoch": moment.epoch,
    }


def response(request: HttpRequest, result: bytes, malformed: HttpResponse) -> HttpResponse:
    """The response that is made of a function's result.

    A result without statusCode is the body of a 200 answer in JSON; what is not well formed
    beyond that gives `malformed`.
    """
    try:
        given = document(result)
        if not isinstance(given, dict) or "statusCode" not in given:
            body = given.encode() if isinstance(given, str) else result
            return sent(request, 200, (JSON,), body)
        return sent(request, status(given), _headers(given), bytes_of(given))
    except (MalformedError, ValueError):
        return malformed


def _headers(result: dict[str, Any]) -> Headers:
    """Names in lower case; application/json when the function names no type; cookies last."""
    given = {name.lower(): text(value) for name, value in mapping(result, "headers").items()}
    given.setdefault(*JSON)
    return (*given.items(), *(("set-cookie", text(one)) for one in result.get("cookies") or ()))
