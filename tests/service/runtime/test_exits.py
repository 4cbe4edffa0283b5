"""service.runtime.exits: a task that exits ends neither the loop nor the process."""

from __future__ import annotations

import asyncio
import sys

import pytest

from service.runtime.exits import outlast
from tests.service.conftest import Log


async def leaves() -> None:
    sys.exit(3)


async def grouped() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(leaves())


async def gathered() -> None:
    await asyncio.gather(leaves())


async def survives() -> list[str]:
    seen = []
    for part in (gathered, grouped, gathered):
        try:
            await part()
        except SystemExit as error:
            seen.append(f"{part.__name__} {error.code}")
    await asyncio.sleep(0.01)
    return seen


def test_a_task_that_exits_ends_who_awaits_it_and_not_the_loop(log: Log) -> None:
    with asyncio.Runner() as runner:
        seen = outlast(runner.get_loop(), survives())
    assert seen == ["gathered 3", "grouped 3", "gathered 3"]
    said = [line["message"] for line in log.of("service.event")]
    assert said == ["A task tried to end the process"] * 3


def test_an_error_is_its_own() -> None:
    async def fails() -> None:
        raise ValueError("no stock")

    with asyncio.Runner() as runner, pytest.raises(ValueError, match="no stock"):
        outlast(runner.get_loop(), fails())
