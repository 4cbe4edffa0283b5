"""EDGE: reads the ops files, and composes this project's topology with them."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.artifact import ReleasePointer
from deploy.decorators.function import function_resource
from deploy.errors import SettingsError
from deploy.setting import Setting
from deploy.settings import Settings
from deploy.stack.plan import Compose
from deploy.template import Deployment, compose
from deploy.template.declarations import declared_settings

try:
    from deploy.topology import TOPOLOGY
except Exception as error:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = (error.filename, error.lineno) if isinstance(error, SyntaxError) else frame[:2]
    raise SettingsError(
        f"deploy/topology.py cannot be imported: {type(error).__name__}: "
        f"{getattr(error, 'msg', error)} ({where[0]}, line {where[1]})."
    ) from error


def topology_settings() -> tuple[Setting[Any], ...]:
    """What the topology's decorators declare; each is a flag of `twofold provision`."""
    return declared_settings(TOPOLOGY)


def composer(settings: Settings, root: Path) -> Compose:
    """Gives the template's text, once it is known where the artifact is."""
    ops = ops_files(root / "ops")

    def composed(pointer: ReleasePointer) -> str:
        function = function_resource(settings, pointer)
        return str(compose(Deployment(settings, pointer, ops, function), TOPOLOGY).to_json())

    return composed


def ops_files(folder: Path) -> Mapping[str, str]:
    """Path below the folder -> text."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
