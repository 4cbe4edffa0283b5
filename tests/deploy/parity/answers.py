"""Answers and exchanges to compare."""

from __future__ import annotations

from dataclasses import replace

from deploy.parity.difference import Ignored
from deploy.parity.exchange import Compared, Exchange
from deploy.parity.explanation import compare
from deploy.parity.request import Headers, Request
from deploy.question import Answer

GET = Request("GET", "/", where="r.txt:1")
JSON = ("content-type", "application/json")


def answer(
    body: bytes = b"", *headers: tuple[str, str], status: int = 200, problem: str = ""
) -> Answer:
    return Answer("instance", "http://127.0.0.1", status, headers, body, 0.25, problem)


def at(url: str, given: Answer) -> Answer:
    """The answer of a side that was asked at another URL."""
    return replace(given, url=url)


def compared(
    on_lambda: Answer,
    on_instance: Answer,
    request: Request = GET,
    headers: tuple[str, ...] = (),
    pointers: tuple[str, ...] = (),
) -> Compared:
    ignored = Ignored(frozenset(headers), pointers)
    return compare(Exchange(request, on_lambda, on_instance), ignored)


def found(on_lambda: Answer, on_instance: Answer, **more: object) -> list[tuple[str, str, str]]:
    """What differs, and what each side has."""
    result = compared(on_lambda, on_instance, **more)  # type: ignore[arg-type]
    differences = [finding.difference for finding in result.findings]
    return [(one.what, one.on_lambda, one.on_instance) for one in differences]


def asking(
    method: str = "GET", target: str = "/", headers: Headers = (), body: bytes = b""
) -> Request:
    return Request(method, target, headers, body, "r.txt:1")
