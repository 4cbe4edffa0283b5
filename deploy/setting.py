"""One thing that can be set: its name, its default, and the forms that its value may have."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")

ENVIRONMENT_PREFIX = "TWOFOLD_"


class _Required:
    """The default of a setting that has none."""


REQUIRED = cast(Any, _Required())


@dataclass(frozen=True)
class Setting(Generic[T]):
    """One thing that can be set: its name, its form, its default and its help.

    `parse` takes what TOML, the environment or a flag gave (str, int, list ...) and
    raises ValueError with what it expected, such as "a form like 't3.micro'".
    `short` is a one-letter flag, such as 'k' for `-k`.
    """

    name: str
    parse: Callable[[object], T]
    help: str
    default: T
    short: str = ""

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return ENVIRONMENT_PREFIX + self.name.upper()


def text(pattern: str, expected: str) -> Callable[[object], str]:
    """A parser for text of a form, a regular expression for the whole of it."""

    def parse(raw: object) -> str:
        if isinstance(raw, str) and re.fullmatch(pattern, raw):
            return raw
        raise ValueError(expected)

    return parse


def optional(parse: Callable[[object], T]) -> Callable[[object], T | None]:
    """A parser that takes empty text as "not set"."""
    return lambda raw: None if raw == "" else parse(raw)


def whole(minimum: int, maximum: int) -> Callable[[object], int]:
    """A parser for a whole number within bounds, both included."""

    def parse(raw: object) -> int:
        is_whole = isinstance(raw, int) or (isinstance(raw, str) and re.fullmatch(r"-?\d+", raw))
        if is_whole and not isinstance(raw, bool) and minimum <= int(cast(Any, raw)) <= maximum:
            return int(cast(Any, raw))
        raise ValueError(f"a whole number from {minimum} to {maximum}")

    return parse


def one_of(choices: Sequence[str]) -> Callable[[object], str]:
    """A parser for one of a few words."""

    def parse(raw: object) -> str:
        if isinstance(raw, str) and raw in choices:
            return raw
        raise ValueError("one of " + ", ".join(choices))

    return parse


def list_of(parse: Callable[[object], T]) -> Callable[[object], tuple[T, ...]]:
    """A parser for a TOML array, or the same with commas in a variable or a flag."""

    def parse_all(raw: object) -> tuple[T, ...]:
        parts = [part.strip() for part in raw.split(",")] if isinstance(raw, str) else raw
        if not isinstance(parts, list):
            raise ValueError("a list")
        return tuple(parse(part) for part in parts if part != "")

    return parse_all


def cidr(raw: object) -> str:
    """An IPv4 address range such as 203.0.113.0/24."""
    try:
        if isinstance(raw, str) and "/" in raw:
            return str(ipaddress.IPv4Network(raw))
    except ValueError:
        pass
    raise ValueError("an IPv4 range such as 203.0.113.0/24")
