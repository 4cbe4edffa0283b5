"""The project that this `twofold` belongs to: the folder that holds the deploy package."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from deploy.setting import Setting
from deploy.settings import Settings, load, pyproject

ROOT = Path(__file__).resolve().parent.parent


def settings(
    flags: Mapping[str, object],
    declared: Iterable[Setting[Any]] = (),
    *,
    others_allowed: bool = False,
) -> Settings:
    """The project's settings under this process's environment; see `deploy.settings.load`."""
    return load(ROOT, os.environ, flags, declared, others_allowed=others_allowed)


def version() -> str:
    """[project] version of pyproject.toml."""
    return str(pyproject(ROOT)["project"]["version"])
