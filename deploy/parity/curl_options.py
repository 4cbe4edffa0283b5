"""The options of curl that say what is sent, and those that only say what curl does with it.

The meaning of each is the curl man page's.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus

from deploy.parity.multipart import Part, encoded, part
from deploy.parity.request import brief

Read = Callable[[str], bytes]
"""A file's name -> its content.

Raises:
    ValueError: it cannot be read.
"""


@dataclass
class Draft:
    """What the options of one command have said so far.

    `implied` headers, by other options than -H, are sent after `headers`, unless one of that
    name is given, or taken back by 'Name:'.
    """

    read: Read
    urls: list[str] = field(default_factory=list)
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    implied: list[tuple[str, str]] = field(default_factory=list)
    taken_back: set[str] = field(default_factory=set)
    body: bytes | None = None
    parts: list[Part] = field(default_factory=list)
    head: bool = False
    get: bool = False


Effect = Callable[[Draft, str], None]


def _header(draft: Draft, text: str) -> None:
    name, colon, value = text.partition(":")
    if not colon and text.endswith(";"):
        draft.headers.append((text[:-1], ""))
    elif not colon or not name:
        raise ValueError(f"header {brief(text)!r}; expected a form like 'Accept: text/plain'")
    elif value.strip(" \t"):
        draft.headers.append((name, value.strip(" \t")))
    else:
        draft.taken_back.add(name.lower())


def _named(name: str) -> Effect:
    return lambda draft, value: draft.implied.append((name, value)) if value else None


def _cookie(draft: Draft, text: str) -> None:
    if "=" not in text:
        raise ValueError(f"-b {brief(text)!r} is a file of cookies; write them as -b 'name=value'")
    before = [value for name, value in draft.implied if name == "Cookie"]
    draft.implied = [pair for pair in draft.implied if pair[0] != "Cookie"]
    draft.implied.append(("Cookie", "; ".join((*before, text))))


def authorize(draft: Draft, text: str) -> None:
    """'NAME:PASSWORD', of -u or of the URL; the first that is said counts."""
    encoded = base64.b64encode(text.encode("latin-1")).decode()
    draft.implied.append(("Authorization", f"Basic {encoded}"))


def _bearer(draft: Draft, token: str) -> None:
    draft.implied.append(("Authorization", f"Bearer {token}"))


def _append(draft: Draft, content: bytes, between: bytes = b"&") -> None:
    if draft.parts:
        raise ValueError("-F and -d are two kinds of body; leave one of them out")
    draft.body = content if draft.body is None else draft.body + between + content
    draft.implied.append(("Content-Type", "application/x-www-form-urlencoded"))


def _data_of(draft: Draft, text: str) -> None:
    if not text.startswith("@"):
        return _append(draft, text.encode("latin-1"))
    return _append(draft, draft.read(text[1:]).translate(None, b"\r\n\0"))


def _binary(draft: Draft, text: str) -> None:
    _append(draft, _content(draft, text))


def _raw(draft: Draft, text: str) -> None:
    _append(draft, text.encode("latin-1"))


def _urlencoded(draft: Draft, text: str) -> None:
    at = min((text.index(mark) for mark in "=@" if mark in text), default=-1)
    name, mark, value = (text[:at], text[at], text[at + 1 :]) if at >= 0 else ("", "", text)
    content = draft.read(value) if mark == "@" else value.encode("latin-1")
    encoded = quote_plus(content, safe="")
    _append(draft, (f"{name}={encoded}" if name else encoded).encode("latin-1"))


def _json(draft: Draft, text: str) -> None:
    draft.implied += [("Content-Type", "application/json"), ("Accept", "application/json")]
    _append(draft, _content(draft, text), b"")


def _form(draft: Draft, text: str) -> None:
    if draft.body is not None and not draft.parts:
        raise ValueError("-F and -d are two kinds of body; leave one of them out")
    draft.parts.append(part(text, draft.read))
    media, draft.body = encoded(draft.parts)
    draft.implied = [pair for pair in draft.implied if pair[0] != "Content-Type"]
    draft.implied.append(("Content-Type", media))


def _content(draft: Draft, text: str) -> bytes:
    return draft.read(text[1:]) if text.startswith("@") else text.encode("latin-1")


def _range(draft: Draft, text: str) -> None:
    draft.implied.append(("Range", f"bytes={text}"))


def _compressed(draft: Draft, _: str) -> None:
    draft.implied.append(("Accept-Encoding", "deflate, gzip"))


def _method(draft: Draft, method: str) -> None:
    draft.method = method


def _head(draft: Draft, _: str) -> None:
    draft.head = True


def _get(draft: Draft, _: str) -> None:
    draft.get = True


def _url(draft: Draft, url: str) -> None:
    draft.urls.append(url)


def _nothing(_draft: Draft, _value: str) -> None:
    """It says what curl does with the answer, or how it connects."""


WITH_VALUE: dict[str, Effect] = {
    "--request": _method,
    "--header": _header,
    "--data": _data_of,
    "--data-ascii": _data_of,
    "--data-binary": _binary,
    "--data-raw": _raw,
    "--data-urlencode": _urlencoded,
    "--json": _json,
    "--form": _form,
    "--user": authorize,
    "--oauth2-bearer": _bearer,
    "--cookie": _cookie,
    "--user-agent": _named("User-Agent"),
    "--referer": _named("Referer"),
    "--url": _url,
    "--range": _range,
    **dict.fromkeys(
        (
            *("--output", "--write-out", "--dump-header", "--cookie-jar", "--max-redirs"),
            *("--max-time", "--connect-timeout", "--retry", "--retry-delay", "--resolve"),
            *("--cacert", "--proxy", "--noproxy"),
        ),
        _nothing,
    ),
}
ALONE: dict[str, Effect] = {
    "--head": _head,
    "--get": _get,
    "--compressed": _compressed,
    **dict.fromkeys(
        (
            *("--insecure", "--silent", "--show-error", "--include", "--verbose", "--fail"),
            *("--location", "--no-buffer", "--globoff", "--path-as-is", "--progress-bar"),
            *("--http1.1", "--http2", "--no-keepalive", "--remote-name", "--basic"),
            *("--ipv4", "--ipv6", "--fail-with-body", "--no-progress-meter"),
        ),
        _nothing,
    ),
}
SHORT = {
    "X": "--request",
    "H": "--header",
    "F": "--form",
    "d": "--data",
    "u": "--user",
    "b": "--cookie",
    "A": "--user-agent",
    "e": "--referer",
    "o": "--output",
    "w": "--write-out",
    "m": "--max-time",
    "c": "--cookie-jar",
    "r": "--range",
    "D": "--dump-header",
    "x": "--proxy",
    "4": "--ipv4",
    "6": "--ipv6",
    "I": "--head",
    "G": "--get",
    "k": "--insecure",
    "s": "--silent",
    "S": "--show-error",
    "i": "--include",
    "v": "--verbose",
    "f": "--fail",
    "L": "--location",
    "N": "--no-buffer",
    "g": "--globoff",
    "#": "--progress-bar",
    "O": "--remote-name",
}
