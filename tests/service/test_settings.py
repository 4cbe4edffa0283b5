"""service.settings: the environment, read once."""

from __future__ import annotations

import subprocess
import sys

import pytest

from service.errors import SettingsError
from service.settings import PORT, Settings, read

DIGEST = "0123456789abcdef" * 4


def test_an_empty_environment_gives_the_defaults() -> None:
    assert read({}) == Settings()
    assert Settings().port == PORT == 9999


def test_every_variable_is_read() -> None:
    environ = {
        "SERVICE_NAME": "hello",
        "SERVICE_DIGEST": DIGEST,
        "SERVICE_MODE": "instance",
        "SERVICE_LOG_LEVEL": "debug",
        "SERVICE_HOST": "0.0.0.0",
        "SERVICE_PORT": "8080",
        "SERVICE_DRAIN_SECONDS": "2.5",
        "SERVICE_GRACE_SECONDS": "60",
        "SERVICE_FORWARDED_ALLOW_IPS": "10.0.0.0/16, ::1",
        "SERVICE_BASE_PATH": "shop/v1/",
        "SERVICE_QUEUES": "late=https://sqs/1/hello-late, quick=https://sqs/1/hello-quick.fifo",
        "SERVICE_WORKER_QUEUES": "quick,late",
        "SERVICE_WORKER_CONCURRENCY": "8",
        "SERVICE_WORKER_GRACE_SECONDS": "600",
    }
    assert read(environ) == Settings(
        name="hello",
        digest=DIGEST,
        mode="instance",
        log_level="DEBUG",
        host="0.0.0.0",
        port=8080,
        drain_seconds=2.5,
        grace_seconds=60.0,
        forwarded_allow_ips=("10.0.0.0/16", "::1"),
        base_path="/shop/v1",
        queues={"late": "https://sqs/1/hello-late", "quick": "https://sqs/1/hello-quick.fifo"},
        worker_queues=("quick", "late"),
        worker_concurrency=8,
        worker_grace_seconds=600.0,
    )


def test_an_empty_variable_leaves_the_default() -> None:
    assert read({"SERVICE_PORT": "", "SERVICE_MODE": ""}) == Settings()


def test_a_lambda_function_knows_its_mode() -> None:
    assert read({"AWS_LAMBDA_FUNCTION_NAME": "hello"}).mode == "lambda"
    assert read({"AWS_LAMBDA_FUNCTION_NAME": "hello", "SERVICE_MODE": "instance"}).mode == (
        "instance"
    )


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("SERVICE_DRAIN_SECONDS", "abc", "a number of seconds, 0 or more"),
        ("SERVICE_QUEUES", "orders", "NAME=URL, comma separated, each name once"),
        ("SERVICE_QUEUES", "=url", "NAME=URL, comma separated, each name once"),
        ("SERVICE_QUEUES", "a=1,a=2", "NAME=URL, comma separated, each name once"),
        ("SERVICE_WORKER_QUEUES", "a,,b", "names, comma separated, each once"),
        ("SERVICE_WORKER_QUEUES", "a,a", "names, comma separated, each once"),
        ("SERVICE_WORKER_CONCURRENCY", "0", "a whole number, 1 or more"),
        ("SERVICE_DRAIN_SECONDS", "-1", "a number of seconds, 0 or more"),
        ("SERVICE_GRACE_SECONDS", "inf", "a number of seconds, 0 or more"),
        ("SERVICE_GRACE_SECONDS", "nan", "a number of seconds, 0 or more"),
        ("SERVICE_PORT", "http", "a port number from 0 to 65535"),
        ("SERVICE_PORT", "65536", "a port number from 0 to 65535"),
        ("SERVICE_PORT", "²", "a port number from 0 to 65535"),
        ("SERVICE_MODE", "ec2", "'lambda' or 'instance'"),
        ("SERVICE_BASE_PATH", "/a b", "a path like '/shop'"),
        ("SERVICE_LOG_LEVEL", "loud", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        (
            "SERVICE_DIGEST",
            "latest",
            "the sha256 of the artifact, 64 lower-case hexadecimal digits",
        ),
        (
            "SERVICE_FORWARDED_ALLOW_IPS",
            "*",
            "IP addresses or networks like '10.0.0.0/16', comma separated",
        ),
        (
            "SERVICE_FORWARDED_ALLOW_IPS",
            "10.0.0.1,",
            "IP addresses or networks like '10.0.0.0/16', comma separated",
        ),
    ],
)
def test_a_malformed_value_is_told_with_what_was_expected(
    variable: str, value: str, expected: str
) -> None:
    with pytest.raises(SettingsError) as error:
        read({variable: value})
    assert str(error.value) == f"{variable} is {value!r}; expected {expected}."


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(SettingsError) as error:
        read({"SERVICE_PORT": "x", "SERVICE_MODE": "y", "SERVICE_LOG_LEVEL": "z"})
    assert len(str(error.value).splitlines()) == 3


def test_the_port_can_be_imported_without_the_rest_of_the_service() -> None:
    probe = (
        "import sys; from service.settings import PORT\n"
        "print(sorted(n for n in sys.modules if n.partition('.')[0] in "
        "('service', 'starlette', 'mangum', 'uvicorn', 'asyncio', 'logging', 'json')))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "['service', 'service.errors', 'service.settings']"


def test_a_worker_takes_only_queues_of_the_stack() -> None:
    with pytest.raises(SettingsError) as error:
        read({"SERVICE_QUEUES": "late=https://sqs/1/late", "SERVICE_WORKER_QUEUES": "late,quick"})
    assert str(error.value) == (
        "SERVICE_WORKER_QUEUES names 'quick'; expected names that SERVICE_QUEUES has: late."
    )
