"""AWS as the guests and the tool see it: the embedded AWS, and what this machine plays of it.

Every request goes to the embedded AWS as it came, but for those that a fleet of real
instances answers differently, and those for a package that AWS publishes and that cannot be
had here. Those few are known by their action alone: no two services share one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4
from xml.etree import ElementTree as ET

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.errors import TwofoldError
from deploy.local.guests import instance_answers, query, stack_answers
from deploy.local.guests.played import Member, Played
from deploy.local.guests.query import Query
from deploy.local.guests.upstream import Head, UnreachableError, Upstream, head_of

_Edit: TypeAlias = Callable[[ET.Element], None]
_ALL_GROUPS = Query((("Action", "DescribeAutoScalingGroups"), ("Version", "2011-01-01")))


def gateway(endpoint: str, played: Played, files: Mapping[str, Path]) -> ASGIApp:
    """An AWS endpoint for all services; GET /stand-ins/NAME gives `files[NAME]`.

    Args:
        endpoint: the embedded AWS's.
        played: what it leaves out.
    """

    async def stand_in(request: Request) -> Response:
        path = files.get(request.path_params["name"])
        if path is None:
            return PlainTextResponse(f"There is no {request.url.path} here.", 404)
        return FileResponse(path)

    return Starlette(
        routes=[
            Route("/stand-ins/{name:path}", stand_in),
            Route("/{path:path}", _Gateway(Upstream(endpoint), played)),
        ],
        exception_handlers={
            UnreachableError: _unreachable,
            TwofoldError: _refused,
            ClientDisconnect: _left,
        },
    )


class _Gateway:
    def __init__(self, upstream: Upstream, played: Played) -> None:
        self._upstream = upstream
        self._played = played
        self._told: dict[str, Member] = {}
        self._answers: Mapping[str, Callable[[Request, Query], Awaitable[Response]]] = {
            "DescribeStacks": self._stacks,
            "DescribeStackEvents": self._events,
            "DescribeStackResource": self._resource,
            "SignalResource": self._signal,
            "ExecuteChangeSet": self._execute,
            "DescribeAutoScalingGroups": self._groups,
            "DescribeInstances": self._instances,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        asked = await _asked(request)
        answer = self._answers.get(asked.action)
        if answer is None:
            await self._upstream.pass_on(request, send)
        else:
            response = await answer(request, asked)
            await response(scope, receive, send)

    # CloudFormation

    async def _stacks(self, request: Request, asked: Query) -> Response:
        shown = self._played.shown_stack_status
        return await self._edited(
            request, asked, lambda root: stack_answers.show_status(root, shown)
        )

    async def _events(self, request: Request, asked: Query) -> Response:
        """All on one page, so that what is played finds its place among the others."""
        status, page = await self._ask(request, asked)
        pages = [page]
        while token := stack_answers.next_token(pages[-1]):
            _, page = await self._ask(request, asked.with_parameter("NextToken", token))
            pages.append(page)
        root = stack_answers.join_events(pages)
        await asyncio.to_thread(self._put_events, root, asked.stack)
        return _xml(root, status)

    def _put_events(self, root: ET.Element, stack: str) -> None:
        # Asked for after the others: one that was told already is never above a new one.
        played = self._played.more_events(stack)
        stack_answers.put_events(root, played, partial(self._played.held_back, stack))

    async def _resource(self, request: Request, asked: Query) -> Response:
        events = self._played.more_events
        return await self._edited(
            request, asked, lambda root: stack_answers.show_resource(root, events(asked.stack))
        )

    async def _signal(self, _request: Request, asked: Query) -> Response:
        problem = stack_answers.signal_problem(asked) or await asyncio.to_thread(
            self._played.signalled,
            asked.stack,
            asked.get("LogicalResourceId"),
            asked.get("UniqueId"),
            asked.get("Status"),
        )
        if problem:
            return _told(query.refusal("ValidationError", problem), 400, asked)
        root = query.answer("SignalResource")
        query.append(ET.SubElement(root, "ResponseMetadata"), {"RequestId": str(uuid4())})
        return _told(root, 200, asked)

    async def _execute(self, request: Request, asked: Query) -> Response:
        change_set = asked.get("ChangeSetName")
        stack = asked.stack or await self._stack_of(request, change_set)
        await asyncio.to_thread(self._played.executed, stack, change_set)
        status, root = await self._ask(request, asked)
        return _xml(root, status)

    async def _stack_of(self, request: Request, change_set: str) -> str:
        """The name of the stack of a change set that is named by its ARN alone."""
        described = Query((("Action", "DescribeChangeSet"), ("ChangeSetName", change_set)))
        _, root = await self._ask(request, described)
        return root.findtext("DescribeChangeSetResult/StackName", "")

    # Instances

    async def _groups(self, request: Request, asked: Query) -> Response:
        return await self._edited(
            request, asked, lambda root: instance_answers.put_members(root, self._members)
        )

    async def _instances(self, request: Request, asked: Query) -> Response:
        """Filters are the embedded AWS's: with filters and no IDs, members are left out."""
        wanted = asked.listed("InstanceId")
        if asked.is_filtered and not wanted:
            return await self._edited(request, asked, lambda _root: None)
        now = await self._all_members(request)
        gone = {name: replace(one, state="Terminated") for name, one in self._told.items()}
        known = {**gone, **now}
        others = [name for name in wanted if name not in known]
        if wanted and not others:
            status, root = 200, instance_answers.no_instances()
        else:
            status, root = await self._ask(request, asked.with_list("InstanceId", others))
        ours = [known[name] for name in wanted if name in known] if wanted else now.values()
        instance_answers.put_instances(root, ours)
        return _xml(root, status)

    async def _all_members(self, request: Request) -> dict[str, Member]:
        """Instance ID -> member, of every group that there is."""
        _, root = await self._ask(request, _ALL_GROUPS, "autoscaling")
        names = instance_answers.groups(root)
        members = [await asyncio.to_thread(self._members, name) for name in names]
        return {one.instance: one for group in members for one in group}

    def _members(self, group: str) -> Sequence[Member]:
        """As they are now; remembered, since EC2 tells of an instance for an hour after its end."""
        members = self._played.members(group)
        self._told.update({one.instance: one for one in members})
        return members

    # The embedded AWS

    async def _edited(self, request: Request, asked: Query, edit: _Edit) -> Response:
        status, root = await self._ask(request, asked)
        await asyncio.to_thread(edit, root)
        return _told(root, status, asked)

    async def _ask(
        self, request: Request, asked: Query, service: str = ""
    ) -> tuple[int, ET.Element]:
        """The status and the root of the answer, from another service than the caller's if told."""
        answer = await self._upstream.ask(_form_head(request, service), asked.form())
        return answer.status, query.parsed(answer.body)


