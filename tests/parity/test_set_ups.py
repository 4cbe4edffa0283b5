"""Front ends that are set up in another way: stages, base paths, https, media types, wire forms."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.local.front_ends.function_url import FunctionUrl
from deploy.local.front_ends.http_api import HttpApi
from deploy.local.front_ends.load_balancer import LoadBalancer
from deploy.local.front_ends.message import FrontEnd
from deploy.local.front_ends.rest_api import RestApi
from tests.parity.case import HOST, Case
from tests.parity.comparison import FRONT_ENDS, Sides
from tests.parity.conftest import MIRROR, both
from tests.parity.hand_picked import RESPONSES
from tests.parity.instance import NOTHING


def mirrored(sides: Sides, front_end: FrontEnd, case: Case) -> dict[str, Any]:
    """What the application sees behind the front end."""
    answer = sides.through(front_end, case.request)
    assert answer.status == 200, answer
    seen: dict[str, Any] = json.loads(answer.body)
    return seen


def place(seen: dict[str, Any]) -> tuple[str, str, str]:
    return seen["path"], seen["raw_path"], seen["root_path"]


@pytest.mark.parametrize(
    "front_end",
    [HttpApi(HOST, "2.0", stage="dev"), HttpApi(HOST, "1.0", stage="dev"), RestApi(HOST, "dev")],
    ids=lambda one: one.name,
)
@pytest.mark.parametrize("path", ["/", "/devices/7", "/a%20b"])
def test_a_stage_is_not_seen(sides: Sides, front_end: FrontEnd, path: str) -> None:
    case = Case(path=path)
    instance = json.loads(sides.instance.ask(case.request).body)
    assert place(mirrored(sides, front_end, case)) == place(instance)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    """Both runtimes of a service that is told of its base path, /shop."""
    folder = tmp_path_factory.mktemp("shop")
    with both(folder, MIRROR, SERVICE_BASE_PATH="/shop") as made:
        yield made


@pytest.mark.parametrize(
    ("asked", "seen"),
    [("/shop", "/"), ("/shop/", "/"), ("/shop/a%2Fb", "/a%2Fb"), ("/shopping", "/shopping")],
)
def test_a_base_path_is_left_out_at_the_boundary(shop: Sides, asked: str, seen: str) -> None:
    api = RestApi(HOST, base_path="shop")
    assert mirrored(shop, api, Case(path=asked))["raw_path"] == seen


@pytest.mark.parametrize(
    "front_end",
    [FunctionUrl("a.lambda-url.eu-central-1.on.aws", 443, "https"), HttpApi(HOST), RestApi(HOST),
     HttpApi(HOST, "1.0"), LoadBalancer(False, 443, "https"), LoadBalancer(True, 443, "https")],
    ids=lambda one: one.name,
)  # fmt: skip
def test_https_is_the_scheme_and_443_the_port(sides: Sides, front_end: FrontEnd) -> None:
    seen = mirrored(sides, front_end, Case())
    assert (seen["scheme"], seen["server"]) == ("https", [HOST, 443])


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("text/plain", "grüß".encode()), ("application/json", b'{"a": "\\u4e16"}'), ("", b"abc")],
)
def test_a_rest_api_without_binary_media_types_carries_text(
    sides: Sides, content_type: str, body: bytes
) -> None:
    api = RestApi(HOST, port=80, scheme="http", binary_media_types=())
    headers = (("Content-Type", content_type),) if content_type else ()
    case = Case("POST", headers=headers, body=body)
    instance = json.loads(sides.instance.ask(case.request).body)
    assert mirrored(sides, api, case)["body"] == instance["body"]


@pytest.mark.parametrize("text", ["grüß", '{"a": 1}', ""])
def test_it_carries_text_back_too(sides: Sides, text: str) -> None:
    api = RestApi(HOST, port=80, scheme="http", binary_media_types=())
    body = text.encode()
    start = ["start", 200, [["content-type", "application/problem+json"]]]
    case = Case(script=(start, ["body", body.decode("latin-1")]))
    assert sides.through(api, case.request).body == sides.instance.ask(case.request).body == body


@pytest.mark.parametrize("minor", [11, 13])
def test_older_and_newer_runtimes_send_the_same(minor: int, tmp_path: Path) -> None:
    """From 3.12 on Lambda's runtime client leaves text as it is, before it escapes it in JSON."""
    with both(tmp_path, MIRROR, AWS_EXECUTION_ENV=f"AWS_Lambda_python3.{minor}") as made:
        found = [one for case in RESPONSES.values() for one in made.differences(case)]
    assert "\n".join(map(str, found)) == ""


def test_a_chunked_upload_is_the_body_that_the_front_ends_tell(sides: Sides) -> None:
    body = gzip.compress(b"abc" * 99, mtime=0)
    case = Case("POST", headers=(("Content-Type", "application/gzip"),), body=body)
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:9], body[9:]))
    head = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n"
    answer = sides.instance.ask_raw(head + chunked + b"0\r\n\r\n")
    expected = json.loads(answer.body)["body"]
    assert [mirrored(sides, one, case)["body"] for one in FRONT_ENDS] == [expected] * 6


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nx a: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: a\r\nx-a: b\0c\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: a\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_400_from_the_instance_before_the_application(
    sides: Sides, sent: bytes
) -> None:
    """A front end refuses it as well, in its own words, so there is no event to compare."""
    assert sides.instance.ask_raw(sent).status == 400


def test_a_client_that_hangs_up_leaves_the_server_whole(sides: Sides) -> None:
    sides.instance.hang_up(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99\r\n\r\nabc")
    assert sides.instance.ask(Case().request) != NOTHING
