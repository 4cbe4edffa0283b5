"""The smallest event that still goes wrong, found by leaving parts out."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

ROUNDS = 8
TRIES = 600

Path = tuple[Any, ...]


def smallest(event: Any, is_wrong: Callable[[Any], bool]) -> Any:
    """The event without whatever it can go wrong without; as it was, if it is too deep."""
    tries = iter(range(TRIES))
    try:
        for _ in range(ROUNDS):
            before = event
            for path in list(_paths(event)):
                event = _without(event, path, is_wrong) if next(tries, None) else event
            if event is before:
                break
    except RecursionError:
        pass
    return event


def _without(event: Any, path: Path, is_wrong: Callable[[Any], bool]) -> Any:
    """The event with the part at this path left out, or cut, if it is wrong so too."""
    for change in (_leave_out, _cut):
        candidate = copy.deepcopy(event)
        if _changed(candidate, path, change) and is_wrong(copy.deepcopy(candidate)):
            return candidate
    return event


def _changed(event: Any, path: Path, change: Callable[[Any, Any], bool]) -> bool:
    for key in path[:-1]:
        try:
            event = event[key]
        except (KeyError, IndexError, TypeError):
            return False  # went with an outer one
    try:
        return change(event, path[-1])
    except (KeyError, IndexError, TypeError):
        return False


def _leave_out(container: Any, key: Any) -> bool:
    del container[key]
    return True


def _cut(container: Any, key: Any) -> bool:
    """A long text or list to half of it; a small one stays."""
    value = container[key]
    if not isinstance(value, str | list) or len(value) < 2:
        return False
    container[key] = value[: len(value) // 2]
    return True


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else reversed(range(len(value))):
            yield (*path, key)
            if len(path) < 6:
                yield from _paths(value[key], (*path, key))
