"""How a body travels in JSON, in both directions."""

from __future__ import annotations

import base64
import json
import re
from typing import Any


def textual(content_type: str, types: re.Pattern[str]) -> bool:
    """Whether the media type is one of `types`, which stands for lower case without parameters."""
    return bool(types.fullmatch(content_type.partition(";")[0].strip().lower()))


def as_text(body: bytes) -> dict[str, Any]:
    """Text as it is, what is no UTF-8 in base64 (the latter assumed)."""
    try:
        return {"body": body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:
        return as_base64(body)


def as_base64(body: bytes) -> dict[str, Any]:
    """Any bytes."""
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def bytes_of(result: dict[str, Any]) -> bytes:
    """The body of a function's result.

    Raises:
        ValueError: it is not the base64 that it claims to be.
    """
    body = result.get("body")
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body)
    return base64.b64decode(text, validate=True) if result.get("isBase64Encoded") else text.encode()
