"""service.runtime.once against the DynamoDB of an embedded AWS."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from service.errors import InProgressError
from service.runtime.once import Once
from tests.service.queues import CREDENTIALS, REGION, Queues

numbers = itertools.count()
Make = Callable[..., Once]


@pytest.fixture
def once(queues: Queues, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes tables in the embedded AWS."""
    told = {**CREDENTIALS, "AWS_ENDPOINT_URL": queues.endpoint, "AWS_DEFAULT_REGION": REGION}
    for name, value in told.items():
        monkeypatch.setenv(name, value)

    def make(**given: int) -> Once:
        table = f"once-{next(numbers)}"
        boto3.session.Session().client("dynamodb").create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return Once(table, **given)

    return make


def test_a_key_is_worked_on_once(once: Make) -> None:
    done: list[str] = []

    @once().by(lambda record: str(record["id"]))
    def work(record: dict[str, str]) -> None:
        done.append(record["text"])

    for text, key in (("first", "a"), ("again", "a"), ("other", "b")):
        work({"id": key, "text": text})
    assert done == ["first", "other"]


def test_an_async_function_is_worked_on_once_and_gives_its_result(once: Make) -> None:
    @once().by(str)
    async def work(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    async def twice() -> list[Any]:
        return [await work(1), await work(1)]

    assert asyncio.run(twice()) == [2, None]


def test_a_failure_is_forgotten(once: Make) -> None:
    tried: list[int] = []

    @once().by(str)
    def work(number: int) -> str:
        tried.append(number)
        if len(tried) == 1:
            raise ValueError("no stock")
        return "done"

    with pytest.raises(ValueError, match="no stock"):
        work(1)
    assert [work(1), work(1)] == ["done", None]
    assert tried == [1, 1]


def test_an_async_failure_is_forgotten(once: Make) -> None:
    tried: list[int] = []

    @once().by(str)
    async def work(number: int) -> None:
        tried.append(number)
        raise ValueError("no stock")

    for _ in range(2):
        with pytest.raises(ValueError, match="no stock"):
            asyncio.run(work(1))
    assert tried == [1, 1]


def test_what_is_being_worked_on_is_refused_with_the_seconds_that_are_left(once: Make) -> None:
    table = once(lease=600)

    @table.by(str)
    def inner(_: str) -> None:
        raise AssertionError("worked on twice at once")

    @table.by(str)
    def outer(key: str) -> None:
        with pytest.raises(InProgressError) as error:
            inner(key)
        assert str(error.value) == (
            "'a' is being worked on elsewhere, or was until its process ended; it is free after "
            f"{error.value.seconds} s at the latest. The record is tried again later."
        )
        assert 580 <= error.value.seconds <= 601

    outer("a")


def test_a_lease_that_ran_out_lets_somebody_else_begin(once: Make) -> None:
    table = once(lease=-2)
    done: list[str] = []

    @table.by(str)
    def inner(_: str) -> None:
        done.append("inner")

    @table.by(str)
    def outer(key: str) -> None:
        inner(key)
        done.append("outer")

    outer("a")
    inner("a")
    assert done == ["inner", "outer"]


def test_a_key_is_forgotten_after_its_time(once: Make) -> None:
    done: list[str] = []
    work = once(seconds=-2).by(str)(done.append)
    work("a")
    work("a")
    assert done == ["a", "a"]
