"""service.http_server: real uvicorn over real sockets."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.service.conftest import PATIENCE, Server, until

Serve = Callable[..., Server]

HANDLER = """
import asyncio, logging, socket
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

async def who(request):
    return JSONResponse({"client": request.client.host, "scheme": request.url.scheme})

async def slow(request):
    logging.getLogger("test").info("slow began")
    await asyncio.sleep(float(request.query_params["seconds"]))
    return PlainTextResponse("done")

async def stream(request):
    async def parts():
        yield "begun "
        await asyncio.sleep(float(request.query_params["seconds"]))
        yield "done"
    return StreamingResponse(parts())

async def broken(request):
    raise ZeroDivisionError("by zero")

endpoints = {"/": who, "/slow": slow, "/stream": stream, "/broken": broken}
app = Starlette(routes=[Route(path, endpoint) for path, endpoint in endpoints.items()])
"""


@contextmanager
def connected(server: Server) -> Iterator[http.client.HTTPConnection]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)) as made:
        yield made


def got(
    connection: http.client.HTTPConnection, path: str = "/", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers=named)
    response = connection.getresponse()
    return response, response.read()


def lines(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_many_requests_are_served_at_once(serve: Serve) -> None:
    server = serve(HANDLER)

    def one(_: int) -> bytes:
        with connected(server) as connection:
            return got(connection, "/slow?seconds=0.5")[1]

    started = time.monotonic()
    with ThreadPoolExecutor(32) as pool:
        assert list(pool.map(one, range(32))) == [b"done"] * 32
    assert time.monotonic() - started < 8  # one after the other takes 16 s


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_stops_cleanly(serve: Serve, number: int) -> None:
    code, output = serve().stop(number)
    assert code == 0
    assert "Traceback" not in output


def test_a_request_in_flight_at_term_completes(serve: Serve) -> None:
    server = serve(HANDLER, SERVICE_DRAIN_SECONDS="600")
    with connected(server) as connection:
        connection.request("GET", "/slow?seconds=1")
        server.await_line("slow began")
        server.process.terminate()
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"done")
        assert response.headers["connection"] == "close"
    assert server.ended()[0] == 0


def test_a_keep_alive_client_is_told_to_close_while_the_server_drains(serve: Serve) -> None:
    server = serve(HANDLER, SERVICE_DRAIN_SECONDS="10")
    with connected(server) as connection:
        response, _ = got(connection)
        assert response.headers["connection"] is None
        server.process.terminate()
        server.await_line("Draining 1 connections")
        response, _ = got(connection)
        assert response.status == 200
        assert response.headers["connection"] == "close"
    assert server.ended()[0] == 0


def test_a_client_whose_reply_has_begun_at_term_may_ask_once_more(serve: Serve) -> None:
    server = serve(HANDLER, SERVICE_DRAIN_SECONDS="10")
    with connected(server) as connection:
        connection.auto_open = 0  # a connection that the server closes is an error
        connection.connect()
        connection.request("GET", "/stream?seconds=1")
        streamed = connection.getresponse()  # its headers said nothing of closing
        server.process.terminate()
        server.await_line("Draining 1 connections")
        assert streamed.read() == b"begun done"
        response, _ = got(connection)
        assert (response.status, response.headers["connection"]) == (200, "close")
    assert server.ended()[0] == 0


BUSY = """
import logging, os, pathlib, time
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

class StandStill(logging.Handler):
    def emit(self, record):
        if "Drained" in record.getMessage():
            logging.getLogger("test").info("the loop stands still")
            while not pathlib.Path(os.environ["SENT"]).exists():
                time.sleep(0.01)

logging.getLogger("service.http_server").addHandler(StandStill())

async def quick(request):
    return PlainTextResponse("quick")

app = Starlette(routes=[Route("/", quick)])
"""


def test_a_request_that_waits_to_be_read_when_the_drain_ends_is_answered(
    serve: Serve, tmp_path: Path
) -> None:
    server = serve(BUSY, SERVICE_DRAIN_SECONDS="0", SENT=str(tmp_path / "sent"))
    with connected(server) as connection:
        got(connection)
        server.process.terminate()
        server.await_line("the loop stands still")
        connection.auto_open = 0  # a connection that the server closes is an error
        connection.request("GET", "/")
        (tmp_path / "sent").touch()
        response = connection.getresponse()
        assert (response.status, response.headers["connection"]) == (200, "close")
    assert server.ended()[0] == 0


def test_an_idle_connection_is_closed_when_the_drain_ends(serve: Serve) -> None:
    server = serve(HANDLER, SERVICE_DRAIN_SECONDS="0")
    with connected(server) as connection:
        got(connection)
        assert server.stop()[0] == 0
        assert connection.sock.recv(1) == b""


def test_a_draining_server_accepts_no_connection(serve: Serve) -> None:
    server = serve(HANDLER, SERVICE_DRAIN_SECONDS="10")
    with connected(server) as connection:
        got(connection)
        server.process.terminate()
        server.await_line("Draining")

        def refused() -> bool:
            try:
                server.connect().close()
            except ConnectionError:
                return True
            return False

        until(refused)
        got(connection)
    assert server.ended()[0] == 0


def test_a_second_interrupt_ends_the_drain(serve: Serve) -> None:
    server = serve(HANDLER, SERVICE_DRAIN_SECONDS="600")
    with connected(server) as connection:
        got(connection)
        server.process.send_signal(signal.SIGINT)
        server.await_line("Draining")
        assert server.stop(signal.SIGINT)[0] == 0


def test_a_request_that_outlasts_the_grace_time_is_cut_off(serve: Serve) -> None:
    server = serve(HANDLER, SERVICE_DRAIN_SECONDS="0", SERVICE_GRACE_SECONDS="0.2")
    with connected(server) as connection:
        connection.request("GET", "/slow?seconds=600")
        server.await_line("slow began")
        code, output = server.stop()
        assert code == 0
        assert "timeout graceful shutdown exceeded" in output
        response = connection.getresponse()
        assert (response.status, response.headers["connection"]) == (500, "close")


EXITS = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError
    if scope["path"] == "/exit":
        raise SystemExit(3)
"""


