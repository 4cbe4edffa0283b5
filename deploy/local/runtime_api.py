"""The Lambda Runtime API as one execution environment sees it.

AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes", version
2018-06-01: next, response, error, init/error.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# "Lambda quotas": 6 MB each way for a synchronous invocation; Lambda counts 100 bytes more
# for the answer.
REQUEST_LIMIT = 6_291_456
RESPONSE_LIMIT = 6_291_556

_VERSION = "/2018-06-01/runtime"
_ERROR_TYPE = "Lambda-Runtime-Function-Error-Type"


@dataclass(frozen=True)
class Invocation:
    """One event on its way to the handler; `deadline_ms` is Unix time in milliseconds."""

    request_id: str
    payload: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str
    client_context: str = ""

    @property
    def headers(self) -> dict[str, str]:
        """What the runtime is told besides the payload."""
        told = {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_id,
        }
        if self.client_context:
            told["Lambda-Runtime-Client-Context"] = self.client_context
        return told


@dataclass(frozen=True)
class Answer:
    """What the runtime gave back; `error_type` is empty after success."""

    payload: bytes
    error_type: str = ""


class RuntimeApi:
    """Hands out invocations one at a time and takes in the answers.

    `ready` gives None when the runtime asks for its first invocation, or the answer that
    it gave instead when its initialization failed.
    """

    def __init__(self) -> None:
        self.ready: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        self._waiting: asyncio.Queue[Invocation] = asyncio.Queue()
        self._answers: dict[str, asyncio.Future[Answer]] = {}
        self.app = Starlette(
            routes=[
                Route(f"{_VERSION}/invocation/next", self._next, methods=["GET"]),
                Route(f"{_VERSION}/invocation/{{id}}/response", self._response, methods=["POST"]),
                Route(f"{_VERSION}/invocation/{{id}}/error", self._error, methods=["POST"]),
                Route(f"{_VERSION}/init/error", self._init_error, methods=["POST"]),
            ]
        )

    async def invoke(self, invocation: Invocation) -> Answer:
        """The runtime's answer to this invocation; waits for ever when none comes."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[invocation.request_id] = answer
        self._waiting.put_nowait(invocation)
        try:
            return await answer
        finally:
            del self._answers[invocation.request_id]

    async def _next(self, _request: Request) -> Response:
        self._begin(None)
        invocation = await self._waiting.get()
        return Response(
            invocation.payload, headers=invocation.headers, media_type="application/json"
        )

    async def _response(self, request: Request) -> Response:
        payload = await request.body()
        if len(payload) > RESPONSE_LIMIT:
            self._answer(request, too_large())
            return _refused(413, "RequestEntityTooLarge", f"Over {RESPONSE_LIMIT} bytes")
        return self._answer(request, Answer(payload))

    async def _error(self, request: Request) -> Response:
        kind = request.headers.get(_ERROR_TYPE) or "Unhandled"
        return self._answer(request, Answer(await request.body(), kind))

    async def _init_error(self, request: Request) -> Response:
        kind = request.headers.get(_ERROR_TYPE) or "Unhandled"
        self._begin(Answer(await request.body(), kind))
        return _accepted()

    def _begin(self, outcome: Answer | None) -> None:
        if not self.ready.done():
            self.ready.set_result(outcome)

    def _answer(self, request: Request, answer: Answer) -> Response:
        waiting = self._answers.get(request.path_params["id"])
        if waiting is None or waiting.done():
            return _refused(400, "InvalidRequestID", "Invalid request ID")
        waiting.set_result(answer)
        return _accepted()


def too_large() -> Answer:
    """What the caller gets in place of an answer over the limit."""
    text = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
    return failure("Function.ResponseSizeTooLarge", text)


def failure(kind: str, message: str) -> Answer:
    """An error that Lambda itself reports, in the form in which it does."""
    return Answer(JSONResponse({"errorType": kind, "errorMessage": message}).body, kind)  # type: ignore[arg-type]  # annotated as bytes | memoryview; render gives bytes


def _accepted() -> Response:
    return JSONResponse({"status": "OK"}, status_code=202)


def _refused(status: int, kind: str, message: str) -> Response:
    return JSONResponse({"errorType": kind, "errorMessage": message}, status_code=status)
