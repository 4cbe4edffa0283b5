"""How a request goes on to the embedded AWS and its answer comes back: as they come, whole."""

import asyncio
import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from deploy.local.guests.upstream import Answer, Head
from deploy.local.guests.upstream import Upstream as PassingOn
from deploy.local.server import Background
from tests.deploy.local.guests.served import served
from tests.deploy.local.guests.upstreams import PATIENCE, Upstream, listening, received


@dataclass(frozen=True)
class Between:
    """What stands between a caller and an AWS whose answers the test writes."""

    url: str
    upstream: Upstream

    def connected(self) -> closing[socket.socket]:
        """A caller's connection."""
        parts = urlsplit(self.url)
        return closing(socket.create_connection((parts.hostname, parts.port), PATIENCE))


@pytest.fixture
def between() -> Iterator[Between]:
    with listening() as upstream:
        passing_on = PassingOn(upstream.endpoint)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await passing_on.pass_on(Request(scope, receive), send)

        with served(app) as url:
            yield Between(url, upstream)


def test_a_request_arrives_as_it_was_sent(between: Between) -> None:
    with between.connected() as caller:
        caller.sendall(
            b"PUT /a%2Fb//c?d=%20e&f HTTP/1.1\r\nHost: 169.254.169.254:4566\r\n"
            b"Content-Length: 3\r\nX-Amz-Meta: \xe4\r\nX-Amz-Meta: 2\r\nConnection: keep-alive\r\n"
            b"TE: trailers\r\n\r\nxyz"
        )
        with between.upstream.accepted() as aws:
            assert received(aws, b"xyz") == (
                b"PUT /a%2Fb//c?d=%20e&f HTTP/1.1\r\nhost: 169.254.169.254:4566\r\n"
                b"content-length: 3\r\nx-amz-meta: \xe4\r\nx-amz-meta: 2\r\n"
                b"connection: close\r\n\r\nxyz"
            )


def test_an_answer_arrives_as_it_was_sent(between: Between) -> None:
    with between.connected() as caller:
        caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with between.upstream.accepted() as aws:
            received(aws, b"\r\n\r\n")
            aws.sendall(
                b'HTTP/1.1 418 Teapot\r\nDate: today\r\nContent-Length: 3\r\nETag: "1"\r\n'
                b"X-Amz-Twice: 1\r\nX-Amz-Twice: 2\r\nConnection: close\r\n\r\nabc"
            )
        head, _, body = received(caller, b"abc").partition(b"\r\n\r\n")
    first, *lines = head.lower().split(b"\r\n")
    assert first.startswith(b"http/1.1 418")
    dates = [line for line in lines if line.startswith(b"date:")]
    assert [line for line in lines if line not in dates] == [
        b"content-length: 3",
        b'etag: "1"',
        b"x-amz-twice: 1",
        b"x-amz-twice: 2",
    ]
    assert len(dates) == 1
    assert b"today" not in dates[0]
    assert body == b"abc"


def test_a_body_goes_on_while_the_rest_is_still_to_come(between: Between) -> None:
    with between.connected() as caller:
        caller.sendall(
            b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n"
        )
        with between.upstream.accepted() as aws:
            assert b"transfer-encoding: chunked" in received(aws, b"first")
            caller.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
            assert b"second" in received(aws, b"0\r\n\r\n")


def test_an_answer_comes_back_while_the_rest_is_still_to_come(between: Between) -> None:
    with between.connected() as caller:
        caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with between.upstream.accepted() as aws:
            received(aws, b"\r\n\r\n")
            aws.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
            received(caller, b"first")
            aws.sendall(b"6\r\nsecond\r\n0\r\n\r\n")
            received(caller, b"second\r\n0\r\n\r\n")


def test_a_caller_that_waits_is_told_to_go_on_here(between: Between) -> None:
    with between.connected() as caller:
        caller.sendall(
            b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        )
        received(caller, b"HTTP/1.1 100 Continue\r\n\r\n")
        caller.sendall(b"body")
        with between.upstream.accepted() as aws:
            assert b"expect" not in received(aws, b"body")


def test_a_word_on_the_way_is_not_taken_for_the_answer(between: Between) -> None:
    with between.connected() as caller:
        caller.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with between.upstream.accepted() as aws:
            received(aws, b"\r\n\r\n")
            aws.sendall(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 201 Created\r\n\r\n")
        assert received(caller, b"\r\n\r\n").startswith(b"HTTP/1.1 201 ")


def test_an_answer_to_head_has_a_length_and_no_body(between: Between) -> None:
    with between.connected() as caller:
        caller.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
        with between.upstream.accepted() as aws:
            received(aws, b"\r\n\r\n")
            aws.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
        assert b"content-length: 12345\r\n" in received(caller, b"\r\n\r\n").lower()


def test_an_answer_that_breaks_off_is_not_passed_off_as_whole(between: Between) -> None:
    connection = http.client.HTTPConnection(urlsplit(between.url).netloc, timeout=PATIENCE)
    with closing(connection):
        connection.request("GET", "/")
        with between.upstream.accepted() as aws:
            received(aws, b"\r\n\r\n")
            aws.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        answer = connection.getresponse()
        with pytest.raises(http.client.IncompleteRead):
            answer.read()


def test_a_caller_that_goes_away_takes_its_request_with_it(between: Between) -> None:
    with between.connected() as caller:
        caller.sendall(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nfirst")
        with between.upstream.accepted() as aws:
            received(aws, b"first")
            caller.close()
            assert aws.recv(1) == b""


def test_another_body_has_its_own_length() -> None:
    headers = [(b"host", b"x"), (b"transfer-encoding", b"chunked"), (b"content-length", b"9")]
    head = Head("POST", b"/", headers)
    with listening() as upstream, Background() as background:
        asking = PassingOn(upstream.endpoint).ask(head, b"body")
        answer = asyncio.run_coroutine_threadsafe(asking, background.loop)
        with upstream.accepted() as aws:
            assert received(aws, b"body") == (
                b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nconnection: close\r\n\r\nbody"
            )
            aws.sendall(
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
            )
        assert answer.result(PATIENCE) == Answer(200, b"ok")
