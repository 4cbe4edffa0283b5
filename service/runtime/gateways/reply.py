"""What the gateways share of a reply: text or base64, header values, and its size."""

import json
from base64 import b64encode
from typing import Any

from service.runtime.exchange import Response
from service.runtime.lambda_runtime import minor

# "Lambda quotas" in the AWS Lambda Developer Guide: 6 MB for a synchronous response, whatever
# more the front end might carry (API Gateway: 10 MB).
LAMBDA_LIMIT = 6 * 1024 * 1024
# "Use Lambda functions as targets of an Application Load Balancer": 1 MB of JSON.
LOAD_BALANCER_LIMIT = 1024 * 1024

_UNESCAPED = 12  # the first python3.x runtime that leaves text as it is in JSON
_LONGEST_ESCAPE = 6  # bytes that one byte of text takes at the most: \u0000
_ROOM = 32 * 1024  # for what is neither body nor text of a header


def body(content: bytes, limit: int) -> tuple[str, bool]:
    """Text if it is UTF-8, whatever its type, else base64; and which of them.

    Both arrive as the same bytes. A REST API, though, decodes base64 only for its binary
    media types, so text stays text, but where as base64 alone it keeps within the limit.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return b64encode(content).decode("ascii"), True
    if len(content) * _LONGEST_ESCAPE + _ROOM > limit:
        encoded = b64encode(content).decode("ascii")
        if len(encoded) + _ROOM <= limit < size(text) + _ROOM:
            return encoded, True
    return text, False


def single_values(headers: list[tuple[str, str]]) -> tuple[dict[str, str], list[str]]:
    """One value for each name, and apart from them the cookies, which cannot be joined."""
    single = dict(headers)
    if len(single) == len(headers) and "set-cookie" not in single:  # as mostly
        return single, []
    single, cookies = {}, []
    for name, value in headers:
        if name == "set-cookie":
            cookies.append(value)
        elif name in single:
            single[name] += f", {value}"  # RFC 9110, section 5.3
        else:
            single[name] = value
    return single, cookies


def multi_value(headers: list[tuple[str, str]]) -> dict[str, list[str]]:
    """All values under their names."""
    several: dict[str, list[str]] = {}
    for name, value in headers:
        if name in several:
            several[name].append(value)
        else:
            several[name] = [value]
    return several


def excess(reply: dict[str, Any], response: Response, limit: int) -> int:
    """How many bytes the reply takes as JSON, if that is more than `limit`; else 0.

    It is made JSON only where it may be too large.
    """
    if (len(reply["body"]) + response["header_bytes"]) * _LONGEST_ESCAPE + _ROOM <= limit:
        return 0
    taken = size(reply)
    return taken if taken > limit else 0


def size(value: Any) -> int:
    """How many bytes of JSON awslambdaric makes of `value`; newer runtimes escape less."""
    if minor() < _UNESCAPED:
        return len(json.dumps(value))
    return len(json.dumps(value, ensure_ascii=False).encode())
