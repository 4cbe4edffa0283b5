"""service.handler, as shipped: the same answers on both sides."""

from __future__ import annotations

import http.client
import json
import platform
from collections.abc import Callable

from service.handler import app, events
from service.runtime.adapter import LambdaAdapter
from tests.service.conftest import Server
from tests.service.events import Context, function_url

DIGEST = "0123456789abcdef" * 4


def test_lambda_greets(adapted: Callable[..., LambdaAdapter]) -> None:
    reply = adapted(app)(function_url("/"), Context())
    assert reply["statusCode"] == 200
    assert reply["body"] == "Hello world from Twofold!"
    assert reply["headers"]["content-type"] == "text/plain; charset=utf-8"


def test_an_instance_greets(serve: Callable[..., Server]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", serve().port)
    connection.request("GET", "/")
    response = connection.getresponse()
    assert response.status == 200
    assert response.read() == b"Hello world from Twofold!"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    connection.close()


def test_a_direct_invoke_answers_the_greeting(adapted: Callable[..., LambdaAdapter]) -> None:
    assert adapted(app, events)({"any": "thing"}, Context()) == "Hello world from Twofold!"


def test_health_says_which_artifact_runs_where(serve: Callable[..., Server]) -> None:
    server = serve(SERVICE_DIGEST=DIGEST, SERVICE_NAME="hello")
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", "/healthz")
    response = connection.getresponse()
    assert response.status == 200
    assert json.loads(response.read()) == {
        "status": "ok",
        "mode": "instance",
        "digest": DIGEST,
        "python": platform.python_version(),
        "name": "hello",
    }
    connection.close()
