"""A HAR file, as a browser's network panel saves it -> requests.

HTTP Archive (HAR) format 1.2, sections "request" and "postData".
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import urlencode

from deploy.parity.request import (
    Headers,
    Request,
    host_of,
    refuse_unsendable,
    target_of,
    without_own,
)


def is_har(content: bytes) -> bool:
    """JSON begins otherwise than any line of curl."""
    return content.lstrip().startswith(b"{")


def requests_in(content: bytes, file: str, problems: list[str]) -> tuple[Request, ...]:
    """A request for each entry that went to a server by HTTP; a sentence for each that is none."""
    try:
        entries = json.loads(content)["log"]["entries"]
        if not isinstance(entries, list):
            raise TypeError
    except (ValueError, KeyError, TypeError, RecursionError):
        problems.append(f"{file}: JSON, but no HAR file; expected an object with log.entries.")
        return ()
    found = []
    for number, entry in enumerate(entries, start=1):
        where = f"{file}: entry {number}"
        try:
            if _went_out(entry):
                found.append(_request(entry["request"], where))
        except ValueError as error:
            problems.append(f"{where}: {error}.")
        except (KeyError, TypeError, AttributeError) as error:
            problems.append(f"{where}: not a request as HAR 1.2 has it ({error!r}).")
    return tuple(found)


def _went_out(entry: dict[str, Any]) -> bool:
    """Browsers also list what they took from a page itself, and web sockets."""
    return not re.match(r"(data|blob|about|file|wss?|[a-z-]+-extension):", entry["request"]["url"])


def _request(said: dict[str, Any], where: str) -> Request:
    headers = tuple((_latin(one["name"]), _latin(one["value"])) for one in said["headers"])
    url = said["url"].encode().decode("latin-1")
    body = _body(said.get("postData") or {})
    made = Request(said["method"], target_of(url), _as_sent(headers), body, where, host_of(url))
    refuse_unsendable(made)
    return made


def _latin(text: str) -> str:
    """Browsers show a header's bytes as latin-1; what cannot be that is UTF-8."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode().decode("latin-1")
    return text


def _as_sent(headers: Headers) -> Headers:
    """Without the pseudo-headers of HTTP/2 (RFC 9113, section 8.3), which begin with a colon."""
    return without_own(tuple(pair for pair in headers if not pair[0].startswith(":")))


def _body(posted: dict[str, Any]) -> bytes:
    text = posted.get("text") or ""
    if posted.get("encoding") == "base64":
        return base64.b64decode(text, validate=True)
    if text or not posted.get("params"):
        return str(text).encode()
    if "urlencoded" not in posted.get("mimeType", ""):
        raise ValueError("the body is given as parameters only; its bytes cannot be told from them")
    return urlencode([(one["name"], one.get("value", "")) for one in posted["params"]]).encode()
