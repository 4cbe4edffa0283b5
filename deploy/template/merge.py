"""Several templates into one; a key that two of them have is a problem, never a choice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from troposphere import Template

Part = tuple[str, Template]
"""The name of a decorator and what it added."""

SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "resources": "logical ID",
        "outputs": "output",
        "parameters": "parameter",
        "mappings": "mapping",
        "conditions": "condition",
        "rules": "rule",
        "metadata": "metadata key",
    }
)
"""The sections of a troposphere Template, and what an entry of each is called."""


def merge(merged: Template, parts: Sequence[Part]) -> list[str]:
    """`merged` holds what all parts hold; gives a line for each key that two parts have."""
    problems: list[str] = []
    for section, kind in SECTIONS.items():
        problems += _merge_section(merged, parts, section, kind)
    merged.transform = _transforms(part for _, part in parts) or None
    return problems


def _merge_section(
    merged: Template, parts: Iterable[Part], section: str, kind: str
) -> Iterable[str]:
    owners: dict[str, str] = {}
    for name, part in parts:
        for key, entry in getattr(part, section).items():
            if key in owners:
                added = f"Decorator {name!r} added the {kind} {key!r}"
                yield f"{added}, which {owners[key]!r} already added."
            owners.setdefault(key, name)
            getattr(merged, section).setdefault(key, entry)


def _transforms(parts: Iterable[Template]) -> list[object]:
    """In the decorators' order, each once: a transform applies to the whole template."""
    found: list[object] = []
    for part in parts:
        stated = part.transform or []
        listed = stated if isinstance(stated, list) else [stated]
        found += [transform for transform in listed if transform not in found]
    return found
