"""From a project to its artifact: the same bytes, or one clear error and nothing left."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from deploy.errors import BuildError
from deploy.target import Target, host, running_python
from tests.deploy.project import Project

HOST = host(running_python())
FOREIGN = Target(HOST.python, "arm64" if HOST.architecture == "x86_64" else "x86_64")
BUILD = """
import sys
from contextlib import nullcontext
from pathlib import Path
from deploy.artifact.build import build
from deploy.target import host, running_python

class Quiet:
    def note(self, text): pass
    def step(self, doing): return nullcontext()

root = Path(sys.argv[1])
if largest := int(sys.argv[2]):
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
cache = root / ".twofold/cache"
artifact = build(root, host(running_python()), "hello", Quiet(), cache, seconds=30)
print(artifact.sha256)
print(*sorted({name.split(".")[0] for name in sys.modules}))
"""


@pytest.fixture
def strict_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def refusal(project: Project, limit: int = 10**9) -> str:
    with pytest.raises(BuildError) as caught:
        project.build(limit=limit)
    return str(caught.value)


def left(project: Project) -> list[Path]:
    """Every file under .twofold/ that is no whole cache entry and no whole artifact."""
    found = [path for path in (project.root / ".twofold").rglob("*") if path.is_file()]
    found = [path for path in found if not {"trees", "tried"} & {*path.parts}]
    kept = ("dependencies-", "own-")
    return [path for path in found if not path.name.startswith(kept) and path.suffix != ".zip"]


def artifacts(project: Project) -> list[Path]:
    return list((project.root / ".twofold" / "artifacts").glob("*"))


def start(project: Project, largest_file: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(project.root), str(largest_file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def test_the_zip_holds_service_ops_dependencies_bytecode_and_manifest(project: Project) -> None:
    artifact = project.build()
    tag = f"cpython-{HOST.python.replace('.', '')}.pyc"
    with zipfile.ZipFile(artifact.path) as read:
        names = read.namelist()
        facts = json.loads(read.read("artifact.json"))
    assert [name for name in names if "dist-info" not in name] == [
        "artifact.json",
        "greeting/__init__.py",
        f"greeting/__pycache__/__init__.{tag}",
        "ops/instance/serve.sh",
        "ops/supervisor/service.conf",
        "service/__init__.py",
        f"service/__pycache__/__init__.{tag}",
        f"service/__pycache__/handler.{tag}",
        f"service/__pycache__/http_server.{tag}",
        f"service/__pycache__/lambda_function.{tag}",
        f"service/__pycache__/worker.{tag}",
        "service/handler.py",
        "service/http_server.py",
        "service/lambda_function.py",
        "service/worker.py",
    ]
    assert facts["dependencies"] == ["greeting==1.0"]
    assert facts["platform"] == HOST.platform


def test_digest_and_sizes_are_those_of_the_zip(project: Project) -> None:
    artifact = project.build()
    with zipfile.ZipFile(artifact.path) as read:
        assert artifact.unpacked_size == sum(entry.file_size for entry in read.infolist())
    assert artifact.size == artifact.path.stat().st_size
    assert artifact.path.name == f"{artifact.sha256}.zip"
    assert artifact.key == f"hello/artifacts/{artifact.sha256}.zip"


@pytest.mark.usefixtures("strict_umask")
def test_another_folder_day_and_umask_give_the_same_bytes(project: Project, tmp_path: Path) -> None:
    first = project.build()
    elsewhere = tmp_path / "else" / "where"
    shutil.copytree(project.root, elsewhere, ignore=shutil.ignore_patterns(".twofold"))
    for path in elsewhere.rglob("*.*"):
        path.chmod(0o600)
        os.utime(path, (1, 1))
    project.root = elsewhere
    second = project.build()
    assert second.path != first.path
    assert second.path.read_bytes() == first.path.read_bytes()


def test_a_second_build_installs_compiles_and_imports_nothing(project: Project) -> None:
    first = project.build()
    project.said.clear()
    assert project.build() == first
    assert project.said == []


def test_an_artifact_that_stands_is_tried_again_when_the_function_may_run_less(
    project: Project,
) -> None:
    """The handlers of this service are too long for less than 20 s."""
    project.write(
        {
            "service/handler.py": """
class events:
    def too_long(seconds):
        return ["order is too long"] * (seconds < 20)
