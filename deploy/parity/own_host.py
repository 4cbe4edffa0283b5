"""Answers as if both sides had been asked at the same host. Pure."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from deploy.parity.difference import plain
from deploy.question import Answer

_SAME = "side.invalid"  # a name that no host has (RFC 6761, section 6.4)


def without_own_host(answer: Answer) -> Answer:
    """The answer with a name for both in the place of the host, and the scheme, that was asked.

    Applications make absolute URLs of them, in redirects first of all.
    """
    asked = urlsplit(answer.url)
    origin = f"{asked.scheme}://{asked.netloc}"

    def renamed(text: str) -> str:
        return text.replace(origin, f"http://{_SAME}").replace(asked.netloc, _SAME)

    headers = tuple((name, renamed(value)) for name, value in answer.headers)
    body = renamed(plain(answer).decode("latin-1")).encode("latin-1")
    return replace(answer, headers=headers, body=body)
