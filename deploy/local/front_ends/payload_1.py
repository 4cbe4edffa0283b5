"""Payload format 1.0, which REST APIs and HTTP APIs that are set to it share.

Amazon API Gateway Developer Guide, "Lambda proxy integrations in API Gateway", and "Create
AWS Lambda proxy integrations for HTTP APIs".
"""

from __future__ import annotations

from typing import Any

from deploy.local.front_ends.body import bytes_of
from deploy.local.front_ends.headers import decoded, listed, one_spelling, parameters
from deploy.local.front_ends.message import Event, Headers, HttpRequest, HttpResponse, Moment
from deploy.local.front_ends.reply import MalformedError, document, mapping, sent, status, text


def head_part(headers: Headers) -> Event:
    """The last value of each header, and all of them; names as they were sent (seen)."""
    found = listed(one_spelling(headers))
    return {"headers": _last(found), "multiValueHeaders": found}


def query_part(request: HttpRequest) -> Event:
    """Parameters decoded, "+" being a space (seen); null when there are none."""
    found = listed(decoded(parameters(request.query))) or None
    return {
        "queryStringParameters": _last(found) if found else None,
        "multiValueQueryStringParameters": found,
    }


def _last(found: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in found.items()}


def request_context(
    request: HttpRequest, moment: Moment, domain: str, stage: str, path: str
) -> Event:
    """What the front end tells about the request; `path` holds the stage or the base path."""
    name = domain.partition(".")[0]
    return {
        "accountId": "123456789012",
        "apiId": name,
        "domainName": domain,
        "domainPrefix": name,
        "extendedRequestId": moment.request_id,
        "httpMethod": request.method,
        "identity": {"sourceIp": request.client, "userAgent": request.last("user-agent")},
        "path": path,
        "protocol": request.protocol,
        "requestId": moment.request_id,
        "requestTime": moment.clock,
        "requestTimeEpoch": moment.epoch,
        "resourceId": "abc123",
        "resourcePath": "/{proxy+}",
        "stage": stage,
    }


def response(request: HttpRequest, result: bytes) -> HttpResponse:
    """The response that is made of a function's result.

    Raises:
        ValueError: the result is malformed.
    """
    given = document(result)
    if not isinstance(given, dict):
        raise MalformedError(f"{given!r} is no object")
    return sent(request, status(given), _headers(given), bytes_of(given))


def _headers(result: dict[str, Any]) -> Headers:
    """Both forms merged; of a pair that stands in both, the list's counts (documented).

    application/json when the function names no type (seen).
    """
    many = mapping(result, "multiValueHeaders")
    merged = [(name, text(value)) for name, values in many.items() for value in values]
    known = {(name.lower(), value) for name, value in merged}
    single = [(name, text(value)) for name, value in mapping(result, "headers").items()]
    merged += [pair for pair in single if (pair[0].lower(), pair[1]) not in known]
    if not any(name.lower() == "content-type" for name, _ in merged):
        merged.append(("Content-Type", "application/json"))
    return merged
