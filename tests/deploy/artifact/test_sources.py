"""What ships of a project, and what never does."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.artifact.sources import sources
from deploy.errors import BuildError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path in ("service/handler.py", "ops/instance/serve.sh", "ops/a.conf", "tests/test_x.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    return tmp_path


def test_service_and_ops_ship_and_nothing_else(project: Path) -> None:
    (project / "README.md").write_text("")
    found = sources(project)
    assert sorted(found) == ["ops/a.conf", "ops/instance/serve.sh", "service/handler.py"]
    assert found["service/handler.py"].content == b"service/handler.py"


@pytest.mark.parametrize(
    "left_out",
    ["service/.env", "service/.git/config", "service/__pycache__/x.cpython-313.pyc", "ops/x.pyc"],
)
def test_bytecode_and_dotfiles_stay(project: Path, left_out: str) -> None:
    before = sources(project)
    (project / left_out).parent.mkdir(exist_ok=True)
    (project / left_out).write_text("secret")
    assert sources(project) == before


def test_an_ops_script_may_be_run_whatever_its_mode(project: Path) -> None:
    (project / "ops/instance/serve.sh").chmod(0o600)
    (project / "service/handler.py").chmod(0o700)
    found = sources(project)
    modes = [found[path].executable for path in sorted(found)]
    assert modes == [False, True, True]


def test_a_symbolic_link_is_refused(project: Path) -> None:
    (project / "service/passwords").symlink_to("/etc/passwd")
    with pytest.raises(BuildError) as refusal:
        sources(project)
    assert str(refusal.value) == (
        "service/passwords is a symbolic link. Put the file itself there: the artifact holds only "
        "what the project's own folders hold."
    )


def test_a_folder_without_a_service_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"service has no files; run twofold in a Twofold project"):
        sources(tmp_path)
