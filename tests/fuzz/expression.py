"""Bytes become a text, which must become an expression with the same meaning, or an error."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from deploy.errors import SettingsError
from deploy.expression import Joined, expression, literal_size
from deploy.expression.intrinsics import INTRINSICS, checked
from tests.robustness.draw import BytesDraw, pick

VALUES: Mapping[str, Any] = {
    "name": "hello",
    "count": 7,
    "odd": '{{ name }} {"Ref": "X"} ${Y} "\\\n',
    "brace": "{",
    "zone": {"Ref": "AWS::Region"},
    "zones": {"Fn::GetAZs": ""},
    "_a1": "",
}
SNIPPETS = (
    *(f"{{{{ {name} }}}}" for name in (*VALUES, "unknown", ".name")),
    '{{ "{{" }}',
    '{{ "{" }}',
    '{{ "\\ud800" }}',
    "{{resolve:ssm:/a:1}}",
    "{{",
    "}}",
    "{",
    "}",
    "[",
    "]",
    '"',
    "\\",
    ",",
    ":",
    " ",
    "\t",
    "\n",
    "\r\n",
    "0",
    "-1.5e9",
    "NaN",
    "null",
    "true",
    "${X}",
    "${!X}",
    "${#x}",
    "é",
    "\ud800",
    '{"a": 1}',
    '{"Ref": "A", "b": 1}',
    '{"Ref": "A"}',
    '{"Ref": "{{ name }}"}',
    '{"Fn::GetAtt": ["A", "B.C"]}',
    '{"Fn::GetAtt": "A.B"}',
    '{"Fn::Sub": "${A} {{ odd }}"}',
    '{"Fn::Sub": ["${A}", {"A": {"Ref": "B"}}]}',
    '{"Fn::Select": [0, {"Fn::GetAZs": ""}]}',
    *(f'{{"{name}": ' for name in INTRINSICS),
)
_WHERE = re.compile(r"fuzzed, line (\d+): .").match
_LINE = re.compile(r"[^\n]*\n|[^\n]+").fullmatch


def check(given: bytes) -> None:
    """Raises AssertionError with what does not hold."""
    text = text_of(given)
    _check_literal(text)
    given_up = _problem(text)
    if given_up is not None:
        _check_error(given_up, text)
        return
    joined = expression(text, VALUES, "fuzzed")
    _check_form(joined)
    _check_said_again(joined)
    if "{{" not in text and '{"' not in text:
        assert expression(text, {})["Fn::Join"][1] == joined["Fn::Join"][1]
    if not re.search(r'\{\{|\{[ \t]*"', text):
        assert _literal(joined) == text


def shown(given: bytes) -> str:
    """The text."""
    return ascii(text_of(given))


def text_of(given: bytes) -> str:
    """Snippets and free text, as the bytes decide."""
    draw, parts = BytesDraw(given), []
    while not draw.spent:
        parts.append(pick(draw, SNIPPETS) if draw.below(4) else draw.text())
    return "".join(parts)


def _problem(text: str) -> str | None:
    try:
        expression(text, VALUES, "fuzzed")
    except SettingsError as error:
        return str(error)
    return None


def _check_error(message: str, text: str) -> None:
    """It names a line that the text has."""
    found = _WHERE(message)
    assert found, message
    assert 1 <= int(found[1]) <= text.count("\n") + 1, message


def _check_literal(text: str) -> None:
    """A text that is escaped, or is a value, is nothing but itself."""
    assert _literal(expression(_escaped(text), {})) == text
    try:
        given = expression("{{ text }}", {"text": text})
    except SettingsError:
        assert "{{resolve:" in text
    else:
        assert _literal(given) == text


def _check_form(joined: Joined) -> None:
    separator, parts = joined["Fn::Join"]
    assert list(joined) == ["Fn::Join"]
    assert separator == ""
    assert parts
    for part in parts:
        if isinstance(part, str):
            assert part == "" or _LINE(part), part
        else:
            assert next(iter(part)) in INTRINSICS, part
            assert checked(part) == part
    assert literal_size(joined) >= 0
    json.dumps(joined)


def _check_said_again(joined: Joined) -> None:
    """What the parts say, written as a text, is the same expression."""
    parts = joined["Fn::Join"][1]
    text = "".join(
        _escaped(part) if isinstance(part, str) else json.dumps(_quoted(part)) for part in parts
    )
    again = expression(text, {})
    assert _merged(again["Fn::Join"][1]) == _merged(parts), text


def _merged(parts: list[Any]) -> list[Any]:
    """Neighbouring literals as one: a line may end where an intrinsic stood."""
    merged: list[Any] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        elif part != "":
            merged.append(part)
    return merged


def _escaped(text: str) -> str:
    return text.replace("{", '{{ "{" }}')


def _quoted(value: Any) -> Any:
    """The JSON whose strings stand for what they are."""
    if isinstance(value, str):
        return _escaped(value)
    if isinstance(value, list):
        return [_quoted(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _quoted(entry) for key, entry in value.items()}
    return value


def _literal(joined: Joined) -> str:
    return "".join(joined["Fn::Join"][1])
