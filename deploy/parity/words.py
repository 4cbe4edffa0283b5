"""Text -> commands -> words, as a POSIX shell splits them, and nothing that a shell would run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# Not \s: in text whose characters are bytes, that takes the end of a UTF-8 "\u00e0" for a blank.
_BLANK = r"\x20\t\r\n"
_SEPARATOR = rf"(?:;|&&?)(?=[{_BLANK}]|$)"
# An `&` or `;` inside a word is part of it: an unquoted query string is what was meant.
_TOKEN = re.compile(
    rf"""
    (?P<continuation> \\\r?\n )
  | (?P<blank>        [ \t\r]+ )
  | (?P<end>          \n | {_SEPARATOR} )
  | '(?P<single>      [^']* )'
  | "(?P<double>      [^"\\]*+(?:\\.[^"\\]*+)*+ )"
  | \$'(?P<ansi>      [^'\\]*+(?:\\.[^'\\]*+)*+ )'
  | (?P<unclosed>     \$?['"] )
  | (?P<windows>      \^" )
  | (?P<expansion>    \$(?=[A-Za-z0-9_{{(]) | ` )
  | (?P<operator>     [|<>] )
  | \\(?P<escaped>    . )
  | (?P<plain>        \$ | (?:(?!{_SEPARATOR}|\^")[^{_BLANK}'"\\$`|<>])+ )
  | (?P<stray>        . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BREAKS = ("blank", "continuation", "end")
_COMMENT = re.compile(r"#[^\n]*")
_REST_OF_LINE = re.compile(r"[^\n]*")
_IN_DOUBLE = re.compile(r'\\(\r?\n|["\\$`])', re.DOTALL)
_LITERAL = re.compile(r"(?:\\.|[^\\$`]|\$(?![A-Za-z0-9_{(]))*", re.DOTALL)
_ANSI = re.compile(
    r"\\(?:x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})|c(.)|(.))",
    re.DOTALL,
)
# The escapes that Python gives the same meaning; it undoes them all at once, of millions.
_PLAIN_ANSI = re.compile(r"[^\\]*+(?:\\(?:x[0-9A-Fa-f]{2}|[\\'\"abfnrtv])[^\\]*+)*+")
_ANSI_NAMED = dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True))
_PROBLEMS = {
    "unclosed": "a quote is opened and never closed",
    "windows": "this was copied for Windows' cmd; copy it as cURL for bash instead",
    "expansion": "nothing is expanded here; put what holds $ or ` between single quotes",
    "operator": "|, < and > mean nothing here; leave them out, or quote them if they are meant",
    "stray": "a backslash ends the file",
}


@dataclass
class Command:
    """The words of one command and its line, from 1; with a `problem`, there may be fewer."""

    line: int
    words: list[str] = field(default_factory=list)
    problem: str = ""


def commands(text: str) -> Iterator[Command]:
    """Every command in the text, those with a problem too; comments and empty lines are none.

    Quoting is bash's: '...', "...", $'...' and backslashes (Bash Reference Manual, Quoting),
    so a browser's "Copy as cURL" is understood.
    """
    command, word = Command(0), None
    for kind, found, at in _tokens(text):
        if kind in _BREAKS:
            command.words += [] if word is None else [word]
            word = None
        elif problem := _problem(kind, found):
            command.problem, word = problem, None
        else:
            word = (word or "") + _unquoted(kind, found)
        if not command.line and (word is not None or command.problem):
            command.line = text.count("\n", 0, at) + 1
        if kind == "end" and command.line:
            yield command
            command = Command(0)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and place of each token; what follows a problem in its line is left out."""
    at, kind = 0, "end"
    while at < len(text):
        if kind in _BREAKS and (comment := _COMMENT.match(text, at)):
            at = comment.end()
            continue
        token = _TOKEN.match(text, at)
        assert token is not None  # noqa: S101  the last alternative takes any character
        kind = str(token.lastgroup)
        yield kind, token[kind], at
        at = token.end()
        if kind == "unclosed":
            break
        if _problem(kind, token[kind]):
            at = _end_of_line(text, at)
    yield "end", "", at


def _problem(kind: str, found: str) -> str:
    if kind == "double" and not _LITERAL.fullmatch(found):
        return _PROBLEMS["expansion"]
    return _PROBLEMS.get(kind, "")


def _end_of_line(text: str, at: int) -> int:
    rest = _REST_OF_LINE.match(text, at)
    return rest.end() if rest else at


def _unquoted(kind: str, found: str) -> str:
    if kind == "double":
        return _IN_DOUBLE.sub(lambda m: "" if m[1].endswith("\n") else m[1], found)
    if kind != "ansi":
        return found
    if _PLAIN_ANSI.fullmatch(found):
        return found.encode("latin-1").decode("unicode_escape")
    return _ANSI.sub(_ansi, found)


def _ansi(escape: re.Match[str]) -> str:
    byte, short, long, octal, control, named = escape.groups()
    if byte or octal:
        return chr(int(byte, 16) if byte else int(octal, 8) & 0xFF)
    if short or long:
        # Bash writes the character in the locale's encoding; here that is UTF-8.
        return chr(int(short or long, 16)).encode("utf-8", "replace").decode("latin-1")
    if control:
        return chr(ord(control) & 0x1F)
    return _ANSI_NAMED.get(named, named if named in "\\'\"?" else f"\\{named}")
