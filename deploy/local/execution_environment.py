"""One execution environment: a process with AWS's own runtime client, and its Runtime API."""

from __future__ import annotations

import asyncio
import platform
import signal
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from deploy.local import invocation_log as lines
from deploy.local.embedded_aws import LOOPBACK
from deploy.local.environment import Function, Places, interpreter, variables
from deploy.local.memory import resident_kb
from deploy.local.runtime_api import Answer, Invocation, RuntimeApi, failure, too_large
from deploy.local.runtime_client import PACKAGE
from deploy.local.server import listen, serving
from deploy.local.workspace import Child, Command, Workspace

T = TypeVar("T")

INIT_SECONDS = 10.0
"""AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle"."""

_SAMPLE_SECONDS = 0.05
_KB = 1024


@dataclass(frozen=True)
class Site:
    """What all environments of a function share: its settings, its code, the AWS it sees."""

    workspace: Workspace
    function: Function
    task: Path
    runtime: Path
    endpoint: str


@dataclass(frozen=True)
class Result:
    """What an invocation came to: the answer, the log of it, what it took."""

    answer: Answer
    log: bytes
    report: lines.Report


class _EndedError(Exception):
    """The process cannot answer any more, and Lambda answers in its place."""

    def __init__(self, kind: str, what: str) -> None:
        super().__init__(what)
        self.kind = kind
        self.what = what


class ExecutionEnvironment:
    """One process, one invocation at a time; it starts with the first.

    Timeout and memory size are enforced: a process that takes too long, or is seen holding
    more than the function's memory (looked at every twentieth of a second while it works,
    so a shorter peak goes unseen), is killed.
    """

    def __init__(self, site: Site, number: int) -> None:
        self.site = site
        self._stream = f"environment-{number}"
        self.log = site.workspace.folder / "function" / f"{self._stream}.log"
        self._servers = AsyncExitStack()
        self._child: Child | None = None
        self._peak_kb = 0
        self._spoilt = False

    @property
    def usable(self) -> bool:
        """Whether it may take another invocation."""
        gone = self._child is not None and self._child.exit_status is not None
        return not (self._spoilt or gone)

    async def invoke(self, invocation: Invocation) -> Result:
        """What came of it, whatever becomes of the process."""
        begin = self.log.stat().st_size if self.log.exists() else 0
        init, broken = await self._initialized(invocation.request_id)
        self._write(lines.start(invocation.request_id, self.site.function.version))
        started = time.monotonic()
        answer = broken or await self._answered(invocation)
        await self._sample()
        report = self._report(_milliseconds_since(started), init)
        self._spoilt = self._spoilt or answer == too_large()
        self._write(lines.end(invocation.request_id, report))
        return Result(answer, self._log_since(begin), report)

    async def stop(self) -> None:
        """Process and Runtime API are gone; an environment that never started has none."""
        if self._child is not None:
            await asyncio.to_thread(self.site.workspace.stop, self._child, 0.0)
            self._child = None
        self._spoilt = True
        await self._servers.aclose()

    async def _initialized(self, request_id: str) -> tuple[float | None, Answer | None]:
        """How long it took, None for a warm process; and the answer if it failed."""
        if self._child is not None:
            return None, None
        started = time.monotonic()
        try:
            broken = await self._start()
        except _EndedError as ended:
            broken = self._given_up(ended, request_id)
        self._spoilt = broken is not None
        return _milliseconds_since(started), broken

    async def _start(self) -> Answer | None:
        scratch = self.site.workspace.folder / "function" / self._stream
        scratch.mkdir(parents=True)
        listener = listen(0, "")
        self._api = RuntimeApi()
        address = f"{LOOPBACK}:{listener.getsockname()[1]}"
        await self._servers.enter_async_context(serving(self._api.app, listener))
        places = Places(self.site.task, self.site.runtime, scratch)
        function = self.site.function
        told = variables(function, places, address, self._stream, self.site.endpoint)
        arguments = (str(interpreter()), "-S", "-m", PACKAGE, function.handler)
        self._write(lines.init_start(platform.python_version()))
        command = Command(arguments, told, self.site.task)
        self._child = self.site.workspace.start(command, self.log)
        return await self._outcome(self._api.ready, INIT_SECONDS)

    async def _answered(self, invocation: Invocation) -> Answer:
        working = asyncio.ensure_future(self._api.invoke(invocation))
        try:
            return await self._outcome(working, self.site.function.timeout)
        except _EndedError as ended:
            self._spoilt = True
            return self._given_up(ended, invocation.request_id)
        finally:
            working.cancel()

    async def _outcome(self, coming: asyncio.Future[T], seconds: float) -> T:
        child = self._child
        assert child is not None  # noqa: S101  started before anything is awaited from it
        deadline = time.monotonic() + seconds
        while True:
            left = deadline - time.monotonic()
            await asyncio.wait({coming}, timeout=max(0.0, min(_SAMPLE_SECONDS, left)))
            if coming.done():
                return coming.result()
            if child.exit_status is not None:
                raise _EndedError("Runtime.ExitError", lines.exited(child.exit_status))
            await self._sample()
            if self._peak_kb > self.site.function.memory * _KB:
                raise _EndedError("Runtime.ExitError", lines.exited(-signal.SIGKILL))
            if left <= 0:
                raise _EndedError("Sandbox.Timedout", lines.timed_out(seconds))

    async def _sample(self) -> None:
        if self._child is not None:
            now = await asyncio.to_thread(resident_kb, self._child.pid)
            self._peak_kb = max(self._peak_kb, now)

    def _given_up(self, ended: _EndedError, request_id: str) -> Answer:
        when = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._write(lines.failed(when, request_id, ended.what))
        return failure(ended.kind, f"RequestId: {request_id} Error: {ended.what}")

    def _report(self, duration: float, init: float | None) -> lines.Report:
        used = -(-self._peak_kb // _KB)
        memory = self.site.function.memory
        return lines.Report(duration, memory, min(used, memory), init)

    def _write(self, text: str) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as file:
            file.write(text.encode())

    def _log_since(self, begin: int) -> bytes:
        with self.log.open("rb") as file:
            file.seek(begin)
            return file.read()


def _milliseconds_since(started: float) -> float:
    return (time.monotonic() - started) * 1000
