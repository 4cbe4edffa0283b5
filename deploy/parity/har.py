"""A HAR file, as a browser's network panel saves it -> requests.

HTTP Archive (HAR) format 1.2, sections "request" and "postData".
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from deploy.parity.hosts import is_named
from deploy.parity.request import (
    Headers,
    Request,
    host_of,
    refuse_unsendable,
    target_of,
    without_own,
)

T = TypeVar("T")

_KINDS: dict[type, str] = {str: "text", list: "a list", dict: "an object"}
_REMEDY = (
    "If it went to another host, name the service's by --host; "
    "else take the entry out, or copy it as cURL."
)


def is_har(content: bytes) -> bool:
    """JSON begins otherwise than any line of curl."""
    return content.lstrip().startswith(b"{")


def requests_in(
    content: bytes, file: str, wanted: Sequence[str], problems: list[str]
) -> tuple[Request, ...]:
    """A request for each entry that went to a server by HTTP; a sentence for each that is none.

    Args:
        wanted: hosts. Where there are any, an entry that names another one is not judged, and
            of its request there is only the host.
    """
    try:
        entries = _entries(content)
    except ValueError as error:
        problems.append(f"{file}: {error}.")
        return ()
    found: list[Request] = []
    before = len(problems)
    for number, entry in enumerate(entries, start=1):
        where = f"{file}: entry {number}"
        try:
            found += _requests(entry, where, wanted)
        except ValueError as error:
            problems.append(f"{where}: {error}. {_REMEDY}")
    if not found and len(problems) == before:
        problems.append(
            f"{file}: no request by HTTP. "
            "Use the page with the network panel open, and save it then."
        )
    return tuple(found)


def _entries(content: bytes) -> list[Any]:
    try:
        log = json.loads(content.decode())
    except UnicodeDecodeError as error:
        place = _place(content[: error.start].decode())
        raise ValueError(f"no JSON: {place} is not UTF-8; save the HAR file again") from None
    except json.JSONDecodeError as error:
        place = _place(error.doc[: error.pos])
        raise ValueError(f"no JSON from {place} on; save the HAR file again") from None
    except RecursionError:
        raise ValueError("no HAR file; it is nested too deeply") from None
    try:
        return _field(_field(log, "log", dict), "log.entries", list)
    except ValueError:
        raise ValueError("JSON, but no HAR file; expected an object with log.entries") from None


def _place(before: str) -> str:
    """As an editor counts."""
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"


def _field(holder: Any, path: str, kind: type[T]) -> T:
    """What the object has by the last name of the path."""
    value = holder.get(path.rpartition(".")[2]) if isinstance(holder, dict) else None
    if not isinstance(value, kind):
        raise ValueError(f"its {path} is not {_KINDS[kind]}, as HAR 1.2 has it")
    return value


def _optional(holder: dict[str, Any], path: str) -> str:
    return "" if holder.get(path.rpartition(".")[2]) is None else _field(holder, path, str)


def _requests(entry: Any, where: str, wanted: Sequence[str]) -> tuple[Request, ...]:
    """The one request, or none."""
    said = _field(entry, "request", dict)
    url = _bytes(_field(said, "request.url", str)).decode("latin-1")
    if not _went_out(url):
        return ()
    host = host_of(url)
    if wanted and host and not any(is_named(host, name) for name in wanted):
        return (Request("GET", "/", where=where, host=host),)
    method = _field(said, "request.method", str)
    made = Request(method, target_of(url), _headers(said), _body(said), where, host)
    refuse_unsendable(made)
    return (made,)


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError("half of a surrogate pair stands in it, which is no character") from None


def _went_out(url: str) -> bool:
    """Browsers also list what they took from a page or from themselves, and web sockets."""
    return not re.match(r"(?!https?:)[a-z][a-z0-9+.-]*:(?![0-9])", url, re.IGNORECASE)


def _headers(said: dict[str, Any]) -> Headers:
    """Without the pseudo-headers of HTTP/2 (RFC 9113, section 8.3), which begin with a colon."""
    pairs = tuple(
        (
            _latin(_field(one, "request.headers.name", str)),
            _latin(_field(one, "request.headers.value", str)),
        )
        for one in _field(said, "request.headers", list)
    )
    return without_own(tuple(pair for pair in pairs if not pair[0].startswith(":")))


def _latin(text: str) -> str:
    """Browsers show a header's bytes as latin-1; what cannot be that is UTF-8."""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return _bytes(text).decode("latin-1")
    return text


def _body(said: dict[str, Any]) -> bytes:
    if not said.get("postData"):
        return b""
    posted = _field(said, "request.postData", dict)
    text = _optional(posted, "request.postData.text")
    if posted.get("encoding") == "base64":
        return _unpacked(text)
    if text or not posted.get("params"):
        return _bytes(text)
    if "urlencoded" not in str(posted.get("mimeType")):
        raise ValueError("the body is given as parameters only; its bytes cannot be told from them")
    return urlencode(
        [_parameter(one) for one in _field(posted, "request.postData.params", list)]
    ).encode()


def _unpacked(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("its request.postData.text is not base64") from None


def _parameter(said: Any) -> tuple[bytes, bytes]:
    name = _field(said, "request.postData.params.name", str)
    return _bytes(name), _bytes(_optional(said, "request.postData.params.value"))
