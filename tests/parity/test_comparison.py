"""The comparison finds what it should: a proof that finds nothing must be able to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deploy.parity.known import KNOWN, MODE, OWN_HOST, TIMEOUT
from tests.parity.allowances import ALLOWANCES
from tests.parity.case import Case
from tests.parity.comparison import FRONT_ENDS, beyond_known
from tests.parity.conftest import both

PARTIAL = """
from service.runtime.events import EventRouter
from service.settings import current
events = EventRouter()

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        raise NotImplementedError
    mode = current().mode.encode()
    what = scope["path"].strip("/")
    headers = [(b"content-type", b"text/plain"), *([(b"x-mode", mode)] if what == "header" else [])]
    status = 201 if what == "status" and mode == b"lambda" else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    body = mode if what == "body" else b"same"
    await send({"type": "http.response.body", "body": body})
"""
SCRIPT: tuple[list[Any], ...] = ()  # not played by this application: its body is no mirror


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/same", set()), ("/status", {"status"}), ("/header", {"reply headers"}),
     ("/body", {"reply body"})],
)  # fmt: skip
def test_an_application_that_differs_is_found_out(
    path: str, expected: set[str], tmp_path: Path
) -> None:
    handler = tmp_path / "partial.py"
    handler.write_text(PARTIAL)
    with both(tmp_path, handler) as sides:
        found = sides.differences(Case(path=path, script=SCRIPT))
    assert {one.front_end for one in found} == (
        {front_end.name for front_end in FRONT_ENDS} if expected else set()
    )
    assert {name for one in found for name in one.unequal} - {"content-length"} == expected


def sight(**parts: Any) -> dict[str, Any]:
    plain = {
        "cut": False,
        "status": 200,
        "reply headers": [["content-type", "text/plain"]],
        "content-length": [],
        "path": "/a/b",
        "raw_path": "/a%2Fb",
        "query_string": "b=2&a=1&b=3",
        "headers": [["x-a", "1"], ["x-b", "2"], ["x-a", "3"]],
    }
    return plain | parts


CASE = Case(path="/a%2Fb")


@pytest.mark.parametrize("front_end", [one.name for one in FRONT_ENDS])
@pytest.mark.parametrize(
    "changed",
    [
        {"status": 404},
        {"path": "/a"},
        {"body": [1, "digest"]},
        {"client": "10.0.0.1"},
        {"method": "POST"},
        {"scheme": "https"},
        {"root_path": "/live"},
        {"query_string": "b=2&a=1"},
        {"query_string": "b=2&a=2&b=3"},
        {"headers": [["x-a", "1"], ["x-b", "2"]]},
        {"headers": [["x-a", "1"], ["x-b", "2"], ["x-a", "4"]]},
        {"reply headers": [["content-type", "application/json"]]},
        {"reply headers": [["content-type", "text/plain"], ["x-a", "1"]]},
        {"reply body": b"x"},
    ],
    ids=str,
)
def test_no_allowance_hides_another_difference(front_end: str, changed: dict[str, Any]) -> None:
    left, _ = beyond_known(CASE, front_end, sight(), sight(**changed))
    assert left != {}


@pytest.mark.parametrize(
    ("front_end", "changed"),
    [
        ("function-url", {"raw_path": "/a/b"}),
        ("rest-api", {"path": "/a%2Fb"}),
        ("load-balancer-multi", {"headers": [["x-a", "1,3"], ["x-b", "2"]]}),
        ("function-url", {"headers": [["x-a", "3"], ["x-b", "2"]]}),
        ("http-api-2.0", {"query_string": "b=2&b=3&a=1"}),
        ("load-balancer-multi", {"query_string": "b=3&a=1"}),
        (
            "function-url",
            {"reply headers": [["content-type", "text/plain"], ["content-type", "a"]]},
        ),
    ],
)
def test_an_allowance_is_for_its_front_ends_only(front_end: str, changed: dict[str, Any]) -> None:
    left, _ = beyond_known(CASE, front_end, sight(), sight(**changed))
    assert left != {}


@pytest.mark.parametrize(
    ("front_end", "changed"),
    [
        ("http-api-2.0", {"raw_path": "/a/b"}),
        ("load-balancer", {"headers": [["x-a", "3"], ["x-b", "2"]]}),
        ("load-balancer-multi", {"headers": [["x-a", "1"], ["x-a", "3"], ["x-b", "2"]]}),
        ("function-url", {"headers": [["x-a", "1,3"], ["x-b", "2"]]}),
        ("load-balancer", {"query_string": "b=3&a=1"}),
        ("rest-api", {"query_string": "b=2&b=3&a=1"}),
    ],
)
def test_what_a_front_end_forces_is_let_pass_and_named(
    front_end: str, changed: dict[str, Any]
) -> None:
    left, met = beyond_known(CASE, front_end, sight(), sight(**changed))
    assert left == {}
    assert [one for one in met if front_end in one.front_ends] == met != []


def test_every_known_difference_has_its_allowance() -> None:
    assert {one for one, _ in ALLOWANCES} == set(KNOWN) - {MODE, OWN_HOST, TIMEOUT}


def test_every_known_difference_is_of_front_ends_that_there_are() -> None:
    names = {one.name for one in FRONT_ENDS}
    assert [one.what for one in KNOWN if not one.front_ends <= names] == []
