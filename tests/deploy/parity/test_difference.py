"""Two answers -> what differs in them."""

from __future__ import annotations

import gzip
import zlib

import pytest

from deploy.parity.difference import UNHEEDED
from tests.deploy.parity.answers import GET, JSON, answer, asking, found


def test_equal_answers_do_not_differ() -> None:
    one = answer(b"x", ("a", "1"), ("a", "2"), ("set-cookie", "c=1"))
    assert found(one, one) == []


def test_a_status_differs() -> None:
    assert found(answer(status=200), answer(status=404)) == [("status", "200", "404")]


def test_header_names_are_the_same_in_any_case_and_order_between_names() -> None:
    assert found(answer(b"", ("A", "1"), ("B", "2")), answer(b"", ("b", "2"), ("a", "1"))) == []


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ([("x", "1")], [("x", "2")], ("header x", "1", "2")),
        ([], [("x", "2")], ("header x", "(none)", "2")),
        ([("x", "1"), ("x", "2")], [("x", "2"), ("x", "1")], ("header x", "1 | 2", "2 | 1")),
        ([("x", "\xc3\xbc")], [("x", "\xfc")], ("header x", "ü", "\\xfc")),
        (
            [("set-cookie", "a=1"), ("set-cookie", "b=2")],
            [("set-cookie", "b=2"), ("set-cookie", "a=1")],
            ("cookies", "a=1 | b=2", "b=2 | a=1"),
        ),
    ],
)
def test_values_of_a_header_are_compared_in_order(
    one: list[tuple[str, str]], other: list[tuple[str, str]], shown: tuple[str, str, str]
) -> None:
    assert found(answer(b"", *one), answer(b"", *other)) == [shown]


@pytest.mark.parametrize("name", UNHEEDED)
def test_what_is_the_connections_own_is_not_compared(name: str) -> None:
    assert found(answer(b"", (name, "1")), answer(b"")) == []


def test_the_length_that_head_tells_is_compared() -> None:
    one, other = answer(b"", ("content-length", "1")), answer(b"", ("content-length", "2"))
    assert found(one, other, request=asking("HEAD")) == [("header content-length", "1", "2")]


def test_a_request_id_is_compared_when_the_request_has_one() -> None:
    one, other = answer(b"", ("x-request-id", "1")), answer(b"", ("x-request-id", "mine"))
    request = asking(headers=(("X-Request-ID", "mine"),))
    assert found(one, other, request=request) == [("header x-request-id", "1", "mine")]


def test_headers_that_the_user_names_are_not_compared() -> None:
    assert found(answer(b"", ("ETag", "1")), answer(b"", ("etag", "2")), headers=("etag",)) == []


def test_bytes_are_shown_from_just_before_the_first_that_differs() -> None:
    (one,) = found(answer(b"x" * 100 + b"A"), answer(b"x" * 100 + b"B\xff\0"))
    assert one == (
        "body",
        f"…{'x' * 15}A (101 bytes)",
        f"…{'x' * 15}B\\xff\\x00 (103 bytes)",
    )


def test_a_body_that_ends_early_differs() -> None:
    assert found(answer(b"ab"), answer(b"abc")) == [("body", "ab (2 bytes)", "abc (3 bytes)")]


def test_json_differs_at_pointers() -> None:
    one = answer(b'{"a": [1, {"b/c": null}], "d": 1}', JSON)
    other = answer(b'{"a": [1, {"b/c": 2}, 3], "d": 1.0}', JSON)
    assert found(one, other) == [
        ("body /a/1/b~1c", "null", "2"),
        ("body /a/2", "(none)", "3"),
        ("body /d", "1", "1.0"),
    ]


def test_pointers_that_the_user_names_are_not_compared_nor_is_what_is_in_them() -> None:
    one = answer(b'{"items": [{"id": 1, "n": 1}, {"id": {"x": 2}}], "at": 1}', JSON)
    other = answer(b'{"items": [{"id": 3, "n": 2}, {"id": {"x": 4}}], "at": 2}', JSON)
    assert found(one, other, pointers=("/items/*/id", "/at")) == [("body /items/0/n", "1", "2")]


def test_json_written_otherwise_differs_in_its_bytes() -> None:
    one, other = answer(b'{"a":1}', JSON), answer(b'{"a": 1}', JSON)
    assert found(one, other) == [("body", '{"a":1} (7 bytes)', '{"a": 1} (8 bytes)')]


def test_json_without_a_difference_at_a_pointer_is_compared_by_bytes_all_the_same() -> None:
    one, other = answer(b'{"a":1}', JSON), answer(b'{"a": 1}', JSON)
    assert found(one, other, pointers=("/at",)) == found(one, other) != []


@pytest.mark.parametrize("pointers", [(), ("/at",)])
def test_json_with_a_name_twice_is_compared_by_bytes(pointers: tuple[str, ...]) -> None:
    one, other = answer(b'{"a":1,"a":2,"at":1}', JSON), answer(b'{"a":9,"a":2,"at":2}', JSON)
    ((what, _, _),) = found(one, other, pointers=pointers)
    assert what == "body"


def test_json_too_deep_to_compare_is_compared_by_bytes() -> None:
    deep = b'{"a":' * 99_999 + b"%d" + b"}" * 99_999
    ((what, _, _),) = found(answer(deep % 1, JSON), answer(deep % 2, JSON))
    assert what == "body"


def test_compressed_bodies_are_compared_by_what_they_hold() -> None:
    encoded = ("content-encoding", "gzip")
    early, late = gzip.compress(b"text", mtime=1), gzip.compress(b"text", mtime=2)
    assert early != late
    assert found(answer(early, encoded), answer(late, encoded)) == []
    other = answer(gzip.compress(b"next"), encoded)
    assert found(answer(early, encoded), other) == [("body", "text (4 bytes)", "next (4 bytes)")]


def test_all_members_of_a_compressed_body_are_compared() -> None:
    encoded = ("content-encoding", "gzip")
    same, one, other = (gzip.compress(text) for text in (b"same", b"1", b"2"))
    assert found(answer(same + one, encoded), answer(same + other, encoded)) == [
        ("body", "same1 (5 bytes)", "same2 (5 bytes)")
    ]
    assert found(answer(same, encoded), answer(same + b"\0more", encoded)) != []
    assert found(answer(same[:-1], encoded), answer(same, encoded)) != []


def test_deflated_bodies_are_read_too_and_broken_ones_as_they_are() -> None:
    encoded = ("content-encoding", "deflate")
    assert (
        found(answer(zlib.compress(b"a", 0), encoded), answer(zlib.compress(b"a", 9), encoded))
        == []
    )
    assert found(answer(b"a", encoded), answer(b"b", encoded)) == [
        ("body", "a (1 bytes)", "b (1 bytes)")
    ]


def test_a_side_that_did_not_answer_is_the_only_difference() -> None:
    silent = answer(status=0, problem="Connection refused")
    assert found(silent, answer(b"x"), request=GET) == [("answer", "Connection refused", "200")]
