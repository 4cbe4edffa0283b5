"""Applications of five frameworks are the same in both runtimes, unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.parity.case import Case
from tests.parity.comparison import Sides
from tests.parity.conftest import both
from tests.parity.hand_picked import REQUESTS

FOLDER = Path(__file__).with_name("frameworks")
_BYTES = bytes(range(256))
_FORM = (("Content-Type", "application/x-www-form-urlencoded"),)

ROUTES = {
    "text": Case(path="/text"),
    "HEAD": Case("HEAD", "/text"),
    "JSON": Case(path="/json"),
    "a query": Case(path="/query", query="a=1&b=%C3%BC&flag&c=%26+x"),
    "a header": Case(path="/header", headers=(("X-Name", "Z\xfcrich"),)),
    "cookies": Case(path="/cookies", headers=(("Cookie", "c=3; d=4"),)),
    "a redirect": Case(path="/redirect"),
    "a stream": Case(path="/stream"),
    "a name that is encoded": Case(path="/files/%C3%BC%20b+c.txt"),
    "an image": Case(path="/image"),
    "no content": Case("DELETE", "/gone"),
    "an exception": Case(path="/broken"),
    "a task in the background": Case(path="/later"),
    "not found": Case(path="/missing"),
    "a method that is not allowed": Case("PATCH", "/echo"),
    "OPTIONS": Case("OPTIONS", "/text"),
    "a slash too many": Case(path="/text/"),
    "a form": Case("POST", "/echo", headers=_FORM, body=b"a=1&b=%20"),
    "bytes": Case("PUT", "/echo", headers=(("Content-Type", "image/png"),), body=_BYTES),
    "text that is no UTF-8": Case("POST", "/echo", headers=(("Content-Type", "text/plain"),),
                                  body=_BYTES),
    "a large body": Case("POST", "/echo", headers=(("Content-Type", "text/plain"),),
                         body=b"0123456789abcdef" * 20_000),
    "an upload": Case("POST", "/echo", headers=REQUESTS["a multipart upload"].headers,
                      body=REQUESTS["a multipart upload"].body),
}  # fmt: skip


@pytest.fixture(scope="module", params=sorted(FOLDER.glob("*_app.py")), ids=lambda path: path.stem)
def framework(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sides]:
    """Both runtimes of one framework's application."""
    folder = tmp_path_factory.mktemp(request.param.stem)
    # Some frameworks keep names in sets, which two processes walk through differently.
    with both(folder, request.param, PYTHONHASHSEED="0") as sides:
        yield sides


def test_every_route_is_the_same_in_both_runtimes(framework: Sides) -> None:
    played = {name: replace(case, script=()) for name, case in ROUTES.items()}  # no mirrors
    found = {
        name: "\n".join(map(str, framework.differences(case))) for name, case in played.items()
    }
    assert {name: text for name, text in found.items() if text} == {}
    assert framework.tally.cases == len(ROUTES)
