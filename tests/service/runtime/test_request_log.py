"""service.runtime.request_log: a request ID and a line for every request."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import select
from typing import Any

import pytest

from service.runtime.request_lines import _parts
from service.runtime.request_log import RequestLog, request_id_of
from service.settings import Settings
from tests.service.conftest import Log

INSTANCE = Settings(mode="instance", digest="ab" * 32)


async def _respond(_scope: Any, _receive: Any, send: Any) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"x-request-id", b"own")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


def scope(*headers: tuple[bytes, bytes], path: str = "/orders") -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": path, "headers": list(headers)}


def requested(
    app: Any, given: dict[str, Any], stream: Any, settings: Settings = INSTANCE
) -> list[Any]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asyncio.run(RequestLog(app, settings, stream).respond(given, receive, send))
    return sent


@pytest.mark.parametrize("mode", ["lambda", "instance"])
def test_a_request_leaves_one_line_in_either_mode(log: Log, mode: Any) -> None:
    given = scope((b"x-request-id", b"abc-1"))
    requested(_respond, given, log.stream, Settings(mode=mode, digest="ab" * 32))
    (line,) = log.lines
    assert line.pop("time").endswith("Z")
    assert line.pop("ms") >= 0
    assert line == {
        "level": "INFO",
        "logger": "service.request",
        "message": "GET /orders 200",
        "mode": mode,
        "digest": "ab" * 32,
        "request_id": "abc-1",
        "method": "GET",
        "path": "/orders",
        "status": 200,
    }


def test_the_line_has_the_fields_of_every_other_line_in_the_same_order(log: Log) -> None:
    requested(_respond, scope(), log.stream)
    logging.getLogger("shop").info("order")
    request, other = (list(line) for line in log.lines)
    assert request[: len(other)] == other


def test_the_response_carries_the_request_id_once(log: Log) -> None:
    start = requested(_respond, scope((b"x-request-id", b"abc-1")), log.stream)[0]
    assert start["headers"] == [(b"x-request-id", b"abc-1")]


def test_a_request_id_of_the_application_s_own_gives_way(log: Log) -> None:
    async def names(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"X-Request-ID", b"mine"), (b"a", b"b")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body"})

    start = requested(names, scope((b"x-request-id", b"abc-1")), log.stream)[0]
    assert start["headers"] == [(b"x-request-id", b"abc-1"), (b"a", b"b")]


def test_a_message_of_the_application_is_left_as_it_is(log: Log) -> None:
    start = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}

    async def constant(_scope: Any, _receive: Any, send: Any) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b"ok"})

    requested(constant, scope(), log.stream)
    assert start == {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([(b"x-request-id", b"7d3f-a.b_c:1")], "7d3f-a.b_c:1"),
        ([(b"x-amzn-trace-id", b"Root=1-65f2;Self=1-3")], "Root=1-65f2;Self=1-3"),
        ([(b"x-amzn-trace-id", b"Root=1-65f2"), (b"x-request-id", b"abc")], "abc"),
        ([(b"x-request-id", b"bad id"), (b"x-amzn-trace-id", b"Root=1-65f2")], "Root=1-65f2"),
    ],
)
def test_a_well_formed_id_of_the_caller_is_kept(headers: Any, expected: str) -> None:
    assert request_id_of(headers) == expected


@pytest.mark.parametrize(
    "value", [b"", b"a b", b'a"b', b"a\nb", b"a\n", b"\xe9", b"-a", b"a" * 201, b"{}", b"a,b"]
)
def test_an_id_that_is_not_well_formed_is_replaced(value: bytes) -> None:
    made = request_id_of([(b"x-request-id", value)])
    assert made.encode() != value
    assert made.replace("-", "").isalnum()


def test_made_ids_differ() -> None:
    assert len({request_id_of([]) for _ in range(1000)}) == 1000


@pytest.mark.parametrize(
    "path", ['/"}\n{"level":"INFO', "/\r\n", "/\u2028\u0085", "/\x00", "/\udc80", "/ü"]
)
def test_no_path_can_forge_a_line(log: Log, path: str) -> None:
    requested(_respond, scope(path=path), log.stream)
    assert log.text.isascii()
    assert log.text.count("\n") == 1
    assert log.lines[0]["path"] == path


def test_a_path_too_long_to_be_kept_is_logged_whole_and_not_kept(log: Log) -> None:
    kept = _parts.cache_info().currsize
    path = "/" + "a" * 5_000
    requested(_respond, scope(path=path), log.stream)
    assert log.lines[0]["path"] == path
    assert _parts.cache_info().currsize == kept


def test_a_healthy_health_check_is_a_line_for_debugging_only(log: Log) -> None:
    requested(_respond, scope(path="/healthz"), log.stream)
    assert [line["level"] for line in log.lines] == ["DEBUG"]
    logging.getLogger().setLevel("INFO")
    requested(_respond, scope(path="/healthz"), log.stream)
    assert len(log.lines) == 1


def test_an_exception_is_answered_with_500_and_logged_once_with_the_id(log: Log) -> None:
    async def broken(_scope: Any, _receive: Any, _send: Any) -> None:
        raise ZeroDivisionError("by zero")

    given = scope((b"x-request-id", b"abc-1"), path="/healthz")
    start, body = requested(broken, given, log.stream)
    assert start["status"] == 500
    assert (b"x-request-id", b"abc-1") in start["headers"]
    assert body["body"] == b"Internal Server Error"
    failure, request = log.lines
    assert failure["exception"].endswith("ZeroDivisionError: by zero")
    assert failure["request_id"] == "abc-1"
    assert (request["level"], request["status"]) == ("ERROR", 500)


def test_a_reply_already_begun_is_left_for_the_server_to_cut_off(log: Log) -> None:
    async def cut_off(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError("by zero")

    with pytest.raises(ZeroDivisionError):
        requested(cut_off, scope(), log.stream)
    assert (log.lines[-1]["level"], log.lines[-1]["status"]) == ("ERROR", 0)  # nobody got a 200


def test_a_failure_after_the_answer_is_logged_and_leaves_the_answer_alone(log: Log) -> None:
    async def answers_then_fails(given: Any, receive: Any, send: Any) -> None:
        await _respond(given, receive, send)
        raise ZeroDivisionError("by zero")

    assert len(requested(answers_then_fails, scope(), log.stream)) == 2
    failure, request = log.lines
    assert failure["exception"].endswith("ZeroDivisionError: by zero")
    assert request["status"] == 200


def test_the_lines_of_the_application_carry_the_id(log: Log) -> None:
    async def talk(given: Any, receive: Any, send: Any) -> None:
        logging.getLogger("shop").info("working")
        await _respond(given, receive, send)

    requested(talk, scope((b"x-request-id", b"abc-1")), log.stream)
    assert log.of("shop")[0]["request_id"] == "abc-1"


class _Full(io.StringIO):
    def write(self, _: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_fails_no_request(log: Log) -> None:
    assert requested(_respond, scope(), _Full())[0]["status"] == 200
    assert log.lines == []


class _Writes(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def write(self, text: str) -> int:
        self.texts.append(text)
        return len(text)


@pytest.mark.usefixtures("log")
def test_lines_of_one_turn_are_written_together_but_never_more_than_stays_whole_in_a_pipe() -> None:
    stream = _Writes()

    async def answers(given: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0)
        await _respond(given, receive, send)

    async def send(_message: Any) -> None:
        pass

    respond = RequestLog(answers, INSTANCE, stream).respond

    async def many() -> None:
        await asyncio.gather(*(respond(scope(), None, send) for _ in range(64)))  # type: ignore[arg-type]

    asyncio.run(many())
    assert 1 < len(stream.texts) < 16
    assert all(len(text) <= select.PIPE_BUF for text in stream.texts)
    lines = "".join(stream.texts).splitlines()
    assert len({json.loads(line)["request_id"] for line in lines}) == 64


@pytest.mark.parametrize("status", ["200", 0, 99, 600, None])
def test_a_status_that_http_does_not_have_is_a_500_with_the_id(log: Log, status: Any) -> None:
    async def wrong(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})

    start, _ = requested(wrong, scope((b"x-request-id", b"abc-1")), log.stream)
    assert (start["status"], start["headers"][0]) == (500, (b"x-request-id", b"abc-1"))
    wanted = f"RuntimeError: The status is {status!r}; expected a number from 100 to 599."
    assert log.lines[0]["exception"].endswith(wanted)


def test_an_exit_is_answered_with_500_as_under_uvicorn_and_ends_no_process(log: Log) -> None:
    async def exits(_scope: Any, _receive: Any, _send: Any) -> None:
        raise SystemExit(3)

    start, _ = requested(exits, scope((b"x-request-id", b"abc-1")), log.stream)
    assert (start["status"], start["headers"][0]) == (500, (b"x-request-id", b"abc-1"))
    assert log.lines[0]["exception"].endswith("SystemExit: 3")


def test_no_response_is_a_500_with_the_id(log: Log) -> None:
    async def silent(_scope: Any, _receive: Any, _send: Any) -> None:
        pass

    start, _ = requested(silent, scope((b"x-request-id", b"abc-1")), log.stream)
    assert (start["status"], start["headers"][0]) == (500, (b"x-request-id", b"abc-1"))
    assert log.lines[0]["message"] == "GET /orders got no response"


def test_a_body_before_the_start_is_a_500_with_the_id(log: Log) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        if not sent and message["type"] == "http.response.body":
            raise RuntimeError("as uvicorn says")
        sent.append(message)

    async def begins_with_the_body(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.body", "body": b"a"})

    given = scope((b"x-request-id", b"abc-1"))
    asyncio.run(
        RequestLog(begins_with_the_body, INSTANCE, log.stream).respond(given, None, send)  # type: ignore[arg-type]
    )
    assert sent[0]["status"] == 500
    assert (b"x-request-id", b"abc-1") in sent[0]["headers"]


def test_a_request_that_is_cancelled_is_left_to_the_server(log: Log) -> None:
    async def waits(_scope: Any, _receive: Any, _send: Any) -> None:
        await asyncio.Event().wait()

    async def cancelled() -> None:
        respond = RequestLog(waits, INSTANCE, log.stream).respond
        task = asyncio.ensure_future(respond(scope(), None, None))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert [line["status"] for line in log.lines] == [0]


def test_what_is_no_request_passes_untouched(log: Log) -> None:
    seen: list[str] = []

    async def app(given: Any, _receive: Any, _send: Any) -> None:
        seen.append(given["type"])

    requested(app, {"type": "lifespan"}, log.stream)
    requested(app, {"type": "websocket"}, log.stream)
    assert seen == ["lifespan", "websocket"]
    assert log.lines == []


def test_the_query_string_is_not_logged(log: Log) -> None:
    requested(_respond, scope() | {"query_string": b"token=secret"}, log.stream)
    assert "secret" not in json.dumps(log.lines)
