"""What `twofold invoke` was asked to ask: the flags checked together, and turned into one value."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from deploy.errors import SettingsError
from deploy.question import Question, headers_of

On = Literal["lambda", "instance", "both"]


@dataclass(frozen=True)
class Typed:
    """What stood on the command line; None is what did not."""

    payload: str | None = None
    file: str | None = None
    path: str | None = None
    method: str | None = None
    headers: tuple[str, ...] = ()
    body: str | None = None
    on: On | None = None
    queue: str | None = None


@dataclass(frozen=True)
class Message:
    """A message for a work queue; `body` is JSON."""

    queue: str
    body: bytes


@dataclass(frozen=True)
class Direct:
    """A direct invocation of the function; `payload` is JSON."""

    payload: bytes


@dataclass(frozen=True)
class Http:
    """A request to the Function URL, to the instances, or to all."""

    question: Question
    on: On


def request(typed: Typed, read: Callable[[str], bytes]) -> Direct | Http | Message:
    """What to ask.

    Args:
        read: gives the content of a file by its name; '-' is standard input.

    Raises:
        SettingsError: a line for each reason why it cannot be asked.
    """
    problems = _direct_problems(typed) if typed.path is None else _http_problems(typed)
    if problems:
        raise SettingsError("\n".join(problems))
    if typed.path is not None:
        return _http(typed, typed.path, read)
    payload = _payload(typed, read)
    return Direct(payload) if typed.queue is None else Message(typed.queue, payload)


def _direct_problems(typed: Typed) -> list[str]:
    flags = {"--method": typed.method, "--header": typed.headers, "--body": typed.body}
    problems = [f"{flag} is for HTTP. Pass --http PATH with it." for flag in flags if flags[flag]]
    if typed.queue is not None and typed.on is not None:
        problems.append("The topology says which side works off a queue. Leave out --on.")
    elif typed.on in ("instance", "both"):
        problems.append(
            "An instance takes no direct invocations; only the Lambda side does. "
            "Ask an instance with --http PATH, or leave out --on."
        )
    if typed.payload is not None and typed.file is not None:
        problems.append("PAYLOAD and --file are both given. Leave one of them out.")
    return problems


def _http_problems(typed: Typed) -> list[str]:
    problems = []
    if typed.payload is not None:
        problems.append("PAYLOAD is for a direct invocation. With --http pass --body.")
    if typed.queue is not None:
        problems.append("--http and --queue are both given. Leave one of them out.")
    if typed.body is not None and typed.file is not None:
        problems.append("--body and --file are both given. Leave one of them out.")
    if not (typed.path or "").startswith("/"):
        problems.append(f"--http is {typed.path!r}; expected a path such as /healthz.")
    try:
        headers_of(typed.headers)
    except ValueError as error:
        problems.append(f"{error}.")
    return problems


def _payload(typed: Typed, read: Callable[[str], bytes]) -> bytes:
    file = "-" if typed.payload == "-" else typed.file
    payload = (typed.payload or "{}").encode() if file is None else read(file)
    try:
        json.loads(payload)
    except ValueError as error:
        shown = payload[:40].decode("utf-8", "replace")
        raise SettingsError(
            f"The payload {shown!r} is not JSON: {error}. "
            """Quote it for the shell, as in: twofold invoke '{"name": "Ada"}'"""
        ) from None
    return payload


def _http(typed: Typed, path: str, read: Callable[[str], bytes]) -> Http:
    has_body = typed.body is not None or typed.file is not None
    body = (typed.body or "").encode() if typed.file is None else read(typed.file)
    method = typed.method or ("POST" if has_body else "GET")
    return Http(Question(path, method, headers_of(typed.headers), body), typed.on or "both")
