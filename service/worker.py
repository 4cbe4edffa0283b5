"""The instance's way in for queued work: the same event handlers, fed from SQS."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from service.errors import QueueError
from service.runtime import handler_module, sqs
from service.runtime.consumer import Consumer, sample
from service.runtime.event_handler import Runtime
from service.runtime.events import EventRouter
from service.runtime.exits import outlast
from service.runtime.handler_module import HandlerModule
from service.runtime.lifespan import Lifespan
from service.runtime.outbox import delays, pause
from service.runtime.slots import Slots
from service.runtime.sqs import Queue, QueueFacts
from service.runtime.threads import Threads, in_thread
from service.settings import Settings

_VISIBLE = (
    "The queue {queue} has a visibility timeout of 0 s, so others get each message again while "
    "it is in work here. Set its VisibilityTimeout to 30 or more."
)

logger = logging.getLogger("service.worker")


def work(settings: Settings) -> int:
    """Works on the instance's queues until TERM or INT; the exit code.

    It is 0 without a queue and after a clean end, and 1 after a handler's thread had to be
    given up: no thread can be stopped, so the process is replaced, as Lambda does it. Where
    a handler was cut off, this does not return: the process ends, as a thread of the
    handler's would keep it, beside whoever gets the message next.

    Raises:
        HandlerModuleError: there are no handlers.
        UnhandledEventError: nobody takes the messages of a queue here; none was received.
        QueueError: boto3 is missing, or has no region.
    """
    if not settings.worker_queues:
        logger.info("SERVICE_WORKER_QUEUES names no queue: there is nothing to work on")
        return 0
    module = handler_module.load()
    urls = {name: settings.queues[name] for name in settings.worker_queues}
    _refuse_untaken(urls.values(), module.events, Runtime("instance", settings.queues))
    worker = Worker(module, settings)
    with asyncio.Runner() as runner:
        runner.run(worker.start())
        try:
            code = outlast(runner.get_loop(), worker.run(sqs.queues(urls)))
        except Exception:
            if not worker.cut_off:
                raise
            logger.exception("The worker ends by an error")
            code = 1
        if worker.cut_off:
            _leave(code)  # before the runner waits for the threads of asyncio.to_thread
    return code


def _leave(code: int) -> NoReturn:
    logging.shutdown()
    sys.stdout.flush()
    os._exit(code)


class Worker:
    """Several queues and one limit of messages at once; the application's lifespan around it."""

    def __init__(self, module: HandlerModule, settings: Settings) -> None:
        self._events = module.events
        self._lifespan = Lifespan(module.app)
        self._settings = settings
        self._stop = asyncio.Event()
        self._gave_up = False
        self._threads = Threads(self._give_up)
        self._runtime = Runtime("instance", settings.queues, self._threads.call)
        self._slots = Slots(settings.worker_concurrency, len(settings.worker_queues))
        self._consumers: list[Consumer] = []

    @property
    def cut_off(self) -> bool:
        """Whether a handler was cancelled, now or earlier, so that a thread of it may go on."""
        return self._threads.cut_off

    async def start(self) -> None:
        """The application has started."""
        await self._lifespan.startup()

    async def run(self, queues: list[Queue]) -> int:
        """The exit code, once a signal has come and all in work has ended or was given back.

        The application has shut down.
        """
        try:
            with _signals(self._stop):
                runs = [asyncio.create_task(self._consume(queue)) for queue in queues]
                await self._stopped(runs)
                code = int(self._gave_up)  # what is cancelled from now on is given up, too
                await self._drain(runs)
        finally:
            await self._lifespan.shutdown()
        return code

    async def _consume(self, queue: Queue) -> None:
        facts = await _facts(queue)
        if facts.visibility < 1:
            raise QueueError(_VISIBLE.format(queue=queue.name))
        consumer = Consumer(queue, facts, self._events, self._runtime, self._slots)
        self._consumers.append(consumer)
        logger.info("Working on %s, %s", queue.name, facts.arn)
        await consumer.run()

    async def _stopped(self, runs: list[asyncio.Task[None]]) -> None:
        told = asyncio.create_task(self._stop.wait())
        await asyncio.wait([told, *runs], return_when=asyncio.FIRST_COMPLETED)
        told.cancel()

    async def _drain(self, runs: list[asyncio.Task[None]]) -> None:
        logger.info("Stopping: nothing more is received")
        for run in runs:
            run.cancel()
        await asyncio.wait(runs)
        grace = self._settings.worker_grace_seconds
        cut_off = await asyncio.gather(*(each.drain(grace) for each in self._consumers))
        logger.info("Stopped; %d handlers were cut off", sum(cut_off))
        for run in runs:
            if not run.cancelled():
                run.result()  # a consumer ends by itself only by an error

    def _give_up(self) -> None:
        if not self._stop.is_set():
            logger.error("A handler's thread goes on after its timeout: this worker is replaced")
        self._gave_up = True
        self._stop.set()


async def _facts(queue: Queue) -> QueueFacts:
    for seconds in delays():
        try:
            return await in_thread(queue.facts)
        except QueueError as error:
            await pause(error, seconds)
    raise AssertionError("unreachable: the attempts never end")


def _refuse_untaken(urls: Iterable[str], events: EventRouter, runtime: Runtime) -> None:
    """Their messages would fail one by one, until all are dead."""
    for url in urls:
        events.handler(sample(f"arn:aws:sqs:::{url.rpartition('/')[2]}"), runtime)


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
