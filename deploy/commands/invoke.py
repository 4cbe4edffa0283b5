"""`twofold invoke`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from deploy import logical_id
from deploy.cli import COMMANDS
from deploy.connection import Connection, connect
from deploy.errors import SettingsError, StackError
from deploy.flags import json_flag, local_flag, settings_flags
from deploy.inspection import fleet_of, instances
from deploy.question import Answer, Question, ask, headers_of
from deploy.settings import REGION, STAGE
from deploy.stack import Stack

FAILED = 1


@click.command("invoke", short_help=COMMANDS["invoke"])
@click.argument("payload", required=False)
@click.option("-f", "--file", "file", help="Read payload or body from a file; - is stdin.")
@click.option("--http", "path", metavar="PATH", help="Ask by HTTP for this path.")
@click.option("-X", "--method", help="The HTTP method.  [default: GET, with a body POST]")
@click.option("-H", "--header", "headers", multiple=True, help="An HTTP header; may be repeated.")
@click.option("-d", "--body", help="The HTTP body.")
@click.option(
    "--on",
    type=click.Choice(["lambda", "instance", "both"]),
    help="Which side.  [default: both with --http, else lambda]",
)
@settings_flags((STAGE, REGION))
@local_flag
@json_flag
def command(flags: Mapping[str, Any], local: bool, as_json: bool, **request: Any) -> None:
    """Ask the service: a direct invocation, or HTTP on either side.

    PAYLOAD is JSON ({} when none is given; - reads standard input) and goes straight to the
    Lambda function; an instance takes no invocations, it is asked with --http. With --http
    the Function URL and every instance are asked. Prints what each side answered.

    The exit code is 1 when a side failed: an error in the function, a status of 500 or
    more, no answer.

    \b
    Examples:
      twofold invoke '{"name": "Ada"}'
      twofold invoke -f event.json --json
      twofold invoke --http /healthz
      twofold invoke --http /items -X PUT -H 'Content-Type: application/json' -d '{}'
    """
    wanted = _checked(request)
    connection = connect(flags, local=local, others_allowed=True)
    stack = _existing(connection)
    answers = wanted.ask(connection, stack)
    if as_json:
        click.echo(json.dumps({"answers": [_document(answer) for answer in answers]}, indent=2))
    else:
        for answer in answers:
            _show(answer)
    if not all(answer.succeeded for answer in answers):
        raise click.exceptions.Exit(FAILED)


class _Direct:
    """A direct invocation of the function."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload

    def ask(self, connection: Connection, stack: Stack) -> Sequence[Answer]:
        name = stack.outputs.get(logical_id.OUTPUT_FUNCTION_NAME, "")
        if not name:
            raise StackError(_nothing_to_ask(stack, "function"))
        alias = stack.outputs.get(logical_id.OUTPUT_FUNCTION_ALIAS, "").rpartition(":")[2]
        start = time.monotonic()
        invoked = connection.aws.invoke(name, self._payload, alias)
        seconds = time.monotonic() - start
        if invoked.error:
            click.echo(invoked.log.rstrip(), err=True)
        problem = f"function error: {invoked.error}" if invoked.error else ""
        status = 0 if invoked.error else 200
        return (Answer("lambda", name, status, (), invoked.payload, seconds, problem),)


class _Http:
    """A request to the Function URL, to every instance, or to all of them."""

    def __init__(self, question: Question, on: str) -> None:
        self._question = question
        self._on = on

    def ask(self, connection: Connection, stack: Stack) -> Sequence[Answer]:
        sides = []
        if self._on in ("lambda", "both"):
            sides.append(("lambda", _function_url(connection, stack)))
        if self._on in ("instance", "both"):
            sides += _reachable(connection, stack)
        return [ask(name, url, self._question) for name, url in sides]


def _function_url(connection: Connection, stack: Stack) -> str:
    output = stack.outputs.get(logical_id.OUTPUT_FUNCTION_URL, "")
    url = connection.local.function_url if connection.local else output
    if not url:
        raise StackError(_nothing_to_ask(stack, "Function URL"))
    return url


