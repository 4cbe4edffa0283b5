"""Where two JSON values differ, by JSON Pointer (RFC 6901)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

ABSENT = object()
"""What a side has at a pointer that only the other one has."""
_ANY = "*"


def differing(one: Any, other: Any, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Pointer and both values, in the order of the first; 1, 1.0 and true are three values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys((*one, *other)):
            below = f"{at}/{_escaped(key)}"
            yield from differing(one.get(key, ABSENT), other.get(key, ABSENT), below)
    elif isinstance(one, list) and isinstance(other, list):
        for index in range(max(len(one), len(other))):
            yield from differing(_item(one, index), _item(other, index), f"{at}/{index}")
    elif type(one) is not type(other) or one != other:
        yield at, one, other


def is_one(text: str) -> bool:
    """It begins with a slash, and each ~ in it is a ~0 or a ~1."""
    return bool(re.fullmatch(r"/([^~]|~[01])*", text, re.DOTALL))


def matches(pointer: str, wanted: str) -> bool:
    """`wanted` names the value or one that it is in; its part `*` stands for any key or index."""
    parts, pattern = pointer.split("/"), wanted.split("/")
    return len(parts) >= len(pattern) and all(
        want in (_ANY, part) for part, want in zip(parts, pattern, strict=False)
    )


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _item(items: Sequence[Any], index: int) -> Any:
    return items[index] if index < len(items) else ABSENT
