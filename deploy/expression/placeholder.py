"""Build-time names: `{{ name }}` in text, and in the strings of an intrinsic's JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from deploy.expression.intrinsics import Piece, as_text, checked, is_intrinsic


class HasDict(Protocol):
    """An intrinsic as an object, such as troposphere's Ref."""

    def to_dict(self) -> Any: ...


Value = str | int | Mapping[str, Any] | HasDict

_STRING = r'"(?:[^"\\\r\n]|\\.)*"'
_PLACEHOLDER = re.compile(
    rf"\{{\{{[ \t]*(?:\.?(?P<name>[A-Za-z_]\w*)|(?P<text>{_STRING}))[ \t]*\}}\}}", re.ASCII
)
_DYNAMIC = re.compile(r"\{\{resolve:[^{}\r\n]+\}\}")


def placeholder(text: str, at: int, values: Mapping[str, Value]) -> tuple[Piece, int]:
    """What the `{{` at this place stands for, and where it ends.

    Raises:
        ValueError: its form or its name is unknown, or the value is of no use.
    """
    if dynamic := _DYNAMIC.match(text, at):
        return dynamic.group(), dynamic.end()
    if not (found := _PLACEHOLDER.match(text, at)):
        raise ValueError(
            f'{shown(text[at:])} is neither {{{{ name }}}} nor {{{{ "text" }}}}; '
            """write {{ "{{" }} for a literal {{"""
        )
    if found["text"] is not None:
        return str(json.loads(found["text"])), found.end()
    return _value(found["name"], values), found.end()


def _value(name: str, values: Mapping[str, Value]) -> Piece:
    if name not in values:
        known = ", ".join(sorted(values)) or "none"
        raise ValueError(f"{{{{ {name} }}}} is unknown; known are {known}")
    value: Any = values[name]
    if hasattr(value, "to_dict"):
        value = value.to_dict()
    if isinstance(value, str) and "{{resolve:" in value:
        raise ValueError(f"the value of {{{{ {name} }}}} holds a dynamic reference: {value}")
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    if not is_intrinsic(value):
        raise ValueError(f"the value of {{{{ {name} }}}} is {value!r}; expected text or intrinsic")
    return dict(checked(value))


def filled(value: Any, values: Mapping[str, Value]) -> Any:
    """The parsed JSON with the `{{ }}` in its strings replaced."""
    if isinstance(value, str):
        return _joined(list(_placeholders(value, values)))
    if isinstance(value, list):
        return [filled(entry, values) for entry in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::Sub"}:
        return {"Fn::Sub": _filled_sub(value["Fn::Sub"], values)}
    return {key: filled(entry, values) for key, entry in value.items()}


def _filled_sub(operand: Any, values: Mapping[str, Value]) -> Any:
    """A value's own `${` is text, so Fn::Sub must not take it for a variable."""
    if isinstance(operand, list) and operand:
        return [_filled_sub(operand[0], values), *filled(operand[1:], values)]
    if not isinstance(operand, str):
        return operand
    return _joined(list(_placeholders(operand, values, lambda text: text.replace("${", "${!"))))


def _placeholders(
    text: str, values: Mapping[str, Value], quote: Callable[[str], str] = str
) -> Iterator[Piece]:
    at = 0
    while (opening := text.find("{{", at)) >= 0:
        yield text[at:opening]
        piece, at = placeholder(text, opening, values)
        yield quote(piece) if isinstance(piece, str) else piece
    yield text[at:]


def _joined(pieces: list[Piece]) -> Piece:
    kept = [piece for piece in pieces if piece != ""]
    if all(isinstance(piece, str) for piece in kept):
        return "".join(map(str, kept))
    first = kept[0]
    return first if len(kept) == 1 else {"Fn::Join": ["", [as_text(piece) for piece in kept]]}


def shown(text: str) -> str:
    """The text's first line, cut to what a message can hold."""
    line = text.partition("\n")[0].rstrip()
    return line if len(line) <= 60 else line[:57] + "..."
