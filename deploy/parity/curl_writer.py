"""A request -> the curl line that curl_lines reads back as the same request."""

from __future__ import annotations

import re

from deploy.parity.request import Request

_BARE = re.compile(r"[A-Za-z0-9_./:=@%+,-]+")
_PRINTABLE = re.compile(r"[\x20-\x26\x28-\x7e]*")


def line(request: Request) -> str:
    """One line of ASCII without its end, whatever bytes the request is of.

    Bash reads the same from it, but for NUL bytes, which no program can be given.
    """
    words = ["curl", *_method(request)]
    for name, value in request.headers:
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if request.body:
        if not any(name.lower() == "content-type" for name, _ in request.headers):
            words += ["-H", "Content-Type:"]  # curl would send one of its own
        words += ["--data-raw", request.body.decode("latin-1")]
    return " ".join(quoted(word) for word in (*words, request.target))


def _method(request: Request) -> tuple[str, ...]:
    if request.method == "GET" and not request.body:
        return ()
    if request.method == "HEAD" and not request.body:
        return ("-I",)
    return ("-X", request.method)


def quoted(word: str) -> str:
    """As bash needs it: bare, between single quotes, or as $'...' with escapes."""
    if _BARE.fullmatch(word):
        return word
    if _PRINTABLE.fullmatch(word):
        return f"'{word}'"
    # Python's escapes are among bash's, and a recorded body may have millions of them.
    escaped = word.encode("unicode_escape").decode("ascii").replace("'", "\\'")
    return f"$'{escaped}'"
