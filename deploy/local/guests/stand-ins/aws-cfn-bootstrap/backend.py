"""What pip asks to install this package (PEP 517), without anything from a package index."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

_RELEASE = "aws_cfn_bootstrap-2.0.post39+stand.in"
_WHEEL = "Wheel-Version: 1.0\nGenerator: twofold\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def build_wheel(
    folder: str,
    config_settings: Mapping[str, str] | None = None,  # noqa: ARG001  PEP 517 names it
    metadata_directory: str | None = None,  # noqa: ARG001
) -> str:
    """A wheel of bin/ and share/, which pip puts below the environment's own folder."""
    name = f"{_RELEASE}-py3-none-any.whl"
    described = f"{_RELEASE}.dist-info"
    with zipfile.ZipFile(Path(folder, name), "w") as wheel:
        for path in _files():
            wheel.write(path, f"{_RELEASE}.data/{_place(path)}")
        wheel.write("PKG-INFO", f"{described}/METADATA")
        wheel.writestr(f"{described}/WHEEL", _WHEEL)
        listed = [*wheel.namelist(), f"{described}/RECORD"]
        wheel.writestr(f"{described}/RECORD", "".join(f"{path},,\n" for path in listed))
    return name


def _files() -> Iterator[Path]:
    for folder in ("bin", "share"):
        yield from (path for path in sorted(Path(folder).rglob("*")) if path.is_file())


def _place(path: Path) -> str:
    """Below which of a wheel's schemes pip looks for it."""
    return f"scripts/{path.name}" if path.parts[0] == "bin" else f"data/{path.as_posix()}"
