"""HAR files -> requests."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from deploy.parity.har import is_har, requests_in
from deploy.parity.request import Request


def archive(*requests: Any) -> bytes:
    return json.dumps({"log": {"entries": [{"request": one} for one in requests]}}).encode()


def said(url: Any = "https://h.example/", **more: Any) -> dict[str, Any]:
    return {"method": "GET", "url": url, "headers": [], **more}


def read(content: bytes) -> tuple[tuple[Request, ...], list[str]]:
    problems: list[str] = []
    return requests_in(content, "s.har", (), problems), problems


def one(**more: Any) -> Request:
    (found,), problems = read(archive(said(**more)))
    assert problems == []
    return found


@pytest.mark.parametrize(
    ("content", "is_one"),
    [(b' \n{"log"', True), (b"curl / -d '{}'", False), (b"", False)],
)
def test_a_har_file_is_recognised_by_its_content(content: bytes, is_one: bool) -> None:
    assert is_har(content) is is_one


def test_headers_keep_their_order_and_lose_what_http_2_and_the_host_add() -> None:
    pairs = [
        (":authority", "h"),
        ("b", "2"),
        ("Host", "h"),
        ("a", "1"),
        ("b", "3"),
        ("content-length", "9"),
    ]
    found = one(
        url="https://h.example/a%20b?x=1#part",
        headers=[{"name": name, "value": value} for name, value in pairs],
    )
    assert found == Request(
        "GET",
        "/a%20b?x=1",
        (("b", "2"), ("a", "1"), ("b", "3")),
        where="s.har: entry 1",
        host="h.example",
    )


@pytest.mark.parametrize(
    ("posted", "body"),
    [
        ({"mimeType": "text/plain", "text": "ü"}, "ü".encode()),
        (
            {"mimeType": "x/y", "text": base64.b64encode(b"\xff\0").decode(), "encoding": "base64"},
            b"\xff\0",
        ),
        (
            {
                "mimeType": "application/x-www-form-urlencoded",
                "params": [{"name": "a", "value": "1 2"}, {"name": "b"}],
            },
            b"a=1+2&b=",
        ),
        ({}, b""),
    ],
)
def test_the_body_is_what_was_posted(posted: dict[str, Any], body: bytes) -> None:
    assert one(method="POST", postData=posted).body == body


REMEDY = (
    "If it went to another host, name the service's by --host; "
    "else take the entry out, or copy it as cURL."
)
FORM = {"mimeType": "multipart/form-data", "params": [{"name": "a"}]}


@pytest.mark.parametrize(
    "url",
    [
        "data:image/png;base64,AA",
        "wss://h/socket",
        "blob:https://h/1",
        "chrome-extension://x/y",
        "chrome://newtab/",
        "ftp://h/",
    ],
)
def test_what_never_went_out_by_http_is_left_out(url: str) -> None:
    found, problems = read(archive(said(url), said("https://h/2")))
    assert [request.where for request in found] == ["s.har: entry 2"]
    assert problems == []


def test_a_port_after_a_name_is_no_scheme() -> None:
    assert one(url="localhost:9999/x").host == "localhost:9999"


def test_an_entry_of_a_host_that_is_not_meant_is_not_judged() -> None:
    content = archive(said("https://h/1"), said("https://cdn/2", method="POST", postData=FORM))
    problems: list[str] = []
    own, other = requests_in(content, "s.har", ("H",), problems)
    assert (own.target, own.host, other.host, problems) == ("/1", "h", "cdn", [])


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"{", "no JSON from line 1, column 2 on; save the HAR file again"),
        (b'{"log":\n {"a": tru', "no JSON from line 2, column 8 on; save the HAR file again"),
        (
            b'{"log":\n "\xc3\xa9\xe9"}',
            "no JSON: line 2, column 4 is not UTF-8; save the HAR file again",
        ),
        (b'{"log":' + b"[" * 99_999, "no HAR file; it is nested too deeply"),
        (b"{}", "JSON, but no HAR file; expected an object with log.entries"),
        (
            b'{"log": {"entries": 1}}',
            "JSON, but no HAR file; expected an object with log.entries",
        ),
    ],
)
def test_what_is_no_har_file_is_one_problem(content: bytes, wrong: str) -> None:
    assert read(content) == ((), [f"s.har: {wrong}."])


@pytest.mark.parametrize("content", [archive(), archive(said("about:blank"))])
def test_a_har_file_without_requests_is_one_problem(content: bytes) -> None:
    assert read(content) == (
        (),
        ["s.har: no request by HTTP. Use the page with the network panel open, and save it then."],
    )


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        (
            said(method="POST", postData=FORM),
            "the body is given as parameters only; its bytes cannot be told from them",
        ),
        ({"method": "GET", "url": "/"}, "its request.headers is not a list, as HAR 1.2 has it"),
        (1, "its request is not an object, as HAR 1.2 has it"),
        (said(7), "its request.url is not text, as HAR 1.2 has it"),
        (said(method=None), "its request.method is not text, as HAR 1.2 has it"),
        (
            said(headers=[{"name": "a"}]),
            "its request.headers.value is not text, as HAR 1.2 has it",
        ),
        (said(headers=["a: 1"]), "its request.headers.name is not text, as HAR 1.2 has it"),
        (said(postData=[1]), "its request.postData is not an object, as HAR 1.2 has it"),
        (
            said(postData={"text": {"a": 1}}),
            "its request.postData.text is not text, as HAR 1.2 has it",
        ),
        (
            said(postData={"text": "%", "encoding": "base64"}),
            "its request.postData.text is not base64",
        ),
        (
            said(postData={"mimeType": "x/urlencoded", "params": 5}),
            "its request.postData.params is not a list, as HAR 1.2 has it",
        ),
        (
            said("https://h/\ud800"),
            "half of a surrogate pair stands in it, which is no character",
        ),
    ],
)
def test_an_entry_that_is_no_request_is_said_with_what_is_wrong_and_what_to_do(
    entry: Any, wrong: str
) -> None:
    found, problems = read(archive(said(), entry))
    assert len(found) == 1
    assert problems == [f"s.har: entry 2: {wrong}. {REMEDY}"]
