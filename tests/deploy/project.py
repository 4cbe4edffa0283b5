"""A small project and the wheels that it depends on, made here: no index is asked."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.artifact import UNPACKED_LIMIT, Artifact
from deploy.artifact.build import build
from deploy.console import Console
from deploy.target import Target, host, running_python

SERVICE = {
    "service/__init__.py": "",
    "service/handler.py": "import greeting\n\nTEXT = greeting.text()\n",
    "service/lambda_function.py": "from service.handler import TEXT\n",
    "service/http_server.py": "from service.handler import TEXT\n",
    "service/worker.py": "from service.handler import TEXT\n",
    "ops/instance/serve.sh": "#!/bin/sh\n",
    "ops/supervisor/service.conf": "[program:service]\n",
}
GREETING = {"greeting/__init__.py": "def text():\n    return 'Hello'\n"}


@dataclass
class Project:
    """A project's folder, its wheels, and what its builds said."""

    root: Path
    wheels: Path
    locked: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def write(self, files: Mapping[str, str]) -> None:
        for path, text in files.items():
            file = self.root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    def add_dependency(
        self, name: str, version: str, files: Mapping[str, str], tag: str = "py3-none-any"
    ) -> None:
        """Makes its wheel, and names it in service.lock and in pyproject.toml."""
        digest = make_wheel(self.wheels, name, version, files, tag)
        self.locked[f"{name}=={version}"] = digest
        self.write_lock()

    def write_lock(self) -> None:
        lock = "".join(f"{pin} \\\n    --hash=sha256:{d}\n" for pin, d in self.locked.items())
        pins = ", ".join(f'"{pin}"' for pin in self.locked)
        project = f'[project]\nname = "x"\nversion = "0"\ndependencies = [{pins}]\n'
        self.write({"service.lock": lock, "pyproject.toml": project})

    def build(
        self,
        target: Target | None = None,
        name: str = "hello",
        limit: int = UNPACKED_LIMIT,
        seconds: int = 30,
    ) -> Artifact:
        target = target or host(running_python())
        cache = self.root / ".twofold" / "cache"
        console = Console(self.said.append)
        return build(self.root, target, name, console, cache, seconds=seconds, limit=limit)


def make_wheel(folder: Path, name: str, version: str, files: Mapping[str, str], tag: str) -> str:
    """The wheel's sha256."""
    info = f"{name}-{version}.dist-info"
    content = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:text\n",
    }
    content[f"{info}/RECORD"] = "".join(map(_record, content.items())) + f"{info}/RECORD,,\n"
    wheel = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in content.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _record(file: tuple[str, str]) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(file[1].encode()).digest()).rstrip(b"=")
    return f"{file[0]},sha256={digest.decode()},{len(file[1])}\n"
