"""Text into one CloudFormation expression: what a script cannot know until provisioning.

In the text stand
- `{{ name }}`, replaced at build time by a value (`{{ .name }}` is the same);
- an intrinsic function as JSON on a single line, such as `{"Ref": "AWS::Region"}` or
  `{"Fn::GetAtt": ["{{ database }}", "Endpoint.Address"]}`, evaluated at provision time;
- `{{ "text" }}`, a JSON string that gives just this text: the escape. `{{ "{{" }}` is a
  literal `{{`, and `{{ "{" }}"Ref": "X"}` is the text `{"Ref": "X"}`;
- `{{resolve:ssm:...}}`, CloudFormation's own dynamic reference, left as it is.
Everything else stays byte for byte: blank lines, CRLF, `${VAR}` and `${#x}` of the shell,
JSON that is no intrinsic (another key, several keys, several lines).

A value that is text is literal, never searched for intrinsics: what comes from a setting
cannot smuggle one in. To insert an intrinsic, give one as the value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from deploy.errors import SettingsError
from deploy.expression.intrinsics import Piece, as_text, checked
from deploy.expression.placeholder import Value, filled, placeholder, shown

Joined = dict[str, list[Any]]
"""{"Fn::Join": ["", PARTS]}, for a template of any kind."""

# Amazon EC2 User Guide, "Run commands when you launch an EC2 instance": before encoding.
USER_DATA_LIMIT = 16 * 1024

_FUNCTION = re.compile(r'\{[ \t]*"(?:Ref|Fn::[^"\\\r\n]*)"[ \t]*:')
_OPENING = re.compile(r'\{(?=\{|[ \t]*")')


def expression(text: str, values: Mapping[str, Value], source: str = "text") -> Joined:
    """One Fn::Join whose value is the text with its names and intrinsics resolved.

    Args:
        values: what `{{ name }}` stands for: text, a whole number or an intrinsic.
        source: what messages call the text, such as a path.

    Raises:
        SettingsError: a name is unknown, a `{{` has no meaning, an intrinsic is unknown or
            malformed or gives a list; says the line.
    """
    parts: list[Any] = []
    literal = ""
    for piece in _pieces(text, values, source):
        if isinstance(piece, str):
            literal += piece
        else:
            parts += [*_lines(literal), piece]
            literal = ""
    return {"Fn::Join": ["", [*parts, *_lines(literal)] or [""]]}


def user_data(text: str, values: Mapping[str, Value], source: str) -> Joined:
    """`expression`, checked against what EC2 takes as user data.

    Raises:
        SettingsError: as expression does, and if the literal text alone is too long. What
            intrinsics resolve to is not known here and comes on top.
    """
    joined = expression(text, values, source)
    size = literal_size(joined)
    if size > USER_DATA_LIMIT:
        raise SettingsError(
            f"{source} has {size:,} bytes without its intrinsics; EC2 takes at most "
            f"{USER_DATA_LIMIT:,} as user data. Move work into ops/, which is in the artifact."
        )
    return joined


def literal_size(joined: Joined) -> int:
    """The bytes of the literal parts, in UTF-8: the least that the result can have."""
    parts = joined["Fn::Join"][1]
    return sum(
        len(part.encode("utf-8", "surrogatepass")) for part in parts if isinstance(part, str)
    )


def _lines(literal: str) -> list[str]:
    """A part for each line: the template reads, and differs, line by line."""
    return re.findall(r"[^\n]*\n|[^\n]+", literal)


def _pieces(text: str, values: Mapping[str, Value], source: str) -> Iterator[Piece]:
    at = 0
    while opening := _OPENING.search(text, at):
        yield text[at : opening.start()]
        try:
            piece, at = _piece(text, opening.start(), values)
            yield as_text(piece)
        except (ValueError, RecursionError) as problem:
            line = text.count("\n", 0, opening.start()) + 1
            raise SettingsError(f"{source}, line {line}: {problem}.") from None
    yield text[at:]


def _piece(text: str, at: int, values: Mapping[str, Value]) -> tuple[Piece, int]:
    """What starts at the brace, and where it ends."""
    if text.startswith("{{", at):
        return placeholder(text, at, values)
    if not _FUNCTION.match(text, at):
        return "{", at + 1
    parsed, length = _parsed(text[at:].partition("\n")[0])
    if len(parsed) > 1:
        return "{", at + 1
    return dict(checked(filled(parsed, values))), at + length


def _parsed(line: str) -> tuple[dict[str, Any], int]:
    try:
        return _DECODER.raw_decode(line)
    except ValueError as error:
        raise ValueError(
            f"{shown(line)} begins like an intrinsic but is not JSON on one line ({error}); "
            """write {{ "{" }} for a literal brace"""
        ) from None


def _no_repeated_key(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError(f"a key is repeated: {', '.join(key for key, _ in pairs)}")
    return dict(pairs)


def _no_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_repeated_key, parse_constant=_no_constant)
