"""Whether what became of an event is what may become of one."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from service.errors import MalformedEventError, ServiceError, UnhandledEventError
from tests.robustness.echo import Sent

CLEAR = (MalformedEventError, UnhandledEventError)
LONGEST_ERROR = 5_000  # characters
# "Lambda quotas" in the AWS Lambda Developer Guide: request and response, synchronous.
LIMIT = 6 * 1024 * 1024
# "Receive HTTP requests from an Application Load Balancer", "Lambda functions as targets".
BALANCER_LIMIT = 1024 * 1024

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch
_UNSAFE = re.compile(r"[\0\r\n]").search
_UNPRINTABLE = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029]").search
_FIELDS = {
    "statusCode",
    "statusDescription",
    "headers",
    "multiValueHeaders",
    "cookies",
    "body",
    "isBase64Encoded",
}
_ADDED = {"x-request-id", "content-type", "content-length", "set-cookie"}
_BODILESS = (204, 304)
_marshaller = LambdaMarshaller()


def of_error(error: BaseException) -> Iterator[str]:
    """What is wrong with the error that an event ended with."""
    if not isinstance(error, CLEAR) or not isinstance(error, ServiceError):
        yield f"it raised {type(error).__name__}: {str(error)[:200]!a}"
        return
    text = str(error)
    if not 20 <= len(text) <= LONGEST_ERROR:
        yield f"the error's text has another length: {len(text)}, {text[:100]!a}"
    if found := _UNPRINTABLE(text):
        yield f"the error's text holds what cannot be printed: {found[0]!a}"
    if not _encodable(text):
        yield "the error's text cannot be written as UTF-8"


def of_result(result: Any, sent: Sent | None, *, balancer: bool) -> Iterator[str]:
    """What is wrong with a result: an event handler's, which is None, or a reply."""
    if result is None:
        return
    found = list(of_reply(result, balancer=balancer))
    yield from found or _truth(result, sent)


def of_reply(result: Any, *, balancer: bool) -> Iterator[str]:
    """What is wrong with the form of a reply to a front end."""
    if not isinstance(result, dict) or not {"statusCode", "body"} <= set(result) <= _FIELDS:
        yield f"it is no reply: {str(result)[:200]!a}"
        return
    yield from _forms(result)
    yield from _size(result, balancer)
    if balancer and ("headers" in result) == ("multiValueHeaders" in result):
        yield "a load balancer takes either headers or multiValueHeaders"
    for name, value in pairs(result):
        yield from _header(name, value)


def pairs(reply: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Each header of a reply, one by one, whichever field it stands in."""
    yield from (reply.get("headers") or {}).items()
    for name, values in (reply.get("multiValueHeaders") or {}).items():
        yield from ((name, value) for value in values)
    yield from (("set-cookie", cookie) for cookie in reply.get("cookies") or ())


def _forms(reply: dict[str, Any]) -> Iterator[str]:
    status = reply["statusCode"]
    if type(status) is not int or not 100 <= status <= 599:
        yield f"no status: {status!a:.80}"
    if not isinstance(reply["body"], str):
        yield f"the reply's body has another type: {reply['body']!a:.80}"
    if not isinstance(reply.get("isBase64Encoded", False), bool):
        yield f"isBase64Encoded has another type: {reply['isBase64Encoded']!a:.80}"


def _header(name: Any, value: Any) -> Iterator[str]:
    if not isinstance(name, str) or not _TOKEN(name):
        yield f"no header's name in the reply: {name!a:.80}"
    if not isinstance(value, str) or _UNSAFE(value):
        yield f"no header's value in the reply: {name!a:.40} {value!a:.80}"


def _size(reply: dict[str, Any], balancer: bool) -> Iterator[str]:
    try:
        text, _ = _marshaller.marshal_response(reply)
    except Exception as error:  # whatever it is, Lambda fails the invocation
        yield f"the reply cannot be written as JSON: {error!r:.100}"
        return
    if len(text) > LIMIT or (balancer and len(reply["body"]) > BALANCER_LIMIT):
        yield f"the reply is too large: {len(text)} bytes"
    if not _encodable(reply):
        yield "the reply cannot be written as UTF-8"


def _encodable(value: Any) -> bool:
    """Lambda's runtime client escapes nothing from Python 3.12 on."""
    try:
        return bool(json.dumps(value, ensure_ascii=False).encode())
    except UnicodeEncodeError:
        return False


def _truth(reply: dict[str, Any], sent: Sent | None) -> Iterator[str]:
    """The reply is what the application sent, or a failure of the adapter's own."""
    status = reply["statusCode"]
    names = {name.lower() for name, _ in pairs(reply)}
    if sent is None or status != sent.status:
        if status < 400 or not reply["body"]:
            yield f"a reply of our own does not say what is wrong: {status} {reply['body'][:80]!a}"
        if strange := names - _ADDED:
            yield f"a reply of our own has headers: {sorted(strange)!a:.200}"
        return
    known = {name.decode("latin-1").lower() for name, _ in sent.headers} | _ADDED
    if strange := names - known:
        yield f"the reply has headers that were not sent: {sorted(strange)!a:.200}"
    if sent.method != "HEAD" and status not in _BODILESS and _body(reply) != sent.body:
        yield f"the body is another: {reply['body'][:80]!a} instead of {sent.body[:80]!r}"


def _body(reply: dict[str, Any]) -> bytes | None:
    try:
        if reply.get("isBase64Encoded"):
            return base64.b64decode(reply["body"], validate=True)
        return str(reply["body"]).encode()
    except (binascii.Error, UnicodeEncodeError):
        return None
