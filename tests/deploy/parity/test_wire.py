"""Requests as bytes, and answers of servers of every kind."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from deploy.parity.request import Request
from deploy.parity.wire import ask, encoded


class Scripted:
    """Reads one request, answers it with fixed bytes, and closes."""

    def __init__(self, reply: bytes, close: bool = True) -> None:
        self._reply = reply
        self._close = close
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self.got = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def _serve(self) -> None:
        with self._listener.accept()[0] as connection:
            self.got = connection.recv(65_536)
            connection.sendall(self._reply)
            if not self._close:
                self._ended.wait(10)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()
        self._listener.close()


Serve = Callable[..., Scripted]


@pytest.fixture
def serve() -> Iterator[Serve]:
    started: list[Scripted] = []

    def begin(reply: bytes, close: bool = True) -> Scripted:
        started.append(Scripted(reply, close))
        return started[-1]

    yield begin
    for one in started:
        one.end()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_a_request_goes_out_as_it_is_written(serve: Serve) -> None:
    server = serve(OK)
    headers = (("B", "2"), ("a", "\xc3\xbc"), ("B", "3"))
    answer = ask("lambda", server.url, Request("REPORT", "//a%2Fb/../\xff?x", headers))
    host = server.url.removeprefix("http://").rstrip("/").encode()
    assert server.got == (
        b"REPORT //a%2Fb/../\xff?x HTTP/1.1\r\nHost: "
        + host
        + b"\r\nB: 2\r\na: \xc3\xbc\r\nB: 3\r\n\r\n"
    )
    assert (answer.side, answer.status, answer.body, answer.problem) == ("lambda", 200, b"ok", "")


@pytest.mark.parametrize(
    ("request_", "end"),
    [
        (Request("GET", "/"), b"Host: h\r\n\r\n"),
        (Request("POST", "/"), b"Content-Length: 0\r\n\r\n"),
        (Request("GET", "/", (), b"abc"), b"Content-Length: 3\r\n\r\nabc"),
        (
            Request("PUT", "/", (("transfer-encoding", "chunked"),), b"abc"),
            b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
        (
            Request("PUT", "/", (("transfer-encoding", "chunked"),)),
            b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
    ],
)
def test_a_body_is_framed(request_: Request, end: bytes) -> None:
    assert encoded(request_, "h").endswith(end)


def test_headers_come_back_in_order_with_repeats(serve: Serve) -> None:
    server = serve(b"HTTP/1.1 301 x\r\nLocation: /\r\nA: 1\r\na: \xfc\r\nContent-Length: 0\r\n\r\n")
    answer = ask("lambda", server.url, Request("GET", "/"))
    assert answer.status == 301
    assert answer.headers == (
        ("Location", "/"),
        ("A", "1"),
        ("a", "\xfc"),
        ("Content-Length", "0"),
    )


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nto the end", b"to the end"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            b"abc",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 204 No\r\n\r\n", b""),
    ],
)
def test_bodies_are_read_to_their_end(serve: Serve, reply: bytes, body: bytes) -> None:
    answer = ask("lambda", serve(reply).url, Request("GET", "/"))
    assert (answer.body, answer.problem) == (body, "")


def test_head_has_no_body_to_wait_for(serve: Serve) -> None:
    answer = ask("lambda", serve(OK[:-2], close=False).url, Request("HEAD", "/"))
    assert (answer.status, answer.body, answer.problem) == (200, b"", "")


@pytest.mark.parametrize(
    ("reply", "status", "problem"),
    [
        (b"", 0, "Remote end closed connection without response"),
        (b"nonsense\r\n\r\n", 0, "what came is no HTTP response: 'nonsense'"),
        (
            b"HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\nabc",
            0,
            "what came is no HTTP response: 'abc'",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab",
            200,
            "200, broken off after 2 bytes of its body",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
            200,
            "200, broken off after 2 bytes of its body",
        ),
    ],
)
def test_an_answer_that_is_none_is_a_problem(
    serve: Serve, reply: bytes, status: int, problem: str
) -> None:
    answer = ask("lambda", serve(reply).url, Request("GET", "/"))
    assert (answer.status, answer.problem) == (status, problem)


def test_a_side_that_nobody_plays_is_a_problem() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    answer = ask("lambda", f"http://127.0.0.1:{port}", Request("GET", "/"))
    assert (answer.status, answer.succeeded) == (0, False)
    assert "Connection refused" in answer.problem


def test_an_answer_without_an_end_has_one_here(serve: Serve) -> None:
    server = serve(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", close=False)
    answer = ask("lambda", server.url, Request("GET", "/"), seconds=0.2)
    assert answer.problem == "no whole answer within 0.2 s"