""",
            "service/lambda_function.py": "",
            "service/http_server.py": "",
            "service/worker.py": "",
        }
    )
    built = project.build(seconds=30)
    for _ in range(2):
        with pytest.raises(BuildError, match=r"^order is too long$"):
            project.build(seconds=10)
    assert project.build(seconds=30) == built


def test_a_changed_handler_leaves_the_dependencies_alone(project: Project) -> None:
    first = project.build()
    project.said.clear()
    project.write({"service/handler.py": "TEXT = 'Other'\n"})
    assert project.build().sha256 != first.sha256
    assert [line for line in project.said if "ependencies" in line] == []
    project.write({"service/handler.py": "import greeting\n\nTEXT = greeting.text()\n"})
    assert project.build() == first


def test_a_damaged_cache_or_artifact_is_made_again(project: Project) -> None:
    first = project.build()
    good = first.path.read_bytes()
    for path in (project.root / ".twofold").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[:-30] + b"x" * 30)
    assert project.build() == first
    assert first.path.read_bytes() == good


def test_two_builds_at_once_agree(project: Project) -> None:
    builds = [start(project) for _ in range(3)]
    outputs = {build.communicate(timeout=60)[0].split("\n")[0] for build in builds}
    assert outputs == {project.build().sha256}
    assert left(project) == []


def test_threads_agree_as_well(project: Project) -> None:
    with ThreadPoolExecutor(3) as pool:
        built = list(pool.map(lambda _: project.build(), range(3)))
    assert built == [built[0]] * 3


def test_building_loads_none_of_the_slow_libraries(project: Project) -> None:
    digest, loaded, _ = start(project).communicate(timeout=60)[0].split("\n")
    assert len(digest) == 64
    assert "hashlib" in loaded.split()
    assert {"boto3", "botocore", "troposphere", "click", "rich"} & set(loaded.split()) == set()


def test_another_target_is_built_but_not_imported(project: Project) -> None:
    project.write({"service/handler.py": "import absent\n"})
    project.build(FOREIGN)
    assert project.said[-1] == (
        f"This machine cannot run {FOREIGN.platform}: whether the service imports is not tried."
    )


def test_old_artifacts_go(project: Project) -> None:
    for number in range(12):
        project.write({"ops/number": str(number)})
        last = project.build(FOREIGN)
    assert len(artifacts(project)) == 10
    assert last.path in artifacts(project)


def test_a_syntax_error_is_named_with_its_line(project: Project) -> None:
    project.write({"service/a.py": "x = 1\ny = (\n", "service/b.py": "def\n"})
    assert refusal(project).splitlines() == [
        f"Python {HOST.python} cannot compile the service:",
        "  service/a.py line 2: '(' was never closed",
        "  service/b.py line 1: invalid syntax",
    ]
    assert artifacts(project) == []


def test_a_dependencys_file_that_does_not_compile_ships_as_it_is(project: Project) -> None:
    project.add_dependency("old", "1.0", {"old.py": "print 'python 2'\n"})
    with zipfile.ZipFile(project.build().path) as read:
        names = read.namelist()
    assert "old.py" in names
    assert [name for name in names if name.startswith("__pycache__/old")] == []


def test_a_handler_that_does_not_import_is_an_error_and_leaves_no_zip(project: Project) -> None:
    project.write({"service/handler.py": "import json\nimport absent\n"})
    for _ in range(2):  # a failure is not remembered as a success
        assert refusal(project).startswith(
            "The service does not import. service/handler.py line 2: ModuleNotFoundError: "
            "No module named 'absent'."
        )
    assert artifacts(project) == []
    assert left(project) == []


@pytest.mark.parametrize("path", ["service/extra.py", "ops/x.sh", "artifact.json"])
def test_a_dependency_in_the_services_place_is_refused(project: Project, path: str) -> None:
    project.add_dependency("greedy", "1.0", {path: ""})
    assert refusal(project) == (
        f"The dependency greedy 1.0 would put {path} where the artifact has the service's own. "
        "Take it out of [project] dependencies and run `make lock`."
    )


def test_an_artifact_over_the_limit_names_its_largest_packages(project: Project) -> None:
    project.add_dependency("heavy", "1.0", {"heavy/a": "x" * 2_000_000, "other/b": "x" * 3_000_000})
    text = refusal(project, limit=2**20)
    assert text.splitlines()[:2] == [
        "The artifact is 4.8 MB unpacked; Lambda takes at most 1.0 MB. The largest packages:",
        "  heavy 1.0: 4.8 MB",
    ]
    assert len(text.splitlines()) <= 6
    assert artifacts(project) == []


def test_an_old_lock_is_refused_before_anything_is_done(project: Project) -> None:
    project.write({"pyproject.toml": '[project]\ndependencies = ["greeting==2.0"]\n'})
    assert refusal(project) == (
        "service.lock is older than pyproject.toml; run `make lock`:\n"
        "  greeting is 1.0 in service.lock, ==2.0 in pyproject.toml"
    )
    assert project.said == []


def test_a_missing_lock_says_how_to_make_one(project: Project) -> None:
    (project.root / "service.lock").unlink()
    assert refusal(project).endswith("service.lock is missing; run `make lock`.")


def test_an_interrupted_build_leaves_nothing(project: Project, tmp_path: Path) -> None:
    started = tmp_path / "started"
    project.write(
        {"service/handler.py": f"open({str(started)!r}, 'w')\nimport time\ntime.sleep(60)\n"}
    )
    process = start(project)
    deadline = time.monotonic() + 60
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in process.communicate(timeout=60)[1]
    assert started.exists()
    assert artifacts(project) == []
    assert left(project) == []


def test_a_full_disk_is_an_error_and_leaves_no_half_zip(project: Project) -> None:
    """A limit on the size of a file fails the write as a full disk does."""
    project.build()
    before = artifacts(project)
    (project.root / "service" / "noise").write_bytes(os.urandom(300_000))
    process = start(project, largest_file=200_000)
    error = process.communicate(timeout=60)[1]
    assert "BuildError: Cannot build the artifact: " in error
    assert "File too large." in error
    assert artifacts(project) == before
    assert left(project) == []
