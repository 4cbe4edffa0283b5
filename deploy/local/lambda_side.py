"""The Lambda side of the laptop: the function, its URL, and the API that invokes it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from dataclasses import dataclass, replace

from starlette.types import ASGIApp

from deploy.aws import Aws
from deploy.local import runtime_client
from deploy.local.embedded_aws import LOOPBACK
from deploy.local.environment import Function
from deploy.local.execution_environment import Site
from deploy.local.front import function_url, invoke_api
from deploy.local.front_ends.function_url import FunctionUrl
from deploy.local.function import RunningFunction
from deploy.local.queue_poller import QueuePoller
from deploy.local.release import fetch
from deploy.local.running_release import Wanted
from deploy.local.server import Background, listen, serving
from deploy.local.workspace import Workspace


@dataclass(frozen=True)
class LambdaSide:
    """A running function, and where it can be asked and invoked."""

    running: RunningFunction
    url_port: int
    api_port: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.url_port}/"

    @property
    def functions_endpoint(self) -> str:
        return f"http://{LOOPBACK}:{self.api_port}"

    @property
    def described(self) -> Function:
        """The function as it is run now."""
        return self.running.site.function

    def follow(self, aws: Aws, wanted: Wanted) -> None:
        """The next invocation meets what the stack says now, in a process of its own."""
        site = self.running.site
        task = fetch(aws, wanted.release, site.task.parent.parent)
        self.running.site = replace(site, function=wanted.function, task=task)


def site(workspace: Workspace, aws: Aws, wanted: Wanted, endpoint: str) -> Site:
    """The code, fetched from where the stack says, and the runtime client beside it.

    Args:
        endpoint: of the embedded AWS, for the service's own calls.
    """
    folder = workspace.folder / "function"
    runtime_client.link_into(folder / "runtime")
    task = fetch(aws, wanted.release, folder / "code")
    return Site(workspace, wanted.function, task, folder / "runtime", endpoint)


def serve(
    stack: ExitStack, background: Background, site: Site, domain: str, front: socket.socket
) -> LambdaSide:
    """The function answers until `stack` closes; its first process starts with the first request.

    Args:
        domain: of the function's URL on AWS.
        front: the socket that plays the URL.
    """
    running = background.run(_running(site))
    stack.callback(lambda: background.run(running.stop()))
    port = int(front.getsockname()[1])
    _serve(stack, background, function_url(running.invoke, FunctionUrl(domain, port)), front)
    invoking = listen(0, "")
    api_port = int(invoking.getsockname()[1])
    api = invoke_api(running.invoke, site.function.name, site.function.version)
    _serve(stack, background, api, invoking)
    return LambdaSide(running, port, api_port)


def poll(stack: ExitStack, background: Background, aws: Aws, side: LambdaSide) -> None:
    """What is in the queues of the function's mappings is invoked with, until `stack` closes."""
    poller = QueuePoller(aws, side.described.name, side.running.invoke)
    task = background.run(_begun(poller))
    stack.callback(lambda: background.run(_ended(task)))


async def _begun(poller: QueuePoller) -> asyncio.Task[None]:
    return asyncio.create_task(poller.run())


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _running(site: Site) -> RunningFunction:
    return RunningFunction(site)


def _serve(stack: ExitStack, background: Background, app: ASGIApp, on: socket.socket) -> None:
    served = serving(app, on)
    background.run(served.__aenter__())
    stack.callback(lambda: background.run(served.__aexit__(None, None, None)))