def _reachable(connection: Connection, stack: Stack) -> list[tuple[str, str]]:
    fleet = None if connection.local else fleet_of(connection, stack)
    sides = [(name, url) for name, url, _ in instances(connection, stack, fleet) if url]
    if not sides:
        raise StackError(_nothing_to_ask(stack, "instance with an address"))
    return sides


def _nothing_to_ask(stack: Stack, what: str) -> str:
    return (
        f"Stack {stack.name!r} ({stack.status}) has no {what} to ask. "
        "Look at it with: twofold status"
    )


def _existing(connection: Connection) -> Stack:
    settings = connection.settings
    stack = connection.aws.stack(settings.stack)
    if stack is None:
        raise StackError(
            f"Stack {settings.stack!r} does not exist in {connection.aws.region}. "
            f"Create it with: twofold provision --stage {settings.stage}"
        )
    return stack


def _checked(request: Mapping[str, Any]) -> _Direct | _Http:
    """What to ask, or every reason why it cannot be asked."""
    http = request["path"] is not None
    problems = _http_problems(request) if http else _direct_problems(request)
    if request["payload"] is not None and request["file"] is not None:
        problems.append("PAYLOAD and --file are both given. Leave one of them out.")
    if problems:
        raise SettingsError("\n".join(problems))
    return _http(request) if http else _Direct(_json(_content(request)))


def _http_problems(request: Mapping[str, Any]) -> list[str]:
    problems = []
    if request["payload"] is not None:
        problems.append("PAYLOAD is for a direct invocation. With --http pass --body.")
    if request["body"] is not None and request["file"] is not None:
        problems.append("--body and --file are both given. Leave one of them out.")
    if not request["path"].startswith("/"):
        problems.append(f"--http is {request['path']!r}; expected a path such as /healthz.")
    return problems


def _direct_problems(request: Mapping[str, Any]) -> list[str]:
    problems = [
        f"--{name.removesuffix('s')} is for HTTP. Pass --http PATH with it."
        for name in ("method", "headers", "body")
        if request[name]
    ]
    if request["on"] in ("instance", "both"):
        problems.append(
            "An instance takes no direct invocations; only the Lambda side does. "
            "Ask an instance with --http PATH, or leave out --on."
        )
    return problems


def _http(request: Mapping[str, Any]) -> _Http:
    has_body = request["body"] is not None or request["file"] is not None
    body = (request["body"] or "").encode() if request["file"] is None else _content(request)
    try:
        headers = headers_of(request["headers"])
    except ValueError as error:
        raise SettingsError(f"{error}.") from None
    method = request["method"] or ("POST" if has_body else "GET")
    question = Question(request["path"], method, headers, body)
    return _Http(question, request["on"] or "both")


def _content(request: Mapping[str, Any]) -> bytes:
    file, payload = request["file"], request["payload"]
    if "-" in (file, payload):
        return sys.stdin.buffer.read()
    if file is None:
        return str(payload if payload is not None else "{}").encode()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise SettingsError(f"Cannot read {file}: {error.strerror}. Pass another -f.") from None


def _json(payload: bytes) -> bytes:
    try:
        json.loads(payload)
    except ValueError as error:
        shown = payload[:40].decode("utf-8", "replace")
        raise SettingsError(
            f"The payload {shown!r} is not JSON: {error}. "
            """Quote it for the shell, as in: twofold invoke '{"name": "Ada"}'"""
        ) from None
    return payload


def _show(answer: Answer) -> None:
    status = answer.problem or str(answer.status)
    click.echo(f"{answer.side}  {status}  {answer.seconds * 1000:.0f} ms  {answer.url}")
    if answer.body:
        click.echo(answer.body.decode("utf-8", "replace").rstrip("\n"))


def _document(answer: Answer) -> dict[str, Any]:
    return {
        "side": answer.side,
        "url": answer.url,
        "status": answer.status,
        "headers": [list(pair) for pair in answer.headers],
        "body": answer.body.decode("utf-8", "replace"),
        "seconds": round(answer.seconds, 4),
        "problem": answer.problem,
    }
