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
                if next(tries, None) is not None:
                    event = _without(event, path, is_wrong)
            if event is before:
                break
    except RecursionError:
        pass
    return event


def _without(event: Any, path: Path, is_wrong: Callable[[Any], bool]) -> Any:
    """The event with the part at this path left out, or cut, if it is wrong so too."""
    for change in (_leave_out, _keep_first_half, _keep_second_half):
        while (candidate := _changed(event, path, change)) is not None:
            if not is_wrong(copy.deepcopy(candidate)):
                break
            event = candidate
    return event


def _changed(event: Any, path: Path, change: Callable[[Any, Any], bool]) -> Any:
    """A changed copy; None if there is nothing at this path, or nothing to change."""
    changed = copy.deepcopy(event)
    container = changed
    try:
        for key in path[:-1]:
            container = container[key]
        return changed if change(container, path[-1]) else None
    except (KeyError, IndexError, TypeError):
        return None


def _leave_out(container: Any, key: Any) -> bool:
    del container[key]
    return True


def _keep_first_half(container: Any, key: Any) -> bool:
    value = container[key]
    if not isinstance(value, str | list) or len(value) < 2:
        return False
    container[key] = value[: len(value) // 2]
    return True


def _keep_second_half(container: Any, key: Any) -> bool:
    value = container[key]
    if not isinstance(value, str | list) or len(value) < 2:
        return False
    container[key] = value[len(value) // 2 :]
    return True


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else reversed(range(len(value))):
            yield (*path, key)
            if len(path) < 6:
                yield from _paths(value[key], (*path, key))
