"""Forms with files (RFC 7578), as `curl -F` writes them, but for the boundary."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePath

# Which types curl tells by a file's name; the curl man page, --form.
_TYPES = {
    ".gif": "image/gif",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".htm": "text/html",
    ".html": "text/html",
    ".pdf": "application/pdf",
    ".xml": "application/xml",
}


@dataclass(frozen=True)
class Part:
    """One field; a file if it has a file name."""

    name: str
    content: bytes
    filename: str = ""
    type: str = ""


def part(text: str, read: Callable[[str], bytes]) -> Part:
    """The field that NAME=VALUE, NAME=@FILE or NAME=<FILE says, with ;type= and ;filename=.

    Raises:
        ValueError: it says none of these.
    """
    name, equals, rest = text.partition("=")
    if not equals or not name:
        raise ValueError("-F wants a form like -F 'name=value' or -F 'name=@file'")
    value, *said = rest.split(";")
    more = dict(one.strip().partition("=")[::2] for one in said)
    if unknown := more.keys() - {"type", "filename"}:
        raise ValueError(f"-F: ;{min(unknown)} is not understood here, only ;type= and ;filename=")
    media = more.get("type", "")
    if value.startswith("@"):
        path = PurePath(value[1:])
        filename = more.get("filename", path.name)
        guessed = _TYPES.get(path.suffix.lower(), "application/octet-stream")
        return Part(name, read(value[1:]), filename, media or guessed)
    content = read(value[1:]) if value.startswith("<") else value.encode("latin-1")
    return Part(name, content, more.get("filename", ""), media)


def encoded(parts: Sequence[Part]) -> tuple[str, bytes]:
    """Content type and body; the boundary is of the content, so equal forms are equal bytes."""
    boundary = f"------------------------{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"
    lines = b"".join(
        f"--{boundary}\r\n{_heading(one)}\r\n".encode("latin-1") + one.content + b"\r\n"
        for one in parts
    )
    return f"multipart/form-data; boundary={boundary}", lines + f"--{boundary}--\r\n".encode()


def _heading(one: Part) -> str:
    filename = f'; filename="{_quoted(one.filename)}"' if one.filename else ""
    media = f"Content-Type: {one.type}\r\n" if one.type else ""
    return f'Content-Disposition: form-data; name="{_quoted(one.name)}"{filename}\r\n{media}'


def _quoted(text: str) -> str:
    """As browsers escape it (WHATWG HTML, multipart/form-data encoding algorithm)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
