"""Ten thousand messages, through workers that are killed at random and rolled to new releases."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.service.queues import MODULE, Queue, Queues, Worker, Workers, journal

MESSAGES = 10_000
WORKERS = 3
SECONDS = 240.0  # about 45 on two idle processors
SEED = 20_261
BETWEEN = (200, 800)  # messages from one mishap to the next
WAITING = 500  # messages in the queue: with thousands the embedded one takes seconds a request
HANDLER = """
@events.each("aws:sqs")
async def orders(record):
    await asyncio.sleep(0.002)
    write([record["body"], record["attributes"]["ApproximateReceiveCount"]])
"""


@dataclass
class Fleet:
    """Some workers on one queue; each ends now and then, and another takes its place."""

    workers: Workers
    queue: Queue
    chance: random.Random
    running: list[Worker] = field(default_factory=list)
    leaving: list[Worker] = field(default_factory=list)
    releases: int = 1
    kills: int = 0

    def hire(self) -> None:
        self.running.append(
            self.workers.start(
                {"orders": self.queue},
                wait=False,
                SERVICE_DIGEST=f"{self.releases:064x}",
                SERVICE_WORKER_CONCURRENCY="20",
                SERVICE_LOG_LEVEL="WARNING",
            )
        )

    def kill(self) -> None:
        victim = self.running.pop(self.chance.randrange(len(self.running)))
        victim.process.send_signal(signal.SIGKILL)
        victim.process.wait()
        self.kills += 1
        self.hire()

    def roll(self) -> None:
        """Every worker is replaced by one of a new release, which starts while it drains."""
        self.releases += 1
        for worker in self.running:
            worker.process.send_signal(signal.SIGTERM)
        self.leaving += self.running
        self.running = []
        for _ in range(WORKERS):
            self.hire()


def test_no_message_is_lost_when_workers_are_killed_and_released_anew(
    queues: Queues,
    workers: Callable[[str], Workers],
    record_property: Callable[[str, object], None],
) -> None:
    queue = queues.make(visibility=3)
    fleet = Fleet(workers(MODULE + HANDLER), queue, random.Random(SEED))
    started = time.monotonic()
    for _ in range(WORKERS):
        fleet.hire()
    wear_down(fleet, started + SECONDS)
    seconds = time.monotonic() - started
    written = journal(fleet.workers.folder / "journal")
    handled = Counter(body for body, _ in written)
    received_again = sum(receipts != "1" for _, receipts in written)
    record_property(
        "figures",
        f"queue workers: {MESSAGES:,} messages in {seconds:.0f} s, seed {SEED}: "
        f"{fleet.kills} workers killed, {fleet.releases} releases, "
        f"{MESSAGES - len(handled)} lost, {received_again} received again, "
        f"{len(written) - len(handled)} handled again",
    )
    assert set(handled) == {str(number) for number in range(MESSAGES)}
    ends = {worker.process.wait(timeout=60) for worker in fleet.leaving}
    assert ends <= {0, -signal.SIGTERM}  # the latter of one that was told before it had begun
    assert (fleet.kills > 5, fleet.releases > 2) == (True, True)


def wear_down(fleet: Fleet, deadline: float) -> None:
    """Until all is done: now and then a kill, every fourth time a release instead.

    By what the workers have done, not by the clock: on a busy machine they start slowly.
    """
    sent, turns, due = 0, 0, fleet.chance.randint(*BETWEEN)
    while (left := fleet.queue.left) or sent < MESSAGES:
        assert time.monotonic() < deadline, f"{MESSAGES - sent + left} messages left"
        more = min(WAITING - left, MESSAGES - sent)
        fleet.queue.send(*map(str, range(sent, sent + more)))
        sent += max(more, 0)
        time.sleep(0.05)
        if sent - left > due:
            turns += 1
            due = sent - left + fleet.chance.randint(*BETWEEN)
            fleet.kill() if turns % 4 else fleet.roll()
