"""What stands before the function: its Function URL, and Lambda's Invoke API."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import unquote
from uuid import uuid4

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.local.execution_environment import Result
from deploy.local.front_ends.function_url import TOO_LARGE, FunctionUrl
from deploy.local.front_ends.message import HttpRequest, HttpResponse, Moment
from deploy.local.invocation_log import TAIL_BYTES
from deploy.local.runtime_api import REQUEST_LIMIT

Invoke = Callable[[bytes, str], Awaitable[Result]]
"""Payload and client context -> what came of it."""


def function_url(invoke: Invoke, url: FunctionUrl) -> ASGIApp:
    """Any request becomes an event; the function's result becomes the response."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = await _request(Request(scope, receive))
        event = url.event(request, Moment(datetime.now(UTC), str(uuid4())))
        payload = json.dumps(event).encode()
        if len(payload) > REQUEST_LIMIT:
            answer = TOO_LARGE
        else:
            result = await invoke(payload, "")
            failed = bool(result.answer.error_type)
            answer = url.failure() if failed else url.response(request, result.answer.payload)
        await _response(answer)(scope, receive, send)

    return app


async def _request(request: Request) -> HttpRequest:
    scope = request.scope
    raw: list[tuple[bytes, bytes]] = scope["headers"]
    return HttpRequest(
        method=request.method,
        path=scope["raw_path"].decode("latin-1"),
        query=scope["query_string"].decode("latin-1"),
        headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw],
        body=await request.body(),
        client=request.client.host if request.client else "",
        protocol=f"HTTP/{scope['http_version']}",
    )


def _response(answer: HttpResponse) -> Response:
    response = Response(answer.body, answer.status)
    own = [(n, v) for n, v in response.raw_headers if n == b"content-length"]
    given = [(n.encode("latin-1"), v.encode("latin-1", "replace")) for n, v in answer.headers]
    response.raw_headers = [*given, *(pair for pair in own if pair[0] not in dict(given))]
    return response


def invoke_api(invoke: Invoke, function: str, version: str = "$LATEST") -> ASGIApp:
    """POST /2015-03-31/functions/NAME/invocations as boto3's `invoke` calls it.

    RequestResponse, Event (answered at once; run once, without Lambda's two retries) and
    DryRun. NAME is the name, its ARN, either with a qualifier.
    """

    async def endpoint(request: Request) -> Response:
        name = unquote(request.path_params["name"])
        if name_of(name) != function:
            text = f"Function not found: {name}"
            return _error(404, "ResourceNotFoundException", text)
        payload = await request.body()
        if len(payload) > REQUEST_LIMIT:
            text = f"Request must be smaller than {REQUEST_LIMIT} bytes for InvokeFunction"
            return _error(413, "RequestTooLargeException", text)
        try:
            json.loads(payload or b"{}")
        except ValueError as error:
            text = f"Could not parse request body into json: {error}"
            return _error(400, "InvalidRequestContentException", text)
        answer = await _invoked(invoke, request, payload or b"{}")
        answer.headers["X-Amz-Executed-Version"] = version
        return answer

    path = "/2015-03-31/functions/{name}/invocations"
    return Starlette(routes=[Route(path, endpoint, methods=["POST"])])


def name_of(name: str) -> str:
    """The function's name out of a name or an ARN, without a qualifier."""
    found = re.fullmatch(r"(?:arn:[^:]+:lambda:[^:]*:[^:]*:function:)?([^:]+)(?::[^:]+)?", name)
    return found[1] if found else name


async def _invoked(invoke: Invoke, request: Request, payload: bytes) -> Response:
    context = _client_context(request)
    kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
    if kind == "DryRun":
        return Response(status_code=204)
    if kind == "Event":
        return Response(status_code=202, background=BackgroundTask(invoke, payload, context))
    result = await invoke(payload, context)
    headers = {}
    if result.answer.error_type:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if request.headers.get("x-amz-log-type") == "Tail":
        headers["X-Amz-Log-Result"] = base64.b64encode(result.log[-TAIL_BYTES:]).decode()
    return Response(result.answer.payload, headers=headers, media_type="application/json")


def _client_context(request: Request) -> str:
    encoded = request.headers.get("x-amz-client-context", "")
    return base64.b64decode(encoded).decode()


def _error(status: int, kind: str, message: str) -> Response:
    return JSONResponse(
        {"Type": "User", "message": message},
        status_code=status,
        headers={"x-amzn-errortype": kind},
    )
