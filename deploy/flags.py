"""Command line flags out of settings, so that a setting is described in one place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click

from deploy.setting import REQUIRED, Setting

Callback = Callable[..., Any]


def option(setting: Setting[Any]) -> click.Option:
    """`--instance-type TEXT` (and `-k`); its value stays as typed, for `settings.read` to judge.

    So a wrong flag is reported together with what else is wrong, and in the same words.
    """
    names = [setting.flag, setting.name]
    if setting.short:
        names.insert(0, f"-{setting.short}")
    return click.Option(names, help=_help(setting), metavar="VALUE")


def settings_flags(settings: Iterable[Setting[Any]]) -> Callable[[Callback], Callback]:
    """The command below takes each setting as a flag, and all of them as one dict `flags`.

    `flags` maps a setting's name to what was typed; what was not given is not in it.
    """
    settings = tuple(settings)

    def decorate(callback: Callback) -> Callback:
        @wraps(callback)
        def call(**values: Any) -> Any:
            typed = {setting.name: values.pop(setting.name) for setting in settings}
            flags = {name: value for name, value in typed.items() if value is not None}
            return callback(flags=flags, **values)

        options = [option(setting) for setting in reversed(settings)]
        vars(call).setdefault("__click_params__", []).extend(options)
        return call

    return decorate


def _help(setting: Setting[Any]) -> str:
    default = setting.default
    if default is REQUIRED:
        return f"{setting.help}  [required]"
    if default is None or default in ("", ()):
        return setting.help
    return f"{setting.help}  [default: {default}]"


def json_flag(callback: Callback) -> Callback:
    """The command below takes --json, as `as_json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(
        callback
    )


def local_flag(callback: Callback) -> Callback:
    """The command below takes --local, as `local`."""
    text = "Talk to the 'twofold up' that runs in this project instead of AWS."
    return click.option("--local", is_flag=True, help=text)(callback)