@pytest.mark.parametrize("path", ["/exit", "/silent"])
def test_an_exit_and_no_response_are_a_500_with_the_id_and_the_server_goes_on(
    serve: Serve, path: str
) -> None:
    server = serve(EXITS)
    for _ in range(2):
        with connected(server) as connection:
            response, body = got(connection, path, x_request_id="abc-1")
            assert (response.status, body) == (500, b"Internal Server Error")
            assert response.headers["x-request-id"] == "abc-1"


def test_every_output_line_is_one_json_object_with_the_id_of_its_request(serve: Serve) -> None:
    server = serve(HANDLER, SERVICE_DIGEST="ab" * 32)
    with connected(server) as connection:
        response, body = got(connection, "/broken", x_request_id="abc-1")
        assert (response.status, body) == (500, b"Internal Server Error")
        assert response.headers["x-request-id"] == "abc-1"
    written = lines(server.stop()[1])
    assert {(line["mode"], line["digest"]) for line in written} == {("instance", "ab" * 32)}
    assert not any("color_message" in line for line in written)  # uvicorn's, for terminals
    mine = [line for line in written if line["request_id"] == "abc-1"]
    assert [("exception" in line, line["level"]) for line in mine] == [
        (True, "ERROR"),
        (False, "ERROR"),
    ]
    assert mine[0]["exception"].endswith("ZeroDivisionError: by zero")


def test_the_line_of_a_request_leaves_at_once(serve: Serve) -> None:
    """Also where Python would keep it in a buffer, as it does for a file or a pipe."""
    server = serve(HANDLER, PYTHONUNBUFFERED="")
    with connected(server) as connection:
        got(connection, "/broken", x_request_id="abc-1")
        got(connection, "/", x_request_id="abc-2")
        server.await_line('"request_id":"abc-2"')


def test_the_reply_has_a_date_and_names_no_server(serve: Serve) -> None:
    with connected(serve(HANDLER)) as connection:
        response, _ = got(connection)
        assert response.headers["date"]
        assert response.headers["server"] is None


@pytest.mark.parametrize(
    ("trusted", "expected"),
    [
        ("", {"client": "127.0.0.1", "scheme": "http"}),
        ("10.0.0.0/8", {"client": "127.0.0.1", "scheme": "http"}),
        ("127.0.0.0/8", {"client": "203.0.113.7", "scheme": "https"}),
    ],
)
def test_proxy_headers_are_trusted_from_configured_addresses_only(
    serve: Serve, trusted: str, expected: dict[str, str]
) -> None:
    # uvicorn's own variable must not open what ours keeps closed
    server = serve(HANDLER, SERVICE_FORWARDED_ALLOW_IPS=trusted, FORWARDED_ALLOW_IPS="*")
    with connected(server) as connection:
        _, body = got(connection, x_forwarded_for="203.0.113.7", x_forwarded_proto="https")
        assert json.loads(body) == expected


def test_a_listening_socket_on_descriptor_0_is_served(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        server = serve(HANDLER, stdin=given, SERVICE_PORT="1")
        with connected(server) as connection:
            assert got(connection)[0].status == 200
        assert server.stop()[0] == 0
        assert given.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1  # left open


NODELAY_HANDLER = """
import gc, socket

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    options = [
        str(t.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)
        for t in gc.get_objects()
        if type(t).__name__ == "TCPTransport"
    ]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": ",".join(options).encode()})
"""


@pytest.mark.parametrize("way", ["port", "descriptor 0"])
def test_an_accepted_connection_sends_small_answers_at_once(serve: Serve, way: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        server = serve(NODELAY_HANDLER, stdin=given if way == "descriptor 0" else None)
        with connected(server) as connection:
            assert got(connection)[1] == b"True"


def test_a_new_server_takes_over_the_socket_without_losing_a_request(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=512) as given:
        old, new = serve(stdin=given), serve(stdin=given)
        statuses: list[int] = []
        stop = threading.Event()

        def ask() -> None:
            while not stop.is_set():
                with connected(old) as connection:
                    statuses.append(got(connection)[0].status)

        with ThreadPoolExecutor(4) as pool:
            asking = [pool.submit(ask) for _ in range(4)]
            until(lambda: len(statuses) > 50)
            assert old.stop()[0] == 0
            seen = len(statuses)
            until(lambda: len(statuses) > seen + 50)
            stop.set()
            for one in asking:
                one.result()
        assert set(statuses) == {200}
        assert new.process.poll() is None
