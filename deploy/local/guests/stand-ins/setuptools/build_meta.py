"""Stands in for setuptools while pip downloads source distributions of Python 2.

pip asks setuptools what it has downloaded, and setuptools runs setup.py, which is no
Python 3. Here it is told what PKG-INFO says, and no code of a download runs.
"""

from __future__ import annotations

import email
import re
from pathlib import Path


class _Legacy:
    """What pip looks for where a project has no pyproject.toml (PEP 517)."""

    @staticmethod
    def get_requires_for_build_wheel(_settings: object = None) -> list[str]:
        return []

    @staticmethod
    def prepare_metadata_for_build_wheel(folder: str, _settings: object = None) -> str:
        content = Path("PKG-INFO").read_bytes()
        said = email.message_from_bytes(content)
        # As PEP 440 writes an implicit post release: 1.4-31 is 1.4.post31.
        version = re.sub(r"-(\d+)$", r".post\1", said["Version"])
        named = Path(folder, f"{said['Name'].replace('-', '_')}-{version}.dist-info")
        named.mkdir()
        (named / "METADATA").write_bytes(content)
        return named.name


__legacy__ = _Legacy
