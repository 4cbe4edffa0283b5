"""A small project and the wheels that it depends on, made here: no index is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.deploy.project import GREETING, SERVICE, Project


@pytest.fixture(scope="session")
def uv_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uv-cache")


@pytest.fixture
def project(tmp_path: Path, uv_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with one dependency, whose wheels come from a folder only."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CACHE_DIR", str(uv_cache))
    project = Project(tmp_path / "project", wheels)
    project.write(SERVICE)
    project.add_dependency("greeting", "1.0", GREETING)
    return project
