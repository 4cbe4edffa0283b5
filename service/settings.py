"""What a process is told by its environment, read once.

Importing this is cheap: `deploy/` takes `PORT` from here.
"""

import math
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from service.errors import SettingsError

PORT = 9999

Mode = Literal["lambda", "instance"]
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_SHA256_LENGTH = 64
_LAST_PORT = 65535


@dataclass(frozen=True)
class Settings:
    """One process's settings; the defaults are those of a server started by hand."""

    name: str = "service"
    digest: str = "unknown"
    mode: Mode = "instance"
    log_level: str = "INFO"
    host: str = "127.0.0.1"
    port: int = PORT
    drain_seconds: float = 5.0
    grace_seconds: float = 30.0
    forwarded_allow_ips: tuple[str, ...] = ()
    base_path: str = "/"
    queues: Mapping[str, str] = field(default_factory=dict)
    worker_queues: tuple[str, ...] = ()
    worker_concurrency: int = 4
    worker_grace_seconds: float = 30.0

    @property
    def identity(self) -> dict[str, str]:
        """Says which artifact runs, where, and on which Python."""
        python = ".".join(str(number) for number in sys.version_info[:3])
        return {"mode": self.mode, "digest": self.digest, "python": python, "name": self.name}


def read(environ: Mapping[str, str]) -> Settings:
    """The settings in `environ`; a variable that is missing or empty leaves the default.

    Raises:
        SettingsError: with one line for each malformed variable.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    if environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        values["mode"] = "lambda"
    for name, (variable, parse) in _VARIABLES.items():
        text = environ.get(variable, "")
        try:
            if text:
                values[name] = parse(text)
        except ValueError as expected:
            problems.append(f"{variable} is {text!r}; expected {expected}.")
    settings = Settings(**values)
    problems += _unknown_queues(settings)
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


@cache
def current() -> Settings:
    """The settings of this process."""
    return read(os.environ)


def port(text: str) -> int:
    """A TCP port; 0 asks the system for a free one."""
    if not (text.isascii() and text.isdigit()) or int(text) > _LAST_PORT:
        raise ValueError(f"a port number from 0 to {_LAST_PORT}")
    return int(text)


def _mode(text: str) -> str:
    if text not in ("lambda", "instance"):
        raise ValueError("'lambda' or 'instance'")
    return text


def _digest(text: str) -> str:
    if len(text) != _SHA256_LENGTH or not set(text) <= set("0123456789abcdef"):
        raise ValueError("the sha256 of the artifact, 64 lower-case hexadecimal digits")
    return text


def _level(text: str) -> str:
    if text.upper() not in LEVELS:
        raise ValueError(f"one of {', '.join(LEVELS)}")
    return text.upper()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError("a number of seconds, 0 or more")
    return seconds


def _addresses(text: str) -> tuple[str, ...]:
    from ipaddress import ip_network  # slow to import, and seldom needed

    addresses = tuple(part.strip() for part in text.split(","))
    try:
        for address in addresses:
            ip_network(address)
    except ValueError:
        raise ValueError("IP addresses or networks like '10.0.0.0/16', comma separated") from None
    return addresses


def _base_path(text: str) -> str:
    path = "/" + text.strip("/")
    if not path.isascii() or set(path) & set("%?# "):
        raise ValueError("a path like '/shop'")
    return path


def _queues(text: str) -> dict[str, str]:
    pairs = [part.strip().partition("=") for part in text.split(",")]
    queues = {name: url for name, _, url in pairs}
    if not all(queues) or not all(queues.values()) or len(queues) != len(pairs):
        raise ValueError("NAME=URL, comma separated, each name once")
    return queues


def _names(text: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        raise ValueError("names, comma separated, each once")
    return names


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise ValueError("a whole number, 1 or more")
    return int(text)


def _unknown_queues(settings: Settings) -> list[str]:
    known = ", ".join(settings.queues) or "it is empty"
    return [
        f"SERVICE_WORKER_QUEUES names {name!r}; expected names that SERVICE_QUEUES has: {known}."
        for name in settings.worker_queues
        if name not in settings.queues
    ]


_VARIABLES: Mapping[str, tuple[str, Callable[[str], object]]] = {
    "name": ("SERVICE_NAME", str),
    "digest": ("SERVICE_DIGEST", _digest),
    "mode": ("SERVICE_MODE", _mode),
    "log_level": ("SERVICE_LOG_LEVEL", _level),
    "host": ("SERVICE_HOST", str),
    "port": ("SERVICE_PORT", port),
    "drain_seconds": ("SERVICE_DRAIN_SECONDS", _seconds),
    "grace_seconds": ("SERVICE_GRACE_SECONDS", _seconds),
    "base_path": ("SERVICE_BASE_PATH", _base_path),
    "forwarded_allow_ips": ("SERVICE_FORWARDED_ALLOW_IPS", _addresses),
    "queues": ("SERVICE_QUEUES", _queues),
    "worker_queues": ("SERVICE_WORKER_QUEUES", _names),
    "worker_concurrency": ("SERVICE_WORKER_CONCURRENCY", _number),
    "worker_grace_seconds": ("SERVICE_WORKER_GRACE_SECONDS", _seconds),
}
