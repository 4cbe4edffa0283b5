"""A file of curl lines -> requests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from deploy.parity.curl_options import ALONE, SHORT, WITH_VALUE, Draft, Read, authorize
from deploy.parity.request import (
    Headers,
    Request,
    brief,
    host_of,
    refuse_unsendable,
    target_of,
    user_of,
    without_own,
)
from deploy.parity.words import Command, commands


def requests_in(content: bytes, file: str, read: Read, problems: list[str]) -> tuple[Request, ...]:
    """A request for each `curl` in the file; a sentence in `problems` for each that is none.

    Args:
        read: gives what stands in the files that `-d @FILE` names.
    """
    found = []
    for command in commands(content.decode("latin-1")):
        where = f"{file}:{command.line}"
        try:
            found.append(_request(command, where, read))
        except ValueError as error:
            problems.append(f"{where}: {error}.")
    return tuple(found)


def _request(command: Command, where: str, read: Read) -> Request:
    if command.problem:
        raise ValueError(command.problem)
    if command.words[0] != "curl":
        word = brief(command.words[0])
        raise ValueError(f"{word!r} is no request; expected a line like: curl /healthz")
    draft = Draft(read)
    _apply(draft, command.words[1:])
    if len(draft.urls) != 1:
        raise ValueError(f"{len(draft.urls)} URLs; expected one, as in: curl /healthz")
    url = draft.urls[0]
    if user := user_of(url):
        authorize(draft, unquote(user, "latin-1"))
    headers, host = _headers(draft), host_of(url)
    made = Request(_method(draft), _target(draft), headers, _body(draft), where, host)
    refuse_unsendable(made)
    return made


def _apply(draft: Draft, words: Sequence[str]) -> None:
    left = iter(words)
    for word in left:
        if word.startswith("--") and word != "--":
            _apply_one(draft, word, word, "", left)
        elif word.startswith("-") and word not in ("-", "--"):
            _apply_letters(draft, word, left)
        elif word != "--":
            draft.urls.append(word)


def _apply_letters(draft: Draft, word: str, left: Iterator[str]) -> None:
    """`-sSXPOST` is -s, -S and -X with the rest of the word."""
    for at, letter in enumerate(word[1:], start=2):
        name = SHORT.get(letter, "")
        _apply_one(draft, name, f"-{letter}", word[at:], left)
        if name in WITH_VALUE:
            return


def _apply_one(draft: Draft, name: str, typed: str, attached: str, left: Iterator[str]) -> None:
    if name in ALONE:
        ALONE[name](draft, "")
    elif name in WITH_VALUE:
        value = attached or next(left, None)
        if value is None:
            raise ValueError(f"{typed} wants a value after it")
        WITH_VALUE[name](draft, value)
    else:
        raise ValueError(
            f"curl's {typed} is not understood here; "
            "leave it out, or pass the request in a HAR file"
        )


def _method(draft: Draft) -> str:
    if draft.method or draft.head:
        return draft.method or "HEAD"
    return "GET" if draft.body is None or draft.get else "POST"


def _target(draft: Draft) -> str:
    target = target_of(draft.urls[0])
    if draft.get and draft.body is not None:
        target += ("&" if "?" in target else "?") + draft.body.decode("latin-1")
    return target


def _body(draft: Draft) -> bytes:
    return b"" if draft.get else draft.body or b""


def _headers(draft: Draft) -> Headers:
    said = {name.lower() for name, _ in draft.headers} | draft.taken_back
    implied: dict[str, str] = {}
    for name, value in draft.implied:
        if name.lower() not in said and not (draft.get and name == "Content-Type"):
            implied.setdefault(name, value)
    return without_own((*draft.headers, *implied.items()))
