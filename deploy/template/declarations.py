"""What the decorators of a topology declare: settings, and with them flags; work queues."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from deploy.errors import SettingsError
from deploy.setting import Setting
from deploy.settings import GENERAL
from deploy.template.queue import Queue

Decorator = TypeVar("Decorator", bound=Callable[..., None])


def declares(*settings: Setting[Any]) -> Callable[[Decorator], Decorator]:
    """The decorator below reads these settings; each becomes a flag of `twofold provision`."""

    def declare(decorator: Decorator) -> Decorator:
        vars(decorator)["settings"] = settings
        return decorator

    return declare


def declared_settings(topology: Iterable[Callable[..., None]]) -> tuple[Setting[Any], ...]:
    """The settings that the decorators declare, each once; two may share one Setting.

    Raises:
        SettingsError: two different settings have the same name or one-letter flag.
    """
    owners = {key: (setting, "Twofold") for setting in GENERAL for key in _claims(setting)}
    found: dict[str, Setting[Any]] = {}
    for decorator in topology:
        for setting in getattr(decorator, "settings", ()):
            for key in _claims(setting):
                first, owner = owners.setdefault(key, (setting, repr(name_of(decorator))))
                if first is not setting:
                    raise SettingsError(_taken(name_of(decorator), key, owner))
            found.setdefault(setting.name, setting)
    return tuple(value for name, value in found.items() if value not in GENERAL)


def declared_queues(topology: Iterable[Callable[..., None]]) -> tuple[Queue, ...]:
    """The queues of the topology, in its order.

    Raises:
        SettingsError: two have the same name, or one has none that is text.
    """
    found: dict[str, Queue] = {}
    for decorator in topology:
        queue: Queue | None = getattr(decorator, "queue", None)
        if queue is None:
            continue
        if not isinstance(queue.name, str):  # the names of all its parts are made of it
            raise SettingsError(
                f"A queue's name is {queue.name!r}; expected text like 'orders' or 'big-orders'."
            )
        if queue.name in found:
            raise SettingsError(
                f"The topology has two queues {queue.name!r}. Give each a name of its own."
            )
        found[queue.name] = queue
    return tuple(found.values())


def name_of(decorator: Callable[..., None]) -> str:
    """What messages call a decorator: a function's name, or its class's."""
    return str(getattr(decorator, "__name__", type(decorator).__name__))


def _claims(setting: Setting[Any]) -> tuple[str, ...]:
    return (setting.flag, f"-{setting.short}") if setting.short else (setting.flag,)


def _taken(decorator: str, key: str, owner: str) -> str:
    return f"Decorator {decorator!r} declares the flag {key}, which {owner} already declares."
