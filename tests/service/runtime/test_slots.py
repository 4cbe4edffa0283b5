"""service.runtime.slots: how many messages a queue may ask for."""

from __future__ import annotations

import asyncio

import pytest

from service.runtime.slots import Slots


@pytest.mark.parametrize(
    ("limit", "queues", "busy", "taken"),
    [
        (4, 1, False, 4),  # the only queue asks for all
        (4, 2, False, 1),  # an idle one of several keeps one
        (4, 2, True, 4),
        (25, 1, True, 10),  # of which SQS gives ten at once
    ],
)
def test_a_queue_asks_for_what_is_its_share(
    limit: int, queues: int, busy: bool, taken: int
) -> None:
    async def run() -> int:
        return await Slots(limit, queues).take(busy)

    assert asyncio.run(run()) == taken


def test_whoever_waits_gets_a_slot_before_a_busy_queue_gets_another() -> None:
    async def run() -> tuple[int, int]:
        slots = Slots(2, 2)
        assert await slots.take(busy=True) == 2
        waiting = asyncio.create_task(slots.take(busy=False))
        await asyncio.sleep(0)
        slots.give(2)
        busy = await slots.take(busy=True)
        return await waiting, busy

    assert asyncio.run(run()) == (1, 1)


@pytest.mark.parametrize(("limit", "queues", "wait"), [(4, 4, 5), (4, 5, 1)])
def test_queues_that_outnumber_the_slots_wait_for_a_second_only(
    limit: int, queues: int, wait: int
) -> None:
    assert Slots(limit, queues).wait == wait
