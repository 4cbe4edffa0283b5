"""What a template's parts refer to, and which of that nobody added."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Name = tuple[str, str]
"""The section that a name belongs to ('Resources', 'Conditions', 'Mappings') and the name."""

_SUBSTITUTED = re.compile(r"\$\{([^!}][^}]*)\}")
_SECTION_KINDS = {"Resources": "resource or parameter", "Conditions": "condition"}


def dangling(parts: Iterable[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """A line for each name that a part refers to and no part has.

    Args:
        parts: the name of a decorator and the template it made, as plain values.
    """
    parts = list(parts)
    # A macro may add whatever it likes: what is missing here may come from there.
    if any("Transform" in part for _, part in parts):
        return []
    known = {name for _, part in parts for name in _defined(part)}
    return [
        f"Decorator {decorator!r} refers to the {_SECTION_KINDS.get(section, 'mapping')} "
        f"{name!r}, which no decorator added."
        for decorator, part in parts
        for section, name in dict.fromkeys(_referred(part))
        if (section, name) not in known
    ]


def _defined(part: Mapping[str, Any]) -> Iterator[Name]:
    for section in ("Resources", "Conditions", "Mappings"):
        yield from ((section, name) for name in part.get(section, {}))
    yield from (("Resources", name) for name in part.get("Parameters", {}))


def _referred(part: Mapping[str, Any]) -> Iterator[Name]:
    for section in ("Resources", "Outputs"):
        for entry in part.get(section, {}).values():
            yield from _attributes(entry)
    yield from _intrinsics(part)


def _attributes(entry: Mapping[str, Any]) -> Iterator[Name]:
    """Of a resource or an output: names that stand outside any intrinsic."""
    depends = entry.get("DependsOn", [])
    for name in depends if isinstance(depends, list) else [depends]:
        yield "Resources", name
    if "Condition" in entry:
        yield "Conditions", entry["Condition"]


def _intrinsics(value: object) -> Iterator[Name]:
    if isinstance(value, Mapping):
        if len(value) == 1:
            yield from _named_by(*next(iter(value.items())))
        for operand in value.values():
            yield from _intrinsics(operand)
    elif isinstance(value, list):
        for entry in value:
            yield from _intrinsics(entry)


def _named_by(function: str, operand: object) -> Iterator[Name]:
    first = operand[0] if isinstance(operand, list) and operand else operand
    match function, first:
        case "Ref", str(name) if not name.startswith("AWS::"):
            yield "Resources", name
        case "Fn::GetAtt", str(name):
            yield "Resources", name.partition(".")[0]
        case "Fn::Sub", str(text):
            yield from _substituted(text, operand)
        case (("Fn::If" | "Condition"), str(name)):
            yield "Conditions", name
        case "Fn::FindInMap", str(name):
            yield "Mappings", name


def _substituted(text: str, operand: object) -> Iterator[Name]:
    own = operand[1] if isinstance(operand, list) else {}
    for name in _SUBSTITUTED.findall(text):
        if name not in own and not name.startswith("AWS::"):
            yield "Resources", name.partition(".")[0]
