"""uv takes exactly the locked wheels for the target, and its refusals say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import uv

from deploy.artifact.lock import LOCK
from deploy.artifact.sources import File
from deploy.artifact.wheels import UV_PLATFORMS, distributions, explained, installed, platform_flags
from deploy.errors import BuildError
from deploy.target import ARCHITECTURES, PYTHONS, Target
from tests.deploy.project import Project

TARGET = Target("3.13", "x86_64")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "installed"


def install(project: Project, folder: Path, target: Target = TARGET) -> dict[str, File]:
    return installed(uv.find_uv_bin(), project.root, target, folder)


def refusal(project: Project, folder: Path, target: Target = TARGET) -> str:
    with pytest.raises(BuildError) as caught:
        install(project, folder, target)
    return str(caught.value)


def test_only_what_does_not_vary_is_taken(project: Project, folder: Path) -> None:
    files = install(project, folder)
    assert (folder / "bin" / "greeting").exists()  # with this machine's path in it
    assert sorted(files) == [
        "greeting-1.0.dist-info/METADATA",
        "greeting-1.0.dist-info/RECORD",
        "greeting-1.0.dist-info/WHEEL",
        "greeting-1.0.dist-info/entry_points.txt",
        "greeting/__init__.py",
    ]


def test_a_record_names_what_is_there_and_nothing_else(project: Project, folder: Path) -> None:
    files = install(project, folder)
    lines = files["greeting-1.0.dist-info/RECORD"].content.decode().splitlines()
    assert [line.split(",")[0] for line in lines] == sorted(files)


def test_a_wheel_for_a_newer_glibc_is_missing(project: Project, folder: Path) -> None:
    project.add_dependency("quick", "2.0", {"quick.py": ""}, "cp313-cp313-manylinux_2_39_x86_64")
    assert refusal(project, folder) == (
        "quick 2.0 has no wheel for Python 3.13 (cp313) on x86_64-manylinux_2_34. Pin a version "
        "that has one in [project] dependencies and run `make lock`, or set another python or "
        "architecture."
    )


def test_a_wheel_of_another_python_or_architecture_is_missing(
    project: Project, folder: Path
) -> None:
    project.add_dependency("quick", "2.0", {"quick.py": ""}, "cp313-cp313-manylinux_2_17_x86_64")
    assert "quick.py" in install(project, folder)
    for target in (Target("3.12", "x86_64"), Target("3.13", "arm64")):
        assert refusal(project, folder, target).startswith("quick 2.0 has no wheel for Python")


def test_a_wheel_that_is_not_the_locked_one_is_refused(project: Project, folder: Path) -> None:
    project.locked["greeting==1.0"] = "0" * 64
    project.write_lock()
    text = refusal(project, folder)
    assert text.startswith("A wheel is not the one that service.lock names; nothing was taken")
    assert "run `make lock`" in text


def test_a_version_that_nobody_has_is_named(project: Project, folder: Path) -> None:
    project.locked["absent==9.9"] = "0" * 64
    project.write_lock()
    text = refusal(project, folder)
    assert text.startswith("The package index does not have absent 9.9. Change it in [project]")


def test_an_unreachable_index_is_said_to_be_that(
    project: Project, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    text = refusal(project, folder)
    assert text.startswith("The package index cannot be reached and uv's cache does not hold")
    assert "Build again with a network connection." in text


def test_what_uv_has_in_its_cache_needs_no_network(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_NO_INDEX")
    monkeypatch.delenv("UV_FIND_LINKS")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with index(project.wheels) as address:
        monkeypatch.setenv("UV_DEFAULT_INDEX", address)
        online = install(project, tmp_path / "online")
    assert install(project, tmp_path / "offline") == online


@contextmanager
def index(wheels: Path) -> Iterator[str]:
    """A package index on loopback with the wheels of one package: a listing is its page."""
    (wheels / "simple").mkdir()
    (wheels / "simple" / "greeting").symlink_to(wheels)
    serve = partial(_NoCaching, directory=str(wheels))
    with ThreadingHTTPServer(("127.0.0.1", 0), serve) as server:
        Thread(target=server.serve_forever, args=(0.01,)).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple"
        finally:
            server.shutdown()


class _NoCaching(SimpleHTTPRequestHandler):
    """Answers that have to be asked for again."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "max-age=0")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        pass


def test_another_refusal_is_shown_as_uv_put_it() -> None:
    assert explained("error: boom", TARGET, "") == "uv could not install service.lock:\nerror: boom"


def test_every_glibc_of_the_table_has_a_platform_that_needs_no_newer_one() -> None:
    for version in PYTHONS.values():
        wanted = tuple(int(part) for part in UV_PLATFORMS[version.glibc].split("_")[1:])
        assert wanted <= version.glibc


def test_a_laptops_own_system_is_left_to_uv() -> None:
    assert platform_flags(Target("3.13", "arm64", "darwin")) == []
    assert platform_flags(Target("3.11", "arm64")) == [
        "--python-platform",
        "aarch64-manylinux_2_17",
    ]


def test_distributions_are_names_and_versions() -> None:
    paths = ["typing_extensions-4.16.0.dist-info/METADATA", "a/b.dist-info/METADATA/x", "h11/x.py"]
    assert distributions(paths) == ["typing-extensions==4.16.0"]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_real_lock_has_wheels_for_every_target(
    root: Path, folder: Path, python: str, architecture: str
) -> None:
    """Asks the package index, or uv's cache where that holds the wheels already."""
    files = installed(uv.find_uv_bin(), root, Target(python, architecture), folder)
    machine = {"x86_64": "x86_64", "arm64": "aarch64"}[architecture]
    tag = f"cpython-{python.replace('.', '')}-{machine}-linux-gnu"
    assert f"uvloop/loop.{tag}.so" in files
    lock = (root / LOCK).read_text(encoding="utf-8")
    assert all(f"{pin} " in lock for pin in distributions(files))
