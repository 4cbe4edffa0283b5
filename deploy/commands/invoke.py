"""`twofold invoke`."""

from __future__ import annotations

import http
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from deploy import logical_id
from deploy.composition import topology_queues
from deploy.connection import Connection, connect
from deploy.errors import SettingsError, StackError
from deploy.flags import json_flag, local_flag, settings_flags
from deploy.overview import COMMANDS
from deploy.question import Answer, ask
from deploy.request import Direct, Http, Message, Typed, request
from deploy.settings import REGION, STAGE
from deploy.sides import existing, function_url, no_queue, nothing_to_ask, reachable
from deploy.stack import Stack

FAILED = 1


@click.command("invoke", short_help=COMMANDS["invoke"])
@click.argument("payload", required=False)
@click.option("-f", "--file", "file", help="Read payload or body from a file; - is stdin.")
@click.option("--http", "path", metavar="PATH", help="Ask by HTTP for this path.")
@click.option("--queue", metavar="NAME", help="Send PAYLOAD to this work queue.")
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
def command(flags: Mapping[str, Any], local: bool, as_json: bool, **typed: Any) -> None:
    """Ask the service: a direct invocation, or HTTP on either side.

    PAYLOAD is JSON ({} when none is given; - reads standard input) and goes straight to the
    Lambda function; an instance takes no invocations, it is asked with --http. With --http
    the Function URL and every instance are asked. Prints what each side answered. With
    --queue PAYLOAD becomes a message of a work queue, and its ID is printed.

    The exit code is 1 when a side failed: an error in the function, a status of 500 or
    more, no answer.

    \b
    Examples:
      twofold invoke '{"name": "Ada"}'
      twofold invoke -f event.json --json
      twofold invoke --queue orders '{"order": 7}'
      twofold invoke --http /healthz
      twofold invoke --http /items -X PUT -H 'Content-Type: application/json' -d '{}'
    """
    wanted = request(Typed(**typed), _read)
    connection = connect(flags, local=local, others_allowed=True)
    stack = existing(connection)
    answers = _answers(connection, stack, wanted)
    if as_json:
        click.echo(json.dumps({"answers": [_document(answer) for answer in answers]}, indent=2))
    else:
        click.echo("\n".join(line for answer in answers for line in _lines(answer)))
    if not all(answer.succeeded for answer in answers):
        raise click.exceptions.Exit(FAILED)


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise SettingsError(f"Cannot read {file}: {error.strerror}. Pass another -f.") from None


def _answers(connection: Connection, stack: Stack, wanted: Direct | Http | Message) -> list[Answer]:
    if isinstance(wanted, Direct):
        return [_invoked(connection, stack, wanted.payload)]
    if isinstance(wanted, Message):
        return [_sent(connection, stack, wanted)]
    sides = []
    if wanted.on != "instance":
        sides.append(("lambda", function_url(connection, stack)))
    if wanted.on != "lambda":
        sides += reachable(connection, stack)
    return [ask(name, url, wanted.question) for name, url in sides]


def _invoked(connection: Connection, stack: Stack, payload: bytes) -> Answer:
    name = stack.outputs.get(logical_id.OUTPUT_FUNCTION_NAME, "")
    if not name:
        raise StackError(nothing_to_ask(connection, stack, "function"))
    alias = stack.outputs.get(logical_id.OUTPUT_FUNCTION_ALIAS, "").rpartition(":")[2]
    start = time.monotonic()
    invoked = connection.aws.invoke(name, payload, alias)
    seconds = time.monotonic() - start
    if not invoked.error:
        return Answer("lambda", name, http.HTTPStatus.OK, (), invoked.payload, seconds)
    click.echo(invoked.log.rstrip(), err=True)
    problem = f"function error: {invoked.error}"
    return Answer("lambda", name, 0, (), invoked.payload, seconds, problem)


def _sent(connection: Connection, stack: Stack, message: Message) -> Answer:
    url = stack.outputs.get(logical_id.output_queue(message.queue), "")
    if not url:
        raise SettingsError(no_queue(connection, stack, message.queue, topology_queues()))
    start = time.monotonic()
    sent = connection.aws.send_message(url, message.body.decode())
    return Answer(
        message.queue, url, http.HTTPStatus.OK, (), sent.encode(), time.monotonic() - start
    )


def _lines(answer: Answer) -> list[str]:
    status = answer.problem or str(answer.status)
    head = f"{answer.side}  {status}  {answer.seconds * 1000:.0f} ms  {answer.url}"
    body = answer.body.decode("utf-8", "replace").rstrip("\n")
    return [head, body] if body else [head]


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
