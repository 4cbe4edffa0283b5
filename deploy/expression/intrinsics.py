"""CloudFormation's intrinsic functions as JSON values: which there are, what each takes.

Source: CloudFormation Template Reference, "Intrinsic function reference". Functions that
may stand only under Conditions (Fn::Equals ...) or instead of resources (Fn::ForEach)
are left out. Fn::ToJsonString and Fn::Length need the template's transform
AWS::LanguageExtensions.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

Piece = str | dict[str, Any]
"""Literal text, or an intrinsic."""
Test = Callable[[object], bool]


_FUNCTION = re.compile(r"Ref$|Fn::")


@dataclass(frozen=True)
class Intrinsic:
    """What a function takes, in words and as a test; whether it gives a list."""

    takes: str
    test: Test
    gives_list: bool = False


def is_intrinsic(value: object) -> bool:
    """An object with one key, which is exactly an intrinsic's name."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in INTRINSICS


def checked(value: Any) -> Any:
    """The value with every intrinsic in it known, well formed and in its list form.

    Raises:
        ValueError: an intrinsic is unknown or malformed; says which and what it takes.
    """
    if isinstance(value, list):
        return [checked(entry) for entry in value]
    if not isinstance(value, Mapping):
        return value
    if len(value) == 1 and _FUNCTION.match(next(iter(value))):
        return _checked_intrinsic(*next(iter(value.items())))
    return {key: checked(entry) for key, entry in value.items()}


def as_text(piece: Piece) -> Piece:
    """The same, which may stand in text.

    Raises:
        ValueError: it is an intrinsic that gives a list.
    """
    if isinstance(piece, dict) and INTRINSICS[next(iter(piece))].gives_list:
        raise ValueError(f"{json.dumps(piece)} gives a list; use Fn::Select or Fn::Join on it")
    return piece


def _checked_intrinsic(name: str, operand: Any) -> dict[str, Any]:
    if name not in INTRINSICS:
        raise ValueError(f"{name} is unknown; known are {', '.join(INTRINSICS)}")
    operand = checked(operand)
    if not INTRINSICS[name].test(operand):
        shown = json.dumps({name: operand})
        raise ValueError(f"{shown} is malformed; {name} takes {INTRINSICS[name].takes}")
    if name == "Fn::GetAtt" and isinstance(operand, str):
        operand = operand.split(".", 1)
    return {name: operand}


def _string(value: object) -> bool:
    return isinstance(value, str)


def _name(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _text(value: object) -> bool:
    return isinstance(value, str) or is_intrinsic(value)


def _whole(value: object) -> bool:
    return _text(value) or (isinstance(value, int) and not isinstance(value, bool))


def _list(value: object) -> bool:
    return isinstance(value, list) or is_intrinsic(value)


def _map(value: object) -> bool:
    return isinstance(value, Mapping)


def _anything(_: object) -> bool:
    return True


def _default(value: object) -> bool:
    return isinstance(value, Mapping) and set(value) == {"DefaultValue"}


def _dotted(value: object) -> bool:
    return isinstance(value, str) and all(value.partition("."))


def _macro(value: object) -> bool:
    return isinstance(value, Mapping) and _name(value.get("Name"))


def _either(*tests: Test) -> Test:
    return lambda value: any(test(value) for test in tests)


def _row(*tests: Test) -> Test:
    """A list of as many entries as tests, each passing its own."""

    def test_row(value: object) -> bool:
        if not isinstance(value, list) or len(value) != len(tests):
            return False
        return all(test(entry) for test, entry in zip(tests, value, strict=True))

    return test_row


INTRINSICS: Mapping[str, Intrinsic] = MappingProxyType(
    {
        "Ref": Intrinsic("a name", _name),
        "Fn::GetAtt": Intrinsic(
            'a list of resource and attribute or "RESOURCE.ATTRIBUTE"',
            _either(_dotted, _row(_name, _text)),
        ),
        "Fn::Sub": Intrinsic(
            "text or a list of text and variables", _either(_string, _row(_string, _map))
        ),
        "Fn::ImportValue": Intrinsic("the name of an export", _text),
        "Fn::Select": Intrinsic("a list of index and list", _row(_whole, _list)),
        "Fn::FindInMap": Intrinsic(
            "a list of map, first key and second key",
            _either(_row(_text, _text, _text), _row(_text, _text, _text, _default)),
        ),
        "Fn::Join": Intrinsic("a list of separator and list", _row(_string, _list)),
        "Fn::If": Intrinsic(
            "a list of condition, value if true, value if false", _row(_name, _anything, _anything)
        ),
        "Fn::Base64": Intrinsic("text", _text),
        "Fn::Transform": Intrinsic("an object with the macro's Name", _macro),
        "Fn::ToJsonString": Intrinsic("an object or a list", _either(_map, _list)),
        "Fn::Length": Intrinsic("a list", _list),
        "Fn::Split": Intrinsic("a list of separator and text", _row(_name, _text), True),
        "Fn::GetAZs": Intrinsic("a region, empty for the stack's own", _text, True),
        "Fn::Cidr": Intrinsic(
            "a list of range, count and host bits",
            _either(_row(_text, _whole), _row(_text, _whole, _whole)),
            True,
        ),
    }
)
