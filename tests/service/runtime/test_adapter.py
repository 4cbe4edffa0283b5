"""service.runtime.adapter: a Lambda event becomes an ASGI request, or goes to its handler."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from service.errors import MalformedEventError, UnhandledEventError
from service.runtime.adapter import LambdaAdapter
from service.runtime.batch import Outcome
from service.runtime.event_handler import Runtime
from service.runtime.events import EventRouter
from service.settings import Settings
from tests.service import events as made
from tests.service.conftest import Log

Adapted = Callable[..., LambdaAdapter]
CONTEXT = made.Context("req-1")


async def _mirror(request: Request) -> JSONResponse:
    return JSONResponse(
        {
            "method": request.method,
            "path": request.url.path,
            "query": request.url.query,
            "scheme": request.url.scheme,
            "client": request.client.host if request.client else None,
            "body": (await request.body()).decode(),
        }
    )


MIRROR = Starlette(routes=[Route("/{path:path}", _mirror, methods=["GET", "POST"])])


def routed(endpoint: Any) -> Starlette:
    return Starlette(routes=[Route("/", endpoint, methods=["GET", "POST"])])


@pytest.mark.parametrize(
    ("event", "query", "scheme"),
    [
        (made.function_url("/orders", "POST", "color=red", body="hi"), "color=red", "https"),
        (made.rest_api("/orders", "POST", body="hi"), "color=blue&color=red", "https"),
        (made.load_balancer("/orders", "POST", body="hi"), "color=red", "http"),
        (made.load_balancer_multi("/orders", "POST", body="hi"), "color=blue&color=red", "http"),
    ],
    ids=["payload 2.0", "payload 1.0", "load balancer", "load balancer, multi-value"],
)
def test_every_kind_of_http_event_reaches_the_application(
    adapted: Adapted, event: made.Event, query: str, scheme: str
) -> None:
    reply = adapted(MIRROR)(event, CONTEXT)
    assert reply["statusCode"] == 200
    assert json.loads(reply["body"]) == {
        "method": "POST",
        "path": "/orders",
        "query": query,
        "scheme": scheme,
        "client": "203.0.113.7",
        "body": "hi",
    }


def test_an_http_api_in_payload_1_reaches_the_application(adapted: Adapted) -> None:
    reply = adapted(MIRROR)(made.http_api_1("/orders"), CONTEXT)
    assert json.loads(reply["body"])["path"] == "/orders"


def test_a_reply_has_the_headers_in_the_form_that_the_gateway_takes(adapted: Adapted) -> None:
    async def two_cookies(_: Request) -> Response:
        response = PlainTextResponse("x")
        response.set_cookie("a", "1")
        response.set_cookie("b", "2")
        return response

    adapter = adapted(routed(two_cookies))
    assert len(adapter(made.function_url(), CONTEXT)["cookies"]) == 2
    assert len(adapter(made.rest_api(), CONTEXT)["multiValueHeaders"]["set-cookie"]) == 2
    assert "multiValueHeaders" not in adapter(made.load_balancer(), CONTEXT)
    multi = adapter(made.load_balancer_multi(), CONTEXT)["multiValueHeaders"]
    assert len(multi["set-cookie"]) == 2


def test_a_binary_body_arrives_and_leaves_unharmed(adapted: Adapted) -> None:
    async def echo(request: Request) -> Response:
        return Response(await request.body(), media_type="application/octet-stream")

    sent = bytes(range(256))
    event = made.function_url("/", "POST", body=base64.b64encode(sent).decode())
    reply = adapted(routed(echo))(event | {"isBase64Encoded": True}, CONTEXT)
    assert reply["isBase64Encoded"]
    assert base64.b64decode(reply["body"]) == sent


def test_a_stream_arrives_whole(adapted: Adapted) -> None:
    async def chunks() -> AsyncIterator[str]:
        for part in ("one ", "two ", "three"):
            await asyncio.sleep(0)
            yield part

    async def stream(_: Request) -> StreamingResponse:
        return StreamingResponse(chunks(), media_type="text/plain")

    assert adapted(routed(stream))(made.function_url(), CONTEXT)["body"] == "one two three"


def test_a_background_task_is_done_before_the_reply(adapted: Adapted) -> None:
    done: list[int] = []

    async def later() -> None:
        await asyncio.sleep(0)
        done.append(1)

    async def endpoint(_: Request) -> Response:
        return PlainTextResponse("x", background=BackgroundTask(later))

    assert adapted(routed(endpoint))(made.function_url(), CONTEXT)["statusCode"] == 200
    assert done == [1]


class Life:
    """An application whose lifespan counts its start-ups and shutdowns."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.loops: set[asyncio.AbstractEventLoop] = set()
        self.app = Starlette(routes=[Route("/", self._endpoint)], lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[dict[str, object]]:
        self.loops.add(asyncio.get_running_loop())
        self.seen.append("start")
        yield {"pool": "a pool", "requests": []}
        self.seen.append("stop")

    async def _endpoint(self, request: Request) -> PlainTextResponse:
        self.loops.add(asyncio.get_running_loop())
        request.state.requests.append(1)
        request.state.mine = "this request's"
        return PlainTextResponse(f"{request.state.pool} {len(request.state.requests)}")


def test_the_application_starts_once_for_many_requests_on_one_loop(adapted: Adapted) -> None:
    life = Life()
    adapter = adapted(life.app)
    assert life.seen == ["start"]
    bodies = [adapter(made.function_url(), CONTEXT)["body"] for _ in range(50)]
    assert bodies[-1] == "a pool 50"
    assert life.seen == ["start"]
    assert len(life.loops) == 1


def test_a_request_cannot_change_the_state_of_the_next(adapted: Adapted) -> None:
    async def first_only(request: Request) -> PlainTextResponse:
        seen = hasattr(request.state, "mine")
        request.state.mine = 1
        return PlainTextResponse(str(seen))

    adapter = adapted(routed(first_only))
    assert [adapter(made.function_url(), CONTEXT)["body"] for _ in range(2)] == ["False", "False"]


def test_the_application_shuts_down_when_the_adapter_is_closed(log: Log) -> None:
    life = Life()
    LambdaAdapter(life.app, settings=Settings(), log=log.stream).close()
    assert life.seen == ["start", "stop"]


def test_a_shutdown_that_fails_is_logged(log: Log) -> None:
    @asynccontextmanager
    async def broken(_: Starlette) -> AsyncIterator[None]:
        yield
        raise OSError("the pool is gone")

    LambdaAdapter(Starlette(lifespan=broken), settings=Settings(), log=log.stream).close()
    (line,) = log.of("service.lifespan")
    assert line["message"] == "The application failed to shut down"
    assert "the pool is gone" in line["exception"]


def test_a_failed_start_is_the_applications_own_error(log: Log) -> None:
    @asynccontextmanager
    async def broken(_: Starlette) -> AsyncIterator[None]:
        raise LookupError("no database")
        yield

    with pytest.raises(LookupError, match=r"^no database$"):
        LambdaAdapter(Starlette(lifespan=broken), settings=Settings(), log=log.stream)


def test_a_start_that_fails_without_an_exception_says_what_the_application_said(log: Log) -> None:
    async def refuse(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no licence"})

    with pytest.raises(Exception, match=r"^The application failed to start: no licence$"):
        LambdaAdapter(refuse, settings=Settings(), log=log.stream)


class Lingering:
    """An application that goes on asking for events after its answer, as Quart's does."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.cancelled = False

    async def __call__(self, _scope: Any, receive: Any, send: Any) -> None:
        try:
            while True:
                event = (await receive())["type"]
                await send({"type": f"{event}.{self.answers[event.rpartition('.')[2]]}"})
        except asyncio.CancelledError:
            self.cancelled = True
            raise


def test_a_failed_start_does_not_wait_for_an_application_that_stays(log: Log) -> None:
    app = Lingering(startup="failed")
    with pytest.raises(Exception, match=r"^The application failed to start: it gives no reason$"):
        LambdaAdapter(app, settings=Settings(), log=log.stream)
    assert app.cancelled


def test_a_shutdown_does_not_wait_for_an_application_that_stays(log: Log) -> None:
    app = Lingering(startup="complete", shutdown="complete")
    LambdaAdapter(app, settings=Settings(), log=log.stream).close()
    assert app.cancelled
    assert log.of("service.lifespan") == []


def test_an_application_that_knows_no_lifespan_is_served(adapted: Adapted, log: Log) -> None:
    async def plain(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise ValueError(f"no {scope['type']}")
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    assert adapted(plain)(made.function_url(), CONTEXT)["statusCode"] == 204
    assert "no lifespan" in log.of("service.lifespan")[0]["message"]


def test_an_application_whose_lifespan_is_cancelled_is_served(adapted: Adapted) -> None:
    async def cancelled(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            raise asyncio.CancelledError
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    assert adapted(cancelled)(made.function_url(), CONTEXT)["statusCode"] == 204


def test_an_exception_is_a_500_and_logged_once_with_the_request_id(
    adapted: Adapted, log: Log
) -> None:
    async def broken(_: Request) -> Response:
        raise ZeroDivisionError("by zero")

    reply = adapted(routed(broken))(made.function_url(), CONTEXT)
    assert (reply["statusCode"], reply["body"]) == (500, "Internal Server Error")
    failures = [line for line in log.lines if "exception" in line]
    assert [line["request_id"] for line in failures] == ["req-1"]
    assert failures[0]["exception"].endswith("ZeroDivisionError: by zero")


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"type": "http.response.start", "status": 200, "headers": []}],
        [{"type": "http.response.body", "body": b"x"}],
    ],
    ids=["no response", "no body", "no start"],
)
def test_an_unfinished_response_is_a_500(adapted: Adapted, messages: list[Any]) -> None:
    async def unfinished(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await receive()
        for message in messages:
            await send(message)

    assert adapted(unfinished)(made.function_url(), CONTEXT)["statusCode"] == 500


def test_a_response_cut_off_by_an_exception_is_a_500(adapted: Adapted) -> None:
    async def cut_off(scope: Any, _receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise OSError("disk")

    reply = adapted(cut_off)(made.function_url(), CONTEXT)
    assert (reply["statusCode"], reply["body"]) == (500, "Internal Server Error")


def test_a_cancelled_task_that_the_application_awaits_is_a_500_and_the_next_request_is_served(
    adapted: Adapted, log: Log
) -> None:
    async def awaits(request: Request) -> Response:
        task = asyncio.ensure_future(asyncio.sleep(0))
        if request.query_params:
            task.cancel()
        await task
        return PlainTextResponse("done")

    adapter = adapted(routed(awaits))
    reply = adapter(made.function_url(query="cancel=1"), CONTEXT)
    assert (reply["statusCode"], reply["body"]) == (500, "Internal Server Error")
    assert any("CancelledError" in line.get("exception", "") for line in log.lines)
    assert adapter(made.function_url(), CONTEXT)["body"] == "done"


@pytest.mark.parametrize("event", [made.function_url(), {"any": "thing"}])
def test_a_call_without_a_context_is_answered(adapted: Adapted, event: made.Event) -> None:
    router = EventRouter()
    router.invoke(lambda given: given)
    assert adapted(MIRROR, router)(event, None)


@pytest.mark.parametrize(
    "event",
    [made.sqs("a"), made.s3(), made.sns(), made.dynamodb(), made.kinesis(), made.schedule()],
)
def test_any_other_event_goes_to_its_handler(adapted: Adapted, event: made.Event) -> None:
    router, taken = EventRouter(), list[made.Event]()
    for source in ("aws:sqs", "aws:s3", "aws:sns", "aws:dynamodb", "aws:kinesis", "aws.events"):
        router.on(source)(taken.append)
    assert adapted(MIRROR, router)(event, CONTEXT) is None
    assert taken == [event]


@pytest.mark.parametrize("payload", [{"a": 1}, {}, [1, {}], "text", 7, True, None])
def test_any_other_json_is_a_direct_invoke(adapted: Adapted, payload: Any) -> None:
    router = EventRouter()
    router.invoke(lambda given: {"got": given})
    assert adapted(MIRROR, router)(payload, CONTEXT) == {"got": payload}


@pytest.mark.parametrize("event", [made.sqs("a"), made.web_socket(), {"a": 1}, [1], "x", None])
def test_an_event_that_nobody_handles_fails_the_invocation(adapted: Adapted, event: Any) -> None:
    with pytest.raises(UnhandledEventError, match=r"^Nobody handles the event "):
        adapted(MIRROR)(event, CONTEXT)


def test_a_failing_event_handler_is_logged_with_the_request_id_and_fails_the_invocation(
    adapted: Adapted, log: Log
) -> None:
    router = EventRouter()

    @router.on("aws:sqs")
    async def orders(_: Any) -> None:
        raise ZeroDivisionError("by zero")

    with pytest.raises(ZeroDivisionError, match="by zero"):
        adapted(MIRROR, router)(made.sqs("a"), CONTEXT)
    (line,) = log.of("service.event")
    assert (line["message"], line["request_id"]) == ("aws:sqs queue orders failed", "req-1")


def test_the_lines_of_an_event_handler_carry_the_request_id(adapted: Adapted, log: Log) -> None:
    router = EventRouter()
    router.invoke(lambda _: logging.getLogger("shop").info("working"))
    adapter = adapted(MIRROR, router)
    adapter({}, made.Context("first"))
    adapter({}, made.Context("second"))
    assert [line["request_id"] for line in log.of("shop")] == ["first", "second"]


def test_each_invocation_leaves_one_line(adapted: Adapted, log: Log) -> None:
    router = EventRouter()
    router.on("aws:sqs")(lambda _: None)
    adapter = adapted(MIRROR, router)
    adapter(made.function_url("/orders"), CONTEXT)
    adapter(made.sqs("a"), CONTEXT)
    assert [line["message"] for line in log.lines] == [
        "GET /orders 200",
        "aws:sqs queue orders handled",
    ]


def test_a_batch_with_failed_records_is_not_told_as_handled(adapted: Adapted, log: Log) -> None:
    router = EventRouter()
    router.each("aws:sqs")(lambda record: 1 / (record["body"] != "bad"))
    adapted(MIRROR, router)(made.sqs("a", "bad", "bad"), CONTEXT)
    last = log.lines[-1]
    assert (last["level"], last["message"]) == ("WARNING", "aws:sqs queue orders: 2 failed")


def test_a_request_that_lacks_its_parts_is_told_as_such(adapted: Adapted) -> None:
    event = made.function_url() | {"requestContext": {"http": {"method": "GET"}}}
    with pytest.raises(MalformedEventError) as error:
        adapted(MIRROR)(event, CONTEXT)
    assert str(error.value) == (
        "The event looks like an HTTP request of payload 2.0 (Function URL, HTTP API), "
        "but cannot be read: KeyError: 'sourceIp'. "
        "Compare it with the example in the gateway's documentation."
    )


@pytest.mark.parametrize(
    "payload",
    [{"httpMethod": "GET"}, {"requestContext": {}}, {"httpMethod": "GET", "requestContext": None}],
)
def test_a_payload_with_only_some_marks_of_a_request_is_a_direct_invoke(
    adapted: Adapted, payload: Any
) -> None:
    router = EventRouter()
    router.invoke(lambda given: given)
    assert adapted(MIRROR, router)(payload, CONTEXT) == payload


def test_a_batch_ends_half_a_second_before_the_function_does(adapted: Adapted) -> None:
    left = []

    class Watched(EventRouter):
        async def dispatch(self, event: Any, runtime: Runtime) -> Outcome:
            assert runtime.deadline is not None
            left.append(runtime.deadline - time.monotonic())
            return await super().dispatch(event, runtime)

    router = Watched()

    @router.each("aws:sqs")
    async def slow(record: Any) -> None:
        await asyncio.sleep(600 if record["body"] == "b" else 0)

    event = made.sqs("a", "b", "c")
    began = time.monotonic()
    reply = adapted(MIRROR, router)(event, made.Context(remaining_ms=1500))
    assert time.monotonic() - began >= left[0] > 0
    assert left[0] <= 1.0
    unfinished = [record["messageId"] for record in event["Records"][1:]]
    assert [item["itemIdentifier"] for item in reply["batchItemFailures"]] == unfinished


def test_without_a_context_an_event_may_take_as_long_as_it_likes(adapted: Adapted) -> None:
    router = EventRouter()
    router.invoke(lambda _: asyncio.sleep(0.01, "done"))
    assert adapted(MIRROR, router)({}, None) == "done"


def metrics_of(log: Log) -> list[dict[str, Any]]:
    return log.of("service.metrics")


def test_a_server_error_is_counted_in_cloudwatchs_format(adapted: Adapted, log: Log) -> None:
    async def broken(_: Request) -> Response:
        raise ZeroDivisionError("by zero")

    adapted(routed(broken))(made.function_url(), CONTEXT)
    (line,) = metrics_of(log)
    assert (line["Service"], line["ServerErrors"], line["request_id"]) == ("service", 1, "req-1")
    assert line["_aws"]["CloudWatchMetrics"] == [
        {
            "Namespace": "Twofold",
            "Dimensions": [["Service"]],
            "Metrics": [{"Name": "ServerErrors", "Unit": "Count"}],
        }
    ]
    assert abs(line["_aws"]["Timestamp"] / 1000 - time.time()) < 60


def test_no_other_answer_is_counted(adapted: Adapted, log: Log) -> None:
    assert adapted(MIRROR)(made.function_url("/", "PUT"), CONTEXT)["statusCode"] == 405
    assert metrics_of(log) == []


def test_a_request_whose_time_runs_out_is_a_504_with_its_id_and_the_next_is_served(
    adapted: Adapted, log: Log
) -> None:
    cancelled: list[bool] = []

    async def slow(request: Request) -> Response:
        try:
            await asyncio.sleep(600 if request.query_params else 0)
        except asyncio.CancelledError:
            cancelled.append(True)
            raise
        return PlainTextResponse("done")

    adapter = adapted(routed(slow))
    reply = adapter(made.function_url(query="slow=1"), made.Context("req-9", remaining_ms=1000))
    assert reply["statusCode"] == 504
    assert reply["headers"]["x-request-id"] == "req-9"
    assert reply["body"] == (
        "The request took longer than the function may run. Request ID: req-9.\n"
        "Raise timeout_seconds, do less at once, or ask the instance.\n"
    )
    assert cancelled == [True]
    assert adapter(made.function_url(), CONTEXT)["body"] == "done"
    mine = [line for line in log.of("service.request") if line["request_id"] == "req-9"]
    assert [line["message"] for line in mine] == ["GET / failed", "GET / 504"]
    assert len(metrics_of(log)) == 1


def test_a_request_leaves_no_line_where_its_level_is_not_wanted(
    adapted: Adapted, log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    adapter = adapted(MIRROR)
    caplog.set_level(logging.ERROR, "service.request")
    assert adapter(made.function_url(), CONTEXT)["statusCode"] == 200
    assert not log.of("service.request")


def test_an_exit_of_the_application_is_a_500_and_the_next_request_is_served(
    adapted: Adapted,
) -> None:
    async def exits(request: Request) -> Response:
        if request.query_params:
            raise SystemExit(3)
        return PlainTextResponse("done")

    adapter = adapted(routed(exits))
    reply = adapter(made.function_url(query="exit=1"), CONTEXT)
    assert (reply["statusCode"], reply["body"]) == (500, "Internal Server Error")
    assert reply["headers"]["x-request-id"] == "req-1"
    assert adapter(made.function_url(), CONTEXT)["body"] == "done"


def test_a_task_that_a_request_leaves_behind_goes_on_with_the_next_ones(adapted: Adapted) -> None:
    seen: list[int] = []
    tasks: list[asyncio.Task[None]] = []

    async def later() -> None:
        for number in range(3):
            seen.append(number)
            await asyncio.sleep(0)

    async def endpoint(_: Request) -> Response:
        if not tasks:
            tasks.append(asyncio.create_task(later()))
        return PlainTextResponse("done")

    adapter = adapted(routed(endpoint))
    for _ in range(5):
        adapter(made.function_url(), CONTEXT)
    assert seen == [0, 1, 2]


def test_closing_twice_shuts_down_once(log: Log) -> None:
    life = Life()
    adapter = LambdaAdapter(life.app, settings=Settings(), log=log.stream)
    adapter.close()
    adapter.close()
    assert life.seen == ["start", "stop"]


def test_the_base_path_of_the_settings_is_left_out_of_what_the_application_sees(log: Log) -> None:
    settings = Settings(mode="lambda", base_path="/shop")
    with closing(LambdaAdapter(MIRROR, settings=settings, log=log.stream)) as adapter:
        reply = adapter(made.rest_api("/shop/orders"), CONTEXT)
    assert json.loads(reply["body"])["path"] == "/orders"


def test_an_instance_counts_no_metric(log: Log) -> None:
    async def broken(_: Request) -> Response:
        raise ZeroDivisionError("by zero")

    settings = Settings(mode="instance")
    with closing(LambdaAdapter(routed(broken), settings=settings, log=log.stream)) as adapter:
        assert adapter(made.function_url(), CONTEXT)["statusCode"] == 500
    assert metrics_of(log) == []
