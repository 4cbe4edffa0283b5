"""Which interpreter and which platform an artifact is for."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ARCHITECTURES = ("x86_64", "arm64")


@dataclass(frozen=True)
class PythonVersion:
    """A Python minor version that Lambda and a distribution's own python3 have in common.

    `image_parameters` are the public SSM parameters of the instance image by architecture
    (Debian wiki "Amazon EC2 Image"; Ubuntu on AWS "Find Ubuntu images"). `glibc` is the
    older of the two sides', so a wheel that needs no more loads on both.
    """

    minor: str
    runtime: str
    image: str
    image_parameters: Mapping[str, str]
    glibc: tuple[int, int]


def _debian(release: int) -> Mapping[str, str]:
    path = f"/aws/service/debian/release/{release}/latest"
    return MappingProxyType({"x86_64": f"{path}/amd64", "arm64": f"{path}/arm64"})


def _ubuntu(release: str) -> Mapping[str, str]:
    path = f"/aws/service/canonical/ubuntu/server/{release}/stable/current"
    return MappingProxyType(
        {
            "x86_64": f"{path}/amd64/hvm/ebs-gp3/ami-id",
            "arm64": f"{path}/arm64/hvm/ebs-gp3/ami-id",
        }
    )


PYTHONS: Mapping[str, PythonVersion] = MappingProxyType(
    {
        version.minor: version
        for version in (
            PythonVersion("3.11", "python3.11", "Debian 12", _debian(12), (2, 26)),
            PythonVersion("3.12", "python3.12", "Ubuntu 24.04", _ubuntu("24.04"), (2, 34)),
            PythonVersion("3.13", "python3.13", "Debian 13", _debian(13), (2, 34)),
        )
    }
)


def running_python() -> str:
    """The minor version of the interpreter that runs this, such as '3.13'."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Target:
    """What an artifact is built for: a minor version, an architecture, an operating system.

    `system` is 'linux' for everything that AWS runs; on another system the laptop's own
    two runtimes need an artifact of that system's wheels.
    """

    python: str
    architecture: str
    system: str = "linux"

    @property
    def glibc(self) -> tuple[int, int]:
        return PYTHONS[self.python].glibc

    @property
    def platform(self) -> str:
        return f"{self.system}-{self.architecture}"


def host(python: str) -> Target:
    """The target that this machine itself can run."""
    machine = platform.machine().lower()
    architecture = "arm64" if machine in ("arm64", "aarch64") else "x86_64"
    return Target(python, architecture, sys.platform)
