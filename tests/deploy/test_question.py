"""One HTTP question, asked over real sockets."""

from __future__ import annotations

import re
import socket
import threading

from deploy.question import Answer, Question, ask
from tests.deploy.wire import answering


def asked_raw(question: Question, path: str = "") -> list[str]:
    """The lines of the request as they arrived."""
    arrived: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                head = b"".join(iter(stream.readline, b"\r\n"))
                length = re.search(rb"Content-Length: (\d+)", head)
                arrived.append(head + stream.read(int(length[1]) if length else 0))
                connection.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        answer = ask("x", f"http://127.0.0.1:{server.getsockname()[1]}{path}", question, 5)
        thread.join()
    assert answer.status == 204
    return arrived[0].decode().split("\r\n")


def test_an_answer_has_status_headers_body_and_time() -> None:
    with answering(404, "nothing") as url:
        answer = ask("lambda", url, Question("/x"))
    assert (answer.side, answer.url) == ("lambda", f"{url}/x")
    assert (answer.status, answer.body, answer.problem) == (404, b"nothing", "")
    assert ("Content-Length", "7") in answer.headers
    assert answer.seconds > 0


def test_what_is_sent_is_what_was_asked() -> None:
    question = Question("/p?a=1&a=2", "PUT", (("X", "1"), ("X", "2")), b"body")
    lines = asked_raw(question)
    assert lines[0] == "PUT /p?a=1&a=2 HTTP/1.1"
    assert [line for line in lines if line.startswith("X:")] == ["X: 1", "X: 2"]
    assert "Content-Length: 4" in lines
    assert lines[-1] == "body"


def test_an_empty_post_says_that_it_is_empty() -> None:
    assert "Content-Length: 0" in asked_raw(Question("/", "POST"))


def test_a_header_of_ones_own_replaces_the_host() -> None:
    hosts = [
        line
        for line in asked_raw(Question("/", headers=(("Host", "example.org"),)))
        if line.lower().startswith("host:")
    ]
    assert hosts == ["Host: example.org"]


def test_the_slash_of_a_function_url_is_not_doubled() -> None:
    assert asked_raw(Question("/healthz"), "/")[0] == "GET /healthz HTTP/1.1"


def test_nobody_there_is_a_problem_and_no_exception() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    answer = ask("instance", f"http://127.0.0.1:{port}", Question())
    assert (answer.status, answer.succeeded) == (0, False)
    assert "refused" in answer.problem


def test_a_side_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        answer = ask("instance", url, Question(), timeout=0.2)
    assert answer.problem == "timed out"


def test_a_failure_is_500_or_more() -> None:
    def succeeded(status: int) -> bool:
        return Answer("x", "", status, (), b"", 0.0).succeeded

    assert [succeeded(status) for status in (200, 302, 404, 500, 503)] == [
        True,
        True,
        True,
        False,
        False,
    ]
