"""The two ways to the function over HTTP, with real sockets, curl's and boto3's view of them."""

import asyncio
import gc
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.aws import Aws
from deploy.errors import AwsError, LocalError
from deploy.local.execution_environment import Result
from deploy.local.front import function_url, invoke_api, name_of
from deploy.local.front_ends.function_url import FunctionUrl
from deploy.local.invocation_log import Report
from deploy.local.runtime_api import Answer
from deploy.local.server import Background, listen, serving

Serve = Callable[[ASGIApp], int]
ENDPOINT = FunctionUrl("abc.lambda-url.eu-central-1.on.aws", 80)


class Echo:
    """Stands for the function: gives back what it was given, or what it is told to give."""

    def __init__(self, answer: Answer | None = None, log: bytes = b"") -> None:
        self.seen: list[tuple[Any, str]] = []
        self.called = threading.Event()
        self._answer = answer
        self._log = log

    async def __call__(self, payload: bytes, client_context: str) -> Result:
        self.seen.append((json.loads(payload), client_context))
        self.called.set()
        return Result(self._answer or Answer(payload), self._log, Report(1.0, 128, 30))


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serves an app on a free port of loopback."""
    with ExitStack() as stack:
        background = stack.enter_context(Background())

        def begin(app: ASGIApp) -> int:
            listener = listen(0, "--port")
            served = serving(app, listener)
            background.run(served.__aenter__())
            stack.callback(lambda: background.run(served.__aexit__(None, None, None)))
            return int(listener.getsockname()[1])

        yield begin


def ask(
    port: int, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_a_request_reaches_the_function_as_an_event(serve: Serve) -> None:
    echo = Echo()
    ask(
        serve(function_url(echo, ENDPOINT)),
        "PUT",
        "/a%2Fb?c=%20d",
        b'{"e": 1}',
        {"Content-Type": "application/json"},
    )
    event = echo.seen[0][0]
    assert event["rawPath"] == "/a%2Fb"
    assert event["rawQueryString"] == "c=%20d"
    assert event["body"] == '{"e": 1}'
    assert event["requestContext"]["http"]["method"] == "PUT"


def test_a_request_to_upgrade_reaches_the_function_as_any_other(serve: Serve) -> None:
    echo = Echo()
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer, _ = ask(serve(function_url(echo, ENDPOINT)), "GET", "/a", headers=upgrade)
    assert (answer.status, [event["rawPath"] for event, _ in echo.seen]) == (200, ["/a"])


def test_an_accepted_connection_sends_small_answers_at_once(serve: Serve) -> None:
    at_once = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        transports = [it for it in gc.get_objects() if issubclass(type(it), asyncio.Transport)]
        for transport in transports:
            if transport.get_extra_info("peername") == tuple(scope["client"]):
                sock = transport.get_extra_info("socket")
                at_once.append(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
        await PlainTextResponse("")(scope, receive, send)

    ask(serve(app), "GET", "/")
    assert at_once == [True]


def test_its_result_is_the_response(serve: Serve) -> None:
    result = {
        "statusCode": 418,
        "headers": {"content-type": "text/plain"},
        "cookies": ["a=1", "b=2"],
        "body": "short and stout",
    }
    port = serve(function_url(Echo(Answer(json.dumps(result).encode())), ENDPOINT))
    answer, body = ask(port, "GET", "/")
    assert (answer.status, body) == (418, b"short and stout")
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
    assert answer.headers.get_all("content-type") == ["text/plain"]
    assert answer.headers.get_all("content-length") == ["15"]


def test_a_failed_invocation_is_a_bad_gateway(serve: Serve) -> None:
    port = serve(function_url(Echo(Answer(b"{}", "KeyError")), ENDPOINT))
    answer, body = ask(port, "GET", "/")
    assert (answer.status, body) == (502, b"Internal Server Error")


def test_a_request_over_the_limit_never_reaches_the_function(serve: Serve) -> None:
    echo = Echo()
    answer, _ = ask(serve(function_url(echo, ENDPOINT)), "POST", "/", bytes(6_291_457))
    assert (answer.status, echo.seen) == (413, [])


def test_the_limit_counts_what_the_function_would_get(serve: Serve) -> None:
    """Binary content travels in base64, so about 4.5 MB of it are the most."""
    echo = Echo()
    answer, _ = ask(serve(function_url(echo, ENDPOINT)), "POST", "/", b"\xff" * 5_000_000)
    assert (answer.status, echo.seen) == (413, [])


def aws(port: int) -> Aws:
    return Aws(
        "eu-central-1",
        "http://127.0.0.1:1",
        functions_endpoint=f"http://127.0.0.1:{port}",
        credentials=("test", "test"),
    )


def test_boto3_invokes_the_function(serve: Serve) -> None:
    port = serve(invoke_api(Echo(log=b"x" * 5000), "hello"))
    invocation = aws(port).invoke("hello", b'{"a": 1}')
    assert (json.loads(invocation.payload), invocation.error) == ({"a": 1}, "")
    assert invocation.log == "x" * 4096


def test_boto3_sees_that_the_function_failed(serve: Serve) -> None:
    port = serve(invoke_api(Echo(Answer(b'{"errorType": "KeyError"}', "KeyError")), "hello"))
    assert aws(port).invoke("hello", b"{}").error == "Unhandled"


def test_another_functions_name_is_not_found(serve: Serve) -> None:
    port = serve(invoke_api(Echo(), "hello"))
    with pytest.raises(AwsError, match="goodbye"):
        aws(port).invoke("goodbye", b"{}")


PATH = "/2015-03-31/functions/hello/invocations"


def test_an_event_invocation_is_accepted_and_runs(serve: Serve) -> None:
    echo = Echo()
    port = serve(invoke_api(echo, "hello"))
    answer, body = ask(port, "POST", PATH, b"1", {"X-Amz-Invocation-Type": "Event"})
    assert (answer.status, body) == (202, b"")
    assert echo.called.wait(5)


def test_a_dry_run_runs_nothing(serve: Serve) -> None:
    echo = Echo()
    port = serve(invoke_api(echo, "hello"))
    answer, _ = ask(port, "POST", PATH, b"1", {"X-Amz-Invocation-Type": "DryRun"})
    assert (answer.status, echo.seen) == (204, [])


def test_the_client_context_is_passed_on(serve: Serve) -> None:
    echo = Echo()
    port = serve(invoke_api(echo, "hello"))
    ask(port, "POST", PATH, b"1", {"X-Amz-Client-Context": "eyJhIjogMX0="})
    assert echo.seen == [(1, '{"a": 1}')]


def test_an_empty_payload_is_an_empty_object(serve: Serve) -> None:
    echo = Echo()
    ask(serve(invoke_api(echo, "hello")), "POST", PATH)
    assert echo.seen == [({}, "")]


def test_a_payload_that_is_no_json_is_refused(serve: Serve) -> None:
    answer, body = ask(serve(invoke_api(Echo(), "hello")), "POST", PATH, b"{")
    assert answer.status == 400
    assert answer.headers["x-amzn-errortype"] == "InvalidRequestContentException"
    assert b"Could not parse request body into json" in body


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("hello", "hello"),
        ("hello:live", "hello"),
        ("arn:aws:lambda:eu-central-1:000000000000:function:hello", "hello"),
        ("arn:aws-cn:lambda:cn-north-1:000000000000:function:hello:live", "hello"),
    ],
)
def test_a_function_may_be_called_by_its_arn(given: str, name: str) -> None:
    assert name_of(given) == name


def test_a_port_in_use_is_named_with_the_flag_that_sets_another() -> None:
    with listen(0, "--port") as first:
        port = first.getsockname()[1]
        with pytest.raises(LocalError) as caught:
            listen(port, "--port")
    assert str(caught.value) == (
        f"Port {port} on 127.0.0.1 is in use. Stop what uses it or pass --port with another."
    )


def test_a_loop_ends_with_its_block() -> None:
    with Background() as background:
        background.run(asyncio.sleep(0))
    assert background.loop.is_closed()
