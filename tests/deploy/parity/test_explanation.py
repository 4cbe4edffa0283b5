"""Which differences are known, and which are not."""

from __future__ import annotations

import gzip
import json

import pytest

from deploy.parity import known
from deploy.parity.known import Known
from deploy.parity.request import Request
from deploy.question import Answer
from service.runtime.fallback import OUT_OF_TIME
from tests.deploy.parity.answers import JSON, answer, asking, at, compared

LARGE = b"x" * 5_000_000
MODES = (answer(b'{"mode":"lambda"}', JSON), answer(b'{"mode":"instance"}', JSON))
TOO_MUCH = answer(b"", status=413)
LATE = answer(OUT_OF_TIME.text.format(request_id="1-2").encode(), status=OUT_OF_TIME.status)


@pytest.mark.parametrize(
    ("request_", "on_lambda", "on_instance", "expected"),
    [
        (asking(target="/healthz?x"), *MODES, known.MODE),
        (
            asking(headers=(("x-request-id", "mine"),)),
            answer(b"", ("x-request-id", "1")),
            answer(b"", ("x-request-id", "mine")),
            known.REQUEST_ID,
        ),
        (
            asking(),
            answer(b"", ("vary", "a,b, c")),
            answer(b"", ("Vary", "a"), ("Vary", "b, c")),
            known.RESPONSE_HEADERS_JOINED,
        ),
        (asking("POST", body=LARGE), TOO_MUCH, answer(), known.TOO_LARGE),
        (asking(), answer(b"", status=507), answer(LARGE), known.TOO_LARGE),
        (asking(), LATE, answer(b"done", JSON), known.TIMEOUT),
        (asking(), answer(b"x", JSON), answer(b"x"), known.DEFAULT_TYPE),
        (
            asking("HEAD"),
            answer(b"", ("content-length", "0")),
            answer(b"", ("content-length", "7")),
            known.EMPTY_LENGTH,
        ),
        (
            asking(),
            answer(status=500),
            answer(b"x", problem="200, broken off after 1 bytes of its body"),
            known.CUT_OFF,
        ),
        (asking(), answer(status=400), answer(status=101), known.UPGRADE),
        (asking(), answer(), answer(b"", ("upgrade", "h2c")), known.HOP_BY_HOP),
    ],
)
def test_what_a_platform_forces_is_known(
    request_: Request, on_lambda: Answer, on_instance: Answer, expected: Known
) -> None:
    result = compared(on_lambda, on_instance, request_)
    assert {finding.known for finding in result.findings} == {expected}
    assert result.verdict == "known"


@pytest.mark.parametrize(
    ("request_", "on_lambda", "on_instance"),
    [
        (asking(target="/other"), *MODES),
        (asking(target="/healthz"), *reversed(MODES)),
        (
            asking(headers=(("x-request-id", "mine"),)),
            answer(b"", ("x-request-id", "1")),
            answer(b""),
        ),
        (asking(), answer(b"", ("vary", "b, a")), answer(b"", ("vary", "a"), ("vary", "b"))),
        (asking(), answer(b"", ("vary", "a"), ("vary", "b")), answer(b"", ("vary", "a, b"))),
        (asking("POST", body=b"small"), TOO_MUCH, answer()),
        (asking(), answer(status=502), answer(b"small")),
        (asking(), answer(b"a proxy's", status=504), answer()),
        (asking(), LATE, answer(status=0, problem="no whole answer within 60 s")),
        (asking(), answer(), LATE),
        (asking(), answer(b"", ("upgrade", "h2c")), answer()),
        (asking(), answer(b"x", JSON), answer(b"x", ("content-type", "text/plain"))),
        (asking(), answer(status=500), answer(status=0, problem="Connection refused")),
        (asking(), answer(status=0, problem="Connection refused"), answer()),
    ],
)
def test_what_only_looks_like_it_is_unknown(
    request_: Request, on_lambda: Answer, on_instance: Answer
) -> None:
    result = compared(on_lambda, on_instance, request_)
    assert result.verdict == "unknown"
    assert result.unknown == result.findings != ()


def test_one_unknown_difference_outweighs_the_known_ones() -> None:
    on_lambda = answer(b'{"mode":"lambda","n":1}', JSON)
    on_instance = answer(b'{"mode":"instance","n":2}', JSON)
    result = compared(on_lambda, on_instance, asking(target="/healthz"))
    assert [finding.difference.what for finding in result.unknown] == ["body /n"]
    assert (len(result.findings), result.verdict) == (2, "unknown")


FUNCTION, INSTANCE = "https://abc.lambda-url.eu-central-1.on.aws/", "http://192.0.2.1:9999"


def page(origin: str, more: bytes = b"", *, packed: bool = False) -> Answer:
    """A redirect whose URLs are made of what was asked."""
    body = b'<a href="%b/x">%b</a>' % (origin.rstrip("/").encode(), more)
    location = ("location", f"{origin.rstrip('/')}/x")
    if packed:
        return at(origin, answer(gzip.compress(body), location, ("content-encoding", "gzip")))
    return at(origin, answer(body, location, status=307))


@pytest.mark.parametrize("packed", [False, True])
def test_urls_that_name_the_host_that_was_asked_are_known(packed: bool) -> None:
    result = compared(page(FUNCTION, packed=packed), page(INSTANCE, packed=packed))
    assert [(one.difference.what, one.known) for one in result.findings] == [
        ("header location", known.OWN_HOST),
        ("body", known.OWN_HOST),
    ]


def test_what_differs_beside_the_host_is_unknown() -> None:
    result = compared(page(FUNCTION, b"1"), page(INSTANCE, b"2"))
    assert [one.difference.what for one in result.unknown] == ["body"]


def test_the_host_of_the_other_side_is_unknown() -> None:
    result = compared(at(FUNCTION, page(INSTANCE)), at(INSTANCE, page(FUNCTION)))
    assert [one.difference.what for one in result.unknown] == ["header location", "body"]


def test_pointers_of_json_are_known_one_by_one() -> None:
    one, other = (
        at(url, answer(json.dumps({"self": url, "n": n}).encode(), JSON))
        for url, n in ((INSTANCE, 1), ("http://192.0.2.2:9999", 2))
    )
    result = compared(one, other)
    assert {one.difference.what: one.known for one in result.findings} == {
        "body /self": known.OWN_HOST,
        "body /n": None,
    }


@pytest.mark.parametrize("one", known.KNOWN, ids=lambda one: one.what)
def test_reason_and_remedy_are_sentences_that_stand_one_after_the_other(one: Known) -> None:
    assert one.reason.endswith(".")
    assert one.remedy.endswith(".")
    assert not one.remedy.startswith("None")
