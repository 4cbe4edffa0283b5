"""The function: as many execution environments as are busy at once, up to a few."""

from __future__ import annotations

import asyncio
import os
import time
import uuid
from collections.abc import Callable

from deploy.local.execution_environment import ExecutionEnvironment, Result, Site
from deploy.local.runtime_api import Invocation

CONCURRENCY = 4
"""Processes at once. On AWS a further invocation would start a further one, up to the
account's limit; here it waits for its turn."""


class RunningFunction:
    """Takes invocations; starts a process when none is idle, keeps it for the next one.

    A process that crashed, ran too long or failed to initialize is replaced at the next
    invocation, as on Lambda; so is each one when `site` is set to another, after a new
    release. All coroutines run in one asyncio loop.
    """

    def __init__(self, site: Site, concurrency: int = CONCURRENCY) -> None:
        self.site = site
        self._turn = asyncio.Semaphore(concurrency)
        self._idle: list[ExecutionEnvironment] = []
        self._all: set[ExecutionEnvironment] = set()
        self._number = 0

    async def invoke(self, payload: bytes, client_context: str = "") -> Result:
        """The outcome of one invocation, cold start included."""
        async with self._turn:
            environment = await self._take()
            try:
                result = await environment.invoke(self._invocation(payload, client_context))
            finally:
                await self._give_back(environment)
        return result

    async def stop(self) -> None:
        """No process of it is left; an invocation on its way is not answered."""
        await asyncio.gather(*(environment.stop() for environment in self._all))

    def _invocation(self, payload: bytes, client_context: str) -> Invocation:
        function = self.site.function
        return Invocation(
            request_id=str(uuid.uuid4()),
            payload=payload,
            deadline_ms=int((time.time() + function.timeout) * 1000),
            function_arn=function.arn,
            trace_id=trace_id(time.time(), os.urandom),
            client_context=client_context,
        )

    async def _take(self) -> ExecutionEnvironment:
        while self._idle:
            environment = self._idle.pop()
            if self._serves(environment):
                return environment
            await self._discard(environment)
        self._number += 1
        started = ExecutionEnvironment(self.site, self._number)
        self._all.add(started)
        return started

    async def _give_back(self, environment: ExecutionEnvironment) -> None:
        if self._serves(environment):
            self._idle.append(environment)
        else:
            await self._discard(environment)

    def _serves(self, environment: ExecutionEnvironment) -> bool:
        return environment.usable and environment.site is self.site

    async def _discard(self, environment: ExecutionEnvironment) -> None:
        self._all.discard(environment)
        await environment.stop()


def trace_id(now: float, random: Callable[[int], bytes]) -> str:
    """A tracing header, not sampled (AWS X-Ray Developer Guide, "Tracing header")."""
    root = f"1-{int(now):08x}-{random(12).hex()}"
    return f"Root={root};Parent={random(8).hex()};Sampled=0"
