"""A request as a line, and back."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from deploy.parity.curl_lines import requests_in
from deploy.parity.curl_writer import line
from deploy.parity.request import Request

TOKENS = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8)
VALUES = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=12).map(
    lambda text: text.strip(" \t")
)
TARGETS = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=255, exclude_characters="#\x7f"), max_size=20
).map(lambda text: f"/{text}")
HEADERS = st.lists(st.tuples(TOKENS, VALUES), max_size=4).map(tuple)


def unread(name: str) -> bytes:
    raise AssertionError(f"{name} was read")


@given(TOKENS, TARGETS, HEADERS, st.binary(max_size=40))
def test_every_request_is_read_back_as_it_was(
    method: str, target: str, headers: tuple[tuple[str, str], ...], body: bytes
) -> None:
    wanted = Request(method, target, headers, body, "f:1")
    written = line(wanted)
    assert written.isascii()
    assert "\n" not in written
    problems: list[str] = []
    assert requests_in(written.encode(), "f", unread, problems) == (wanted,)
    assert problems == []


def test_the_line_is_what_a_person_would_write() -> None:
    assert line(Request("GET", "/healthz")) == "curl /healthz"
    assert line(Request("HEAD", "/?a=1", (("Empty", ""),))) == "curl -I -H 'Empty;' '/?a=1'"
    json = Request("POST", "/", (("Content-Type", "application/json"),), b'{"it\'s": 1}')
    assert line(json) == (
        r"""curl -X POST -H 'Content-Type: application/json' --data-raw $'{"it\'s": 1}' /"""
    )


def test_a_body_without_a_type_gets_none_from_curl() -> None:
    assert line(Request("PUT", "/", (), b"@x")) == "curl -X PUT -H Content-Type: --data-raw @x /"


def test_a_large_body_of_any_bytes_is_written_and_read_within_seconds() -> None:
    wanted = Request("POST", "/", (), bytes(range(256)) * 24_000, "f:1")  # 6 MB, Lambda's limit
    started = time.process_time()
    assert requests_in(line(wanted).encode(), "f", unread, []) == (wanted,)
    assert time.process_time() - started < 10  # about 2 s here; with a function for each byte 48
