"""HAR files -> requests."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from deploy.parity.har import is_har, requests_in
from deploy.parity.request import Request


def archive(*requests: dict[str, Any]) -> bytes:
    return json.dumps({"log": {"entries": [{"request": one} for one in requests]}}).encode()


def said(url: str = "https://h.example/", **more: Any) -> dict[str, Any]:
    return {"method": "GET", "url": url, "headers": [], **more}


def read(content: bytes) -> tuple[tuple[Request, ...], list[str]]:
    problems: list[str] = []
    return requests_in(content, "s.har", problems), problems


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


@pytest.mark.parametrize(
    "url",
    ["data:image/png;base64,AA", "wss://h/socket", "blob:https://h/1", "chrome-extension://x/y"],
)
def test_what_never_went_out_by_http_is_left_out(url: str) -> None:
    found, problems = read(archive(said(url), said("https://h/2")))
    assert [request.where for request in found] == ["s.har: entry 2"]
    assert problems == []


@pytest.mark.parametrize("content", [b"{", b"{}", b'{"log": {"entries": 1}}', b"{" + b"[" * 9999])
def test_other_json_is_one_problem(content: bytes) -> None:
    assert read(content) == (
        (),
        ["s.har: JSON, but no HAR file; expected an object with log.entries."],
    )


def test_every_entry_that_is_no_request_is_said() -> None:
    form = {"mimeType": "multipart/form-data", "params": [{"name": "a"}]}
    _, problems = read(
        archive(
            said("ftp://h/"),
            {"method": "GET", "url": "https://h/"},
            said(method="POST", postData=form),
        )
    )
    assert problems == [
        "s.har: entry 1: the URL 'ftp://h/' is neither http nor https.",
        "s.har: entry 2: not a request as HAR 1.2 has it (KeyError('headers')).",
        "s.har: entry 3: the body is given as parameters only; its bytes cannot be told from them.",
    ]
