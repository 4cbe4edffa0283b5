"""One adapter, thousands of events: what went wrong, with the event that did it."""

from __future__ import annotations

import _thread
import contextlib
import io
import json
import logging
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from service.runtime import logs
from service.runtime.adapter import LambdaAdapter
from service.runtime.asgi import Application
from service.runtime.events import EventRouter
from service.settings import Settings
from tests.robustness import mutation, verdict
from tests.robustness.draw import SeededDraw
from tests.robustness.echo import Echo, router
from tests.robustness.shrink import smallest
from tests.service.events import Context

SECONDS = 5.0  # for one event, on a machine that does other work too
BATCH = 500
LONGEST_SHOWN = 2_000
_SETTINGS = Settings(mode="lambda", log_level="DEBUG")


class Hung(BaseException):
    """An event took longer than `SECONDS`; raised in the midst of it."""


@dataclass(frozen=True)
class Finding:
    """An event that did not end well; `origin` is what makes it again."""

    origin: str
    event: Any
    complaint: str

    def __str__(self) -> str:
        return f"{self.complaint}\n  {self.origin}: {shown(self.event)}"


@dataclass
class Trial:
    """`try_event` and `between` say what is wrong; nothing, if all is well."""

    app: Application
    events: EventRouter
    echo: Echo | None = None
    outcomes: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._log = io.StringIO()
        logs.configure(_SETTINGS, self._log)
        self._adapter = LambdaAdapter(self.app, self.events, settings=_SETTINGS, log=self._log)
        self._plain = self._plain_answers()
        self._read_log()  # of the start, which is no request's

    def close(self) -> None:
        self._adapter.close()

    def try_event(self, event: Any, turn: int = 0) -> list[str]:
        """What is wrong with what became of the event."""
        if self.echo:
            self.echo.turn, self.echo.sent = turn, None
            self.echo.complaints.clear()
        balancer = is_balancers(event)  # before the adapter could change it
        started = time.monotonic()
        try:
            result = self._adapter(event, Context(f"req-{turn}"))
        except Hung:
            return [f"it hangs: longer than {SECONDS} s"]
        except BaseException as error:  # SystemExit would end the process, too
            self.outcomes[type(error).__name__] += 1
            found = list(verdict.of_error(error))
        else:
            self.outcomes[_outcome(result)] += 1
            found = list(self._of_result(result, balancer=balancer))
        seconds = time.monotonic() - started
        slow = [f"it is slow: {seconds:.1f} s"] if seconds > SECONDS else []
        return found + slow + (self.echo.complaints if self.echo else [])

    def between(self) -> list[str]:
        """What the events so far left behind: another plain answer, a forged line."""
        found = list(_line_complaints(self._read_log()))
        if (answers := self._plain_answers()) != self._plain:
            found.append(f"plain events are answered otherwise: {answers!a:.300}")
        return found

    def _of_result(self, result: Any, *, balancer: bool) -> Iterator[str]:
        if self.echo:
            yield from verdict.of_result(result, self.echo.sent, balancer=balancer)
        elif isinstance(result, dict):
            yield from verdict.of_reply(result, balancer=balancer)

    def _read_log(self) -> str:
        text = self._log.getvalue()
        self._log.seek(0)
        self._log.truncate()
        return text

    def _plain_answers(self) -> list[Any]:
        return [self._answer(mutation.valid(kind)) for kind in (*mutation.HTTP, "direct")]

    def _answer(self, event: Any) -> Any:
        if self.echo:
            self.echo.turn = 0
        return self._adapter(event, Context("req-plain"))


@contextlib.contextmanager
def trial(app: Application | None = None, events: EventRouter | None = None) -> Iterator[Trial]:
    """A trial of the echo, or of a given application; logging is as before afterwards."""
    root, asyncio_log = logging.getLogger(), logging.getLogger("asyncio")
    before = list(root.handlers), root.level, asyncio_log.level
    asyncio_log.setLevel("INFO")
    echo = None if app else Echo()
    running = Trial(app or echo.app, events or router(), echo)  # type: ignore[union-attr]
    try:
        yield running
    finally:
        running.close()
        root.handlers[:] = before[0]
        root.setLevel(before[1])
        asyncio_log.setLevel(before[2])


def findings(running: Trial, seed: str, count: int) -> list[Finding]:
    """What went wrong with `count` events of this seed: the first of each kind."""
    found: dict[str, Finding] = {}
    with _watched() as began:
        for index in range(count):
            origin = f"{seed}-{index}"
            began()
            wrong = running.try_event(made(origin), index)
            if index % BATCH == BATCH - 1:
                wrong += running.between()
            for complaint in wrong:
                if kind_of(complaint) not in found:
                    found[kind_of(complaint)] = Finding(origin, made(origin), complaint)
    return [_shrunk(running, finding) for finding in found.values()]


def made(origin: str) -> Any:
    """The event that follows from the seed."""
    return mutation.mutated(SeededDraw(origin))[1]


def kind_of(complaint: str) -> str:
    """What is wrong, without the value that it is wrong with."""
    return complaint.partition(": ")[0]


def _shrunk(running: Trial, finding: Finding) -> Finding:
    kind, turn = kind_of(finding.complaint), int(finding.origin.rpartition("-")[2])

    def is_still_wrong(event: Any) -> bool:
        return kind in map(kind_of, running.try_event(event, turn))

    return replace(finding, event=smallest(finding.event, is_still_wrong))


@contextlib.contextmanager
def _watched() -> Iterator[Callable[[], None]]:
    """Calls to what it gives may be `SECONDS` apart, and 10 more; else `Hung` is raised."""
    latest, over = [time.monotonic()], threading.Event()

    def watch() -> None:
        while not over.wait(1):
            if time.monotonic() - latest[0] > SECONDS + 10:
                latest[0] = time.monotonic()
                _thread.interrupt_main(signal.SIGUSR2)

    def began() -> None:
        latest[0] = time.monotonic()

    before = signal.signal(signal.SIGUSR2, _hung)
    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield began
    finally:
        over.set()
        thread.join()
        signal.signal(signal.SIGUSR2, before)


def _hung(*_: object) -> None:
    raise Hung


def _line_complaints(text: str) -> Iterator[str]:
    if not text.isascii():
        yield "the log holds more than ASCII"
    for line in text.splitlines():
        try:
            fields = json.loads(line)
            genuine = fields["request_id"].startswith("req-") and fields["message"] != "forged"
        except (ValueError, KeyError, TypeError, AttributeError):
            genuine = "_aws" in line  # a metric, which has a form of its own
        if not genuine:
            yield f"forged in the log: {line!a:.200}"


def is_balancers(event: Any) -> bool:
    """Whether a load balancer asks, whose replies have a form and a limit of their own."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    return isinstance(context, dict) and "elb" in context


def _outcome(result: Any) -> str:
    if isinstance(result, dict) and "statusCode" in result:
        return str(result["statusCode"])
    return "taken"


def shown(event: Any) -> str:
    """The event as a Python literal, cut where it is too long to read."""
    try:
        text = ascii(event)
    except RecursionError:
        return "too deep to show"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}... ({len(text):,})"


def seed_of_run() -> str:
    """What all events follow from: `SEED` in the environment, or the same one each time."""
    return os.environ.get("SEED", "twofold")
