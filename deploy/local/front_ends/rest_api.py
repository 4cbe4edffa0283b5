"""An Amazon API Gateway REST API with a Lambda proxy integration of /{proxy+}.

Amazon API Gateway Developer Guide, "Lambda proxy integrations in API Gateway", "Binary media
types for REST APIs", "Amazon API Gateway important notes". `seen` is a live capture,
published in the tests of hotsock/voker (#8).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from deploy.local.front_ends import payload_1
from deploy.local.front_ends.body import as_base64
from deploy.local.front_ends.headers import without
from deploy.local.front_ends.message import (
    Event,
    Headers,
    HttpRequest,
    HttpResponse,
    Moment,
    as_json,
)

# "Quotas for configuring and running a REST API": 10 MB, of which Lambda takes 6.
BODY_LIMIT = 10_485_760
MALFORMED = as_json(502, {"message": "Internal server error"})
TOO_LARGE = as_json(413, {"message": "Request Too Long"})

# "Important notes": headers of a Lambda proxy integration that do not arrive as they were sent.
# Of Content-Length it says that it does, but it does not (seen). Not modelled: Authorization is
# dropped when it holds a signature of version 4, and a ";" in a query splits it.
DROPPED_FROM_REQUEST = ("content-md5", "expect", "max-forwards", "proxy-authenticate", "server",
                        "te", "transfer-encoding", "trailer", "upgrade", "www-authenticate",
                        "connection", "content-length")  # fmt: skip
DROPPED_FROM_RESPONSE = ("expect", "host", "proxy-authenticate", "te", "trailer",
                         "transfer-encoding", "upgrade", "via")  # fmt: skip
REMAPPED = ("authorization", "connection", "content-md5", "date", "max-forwards", "server",
            "user-agent", "www-authenticate")  # fmt: skip


@dataclass(frozen=True)
class RestApi:
    """One stage of a REST API.

    Its own domain names the stage in the address, a custom domain may name a base path
    instead; `request.path` is what follows the stage, or holds the base path. With the
    binary media type */* every body travels in base64; without one, bodies are text.
    """

    domain: str
    stage: str = "live"
    base_path: str = ""
    binary_media_types: tuple[str, ...] = ("*/*",)
    port: int = 443
    scheme: str = "https"
    name: str = "rest-api"

    def event(self, request: HttpRequest, moment: Moment) -> Event | HttpResponse:
        """The path stays encoded (seen), with the base path and without the stage."""
        if len(request.body) > BODY_LIMIT:
            return TOO_LARGE
        whole = request.path if self.base_path else f"/{self.stage}{request.path}"
        inner = request.path.removeprefix(f"/{self.base_path}") if self.base_path else request.path
        proxy = inner.removeprefix("/")
        return {
            "resource": "/{proxy+}" if proxy else "/",
            "path": request.path,
            "httpMethod": request.method,
            **payload_1.head_part(self._headers(request, moment)),
            **payload_1.query_part(request),
            "pathParameters": {"proxy": proxy} if proxy else None,
            "stageVariables": None,
            "requestContext": payload_1.request_context(
                request, moment, self.domain, self.stage, whole
            ),
            **self._body(request),
        }

    def response(self, request: HttpRequest, result: bytes) -> HttpResponse:
        """Anything malformed is a 502; some headers get another name, some are dropped."""
        try:
            made = payload_1.response(request, self._decodable(request, result))
        except ValueError:
            return MALFORMED
        return HttpResponse(made.status, _remapped(made.headers), made.body)

    def failure(self) -> HttpResponse:
        """502, without the function's error."""
        return MALFORMED

    def _headers(self, request: HttpRequest, moment: Moment) -> Headers:
        """X-Forwarded-For is appended to (assumed)."""
        before = request.last("x-forwarded-for")
        own = {
            "X-Amzn-Trace-Id": request.last("x-amzn-trace-id", moment.trace),
            "X-Forwarded-For": f"{before}, {request.client}" if before else request.client,
            "X-Forwarded-Port": str(self.port),
            "X-Forwarded-Proto": self.scheme,
        }
        gone = (*(name.lower() for name in own), *DROPPED_FROM_REQUEST)
        return [*without(request.headers, *gone), *own.items()]

    def _body(self, request: HttpRequest) -> Event:
        """Base64 for a binary media type; other bodies are text, and lose what is no UTF-8."""
        if not request.body:
            return {"body": None, "isBase64Encoded": False}
        if self._is_binary(request.last("content-type", "application/json")):
            return as_base64(request.body)
        return {"body": request.body.decode(errors="replace"), "isBase64Encoded": False}

    def _is_binary(self, media_type: str) -> bool:
        plain = media_type.partition(";")[0].strip().lower()
        kind = plain.partition("/")[0]
        return any(one in ("*/*", plain, f"{kind}/*") for one in self.binary_media_types)

    def _decodable(self, request: HttpRequest, result: bytes) -> bytes:
        """Base64 goes out as it is unless the first media type of Accept is a binary one."""
        accepted = request.last("accept", "*/*").partition(",")[0]
        if self._is_binary(accepted):
            return result
        given: Any = json.loads(result)
        if isinstance(given, dict):
            given["isBase64Encoded"] = False
        return json.dumps(given).encode()


def _remapped(headers: Headers) -> Headers:
    kept = without(headers, *DROPPED_FROM_RESPONSE)
    return tuple((_name(name), value) for name, value in kept)


def _name(name: str) -> str:
    return f"x-amzn-Remapped-{name}" if name.lower() in REMAPPED else name