async def _asked(request: Request) -> Query:
    """What is asked by the query protocol; nothing when it is another protocol's request."""
    if request.scope["path"] != "/":
        return Query(())
    if request.method == "GET":
        return query.query_of(request.url.query)
    if request.headers.get("content-type", "").startswith(query.FORM):
        return query.query_of((await request.body()).decode("utf-8", "replace"))
    return Query(())


def _form_head(request: Request, service: str) -> Head:
    headers = {
        **dict(request.scope["headers"]),
        b"content-type": f"{query.FORM}; charset=utf-8".encode(),
    }
    if service and b"authorization" in headers:
        headers[b"authorization"] = query.signed_for(service, headers[b"authorization"])
    return replace(head_of(request), method="POST", target=b"/", headers=list(headers.items()))


def _told(root: ET.Element, status: int, asked: Query) -> Response:
    if asked.wants_json:
        return Response(query.as_json(root), status, media_type="application/json")
    return _xml(root, status)


def _xml(root: ET.Element, status: int) -> Response:
    return Response(query.rendered(root), status, media_type="text/xml")


async def _unreachable(_request: Request, error: Exception) -> Response:
    return _xml(query.refusal("ServiceUnavailable", str(error), "Receiver"), 503)


async def _refused(_request: Request, error: Exception) -> Response:
    return _xml(query.refusal("ValidationError", str(error)), 400)


async def _left(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)
