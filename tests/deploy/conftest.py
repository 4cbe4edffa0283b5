"""What the tests of the deploy tool share: a small project, and an embedded AWS."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.aws import Aws
from deploy.connection import LOCAL_CREDENTIALS
from deploy.local import embedded_aws
from deploy.local.interrupts import Interrupts
from deploy.local.workspace import Workspace
from tests.deploy.project import GREETING, SERVICE, Project
from tests.deploy.tree import HANDLER, Tree

ROOT = Path(__file__).parent.parent.parent


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


@pytest.fixture(scope="session")
def region() -> str:
    return "eu-central-1"


@pytest.fixture(scope="session")
def endpoint(region: str) -> Iterator[str]:
    """An embedded AWS of the tests' own; it is gone afterwards, however they end."""
    with Workspace(Interrupts()) as workspace:
        started = embedded_aws.start(workspace, region)
        started.wait()
        yield started.endpoint


@pytest.fixture(scope="session")
def aws(endpoint: str, region: str) -> Aws:
    """The embedded AWS, with the bucket 'artifacts' in it."""
    aws = Aws(region, endpoint, credentials=LOCAL_CREDENTIALS)
    aws.make_bucket("artifacts")
    return aws


@pytest.fixture
def tree(project: Project) -> Tree:
    """A project with a copy of the deploy tool, which works on that project only."""
    ignore = shutil.ignore_patterns("__pycache__")
    for folder in ("deploy", "ops", "service"):
        shutil.copytree(ROOT / folder, project.root / folder, dirs_exist_ok=True, ignore=ignore)
    entry_points = {path: SERVICE[path] for path in SERVICE if path.startswith("service/")}
    project.write({**entry_points, "service/lambda_function.py": HANDLER})
    tree = Tree(project.root)
    tree.settings('name = "hello"\n[tool.twofold.stages.dev]')
    return tree
