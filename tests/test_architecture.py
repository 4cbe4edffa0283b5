"""The layers of design.md's house, held by the imports as they stand in the source."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Who may import what only few may: a prefix of a module's path, and why.
EDGES = {
    "boto3": {
        "deploy/aws/__init__.py": "the only one that talks to AWS",
        "service/runtime/sqs.py": "the worker's queues; imported when there is one",
        "service/runtime/once.py": "the table of what is done; imported at the first call",
    },
    "botocore": {
        "deploy/aws/__init__.py": "the only one that talks to AWS",
        "service/runtime/sqs.py": "the errors and settings of its client",
    },
    "subprocess": {
        "deploy/artifact/compiler.py": "runs the target's interpreter on the sources",
        "deploy/artifact/trial.py": "imports the service in an interpreter of its own",
        "deploy/artifact/wheels.py": "runs uv",
        "deploy/local/": "starts the two runtimes and the embedded AWS",
    },
    "mangum": {
        "service/runtime/adapter.py": "Mangum is inside the adapter, nowhere else",
        "service/runtime/gateways/": "the handlers that it is given, in its types",
    },
    "uvicorn": {
        "service/http_server.py": "the EC2 entry point",
        "deploy/local/": "the laptop's fronts are served by it",
    },
    "troposphere": {
        "deploy/template/": "composes",
        "deploy/decorators/": "make resources",
        "deploy/topology.py": "may add resources of its own",
    },
}
NOT_OUR_WORDS = re.compile(
    r"^(manager|helpers?|utils?|common|base|core|engine|bundle|box|node|ensure|data|info)$"
    r"|^(process|handle|do|ensure)_"
)


def modules(*packages: str) -> list[Path]:
    return sorted(
        path.relative_to(ROOT) for package in packages for path in (ROOT / package).rglob("*.py")
    )


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    for part in ast.walk(tree(path)):
        if isinstance(part, ast.Import):
            yield from (alias.name for alias in part.names)
        elif isinstance(part, ast.ImportFrom) and part.module:
            yield part.module


def test_the_scan_sees_the_source() -> None:
    assert "starlette.applications" in list(imports(Path("service/handler.py")))


def test_the_service_knows_nothing_of_deploy() -> None:
    guilty = [
        (str(path), name)
        for path in modules("service")
        for name in imports(path)
        if name.split(".")[0] in ("deploy", "tests")
    ]
    assert guilty == []


def test_deploy_reads_only_the_settings_of_the_service() -> None:
    guilty = [
        (str(path), name)
        for path in modules("deploy")
        for name in imports(path)
        if name.split(".")[0] in ("service", "tests") and name != "service.settings"
    ]
    assert guilty == []


@pytest.mark.parametrize("library", EDGES)
def test_only_the_edge_imports(library: str) -> None:
    allowed = tuple(EDGES[library])
    guilty = [
        str(path)
        for path in modules("service", "deploy")
        if library in {name.split(".")[0] for name in imports(path)}
        and not path.as_posix().startswith(allowed)
    ]
    assert guilty == []


@pytest.mark.parametrize("library", EDGES)
def test_every_edge_still_needs_its_library(library: str) -> None:
    users = [
        path.as_posix()
        for path in modules("service", "deploy")
        if library in {name.split(".")[0] for name in imports(path)}
    ]
    unused = [edge for edge in EDGES[library] if not any(u.startswith(edge) for u in users)]
    assert unused in ([], ["deploy/topology.py"])  # the users' own resources go there


def test_names_are_the_projects_words() -> None:
    guilty = [
        f"{path}: {name}"
        for path in modules("service", "deploy")
        for name in (path.stem, *_defined(path))
        if NOT_OUR_WORDS.search(name.lstrip("_"))
    ]
    assert guilty == []


def _defined(path: Path) -> Iterator[str]:
    for part in ast.walk(tree(path)):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield part.name


def test_every_module_and_public_name_says_what_it_is_for() -> None:
    silent = []
    for path in modules("service", "deploy"):
        module = tree(path)
        public = [
            part
            for part in module.body
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and not part.name.startswith("_")
        ]
        silent += [str(path)] * (bool(module.body) and not ast.get_docstring(module))
        silent += [f"{path}: {part.name}" for part in public if not ast.get_docstring(part)]
    assert silent == []


@pytest.mark.parametrize("package", ["service", "ops"])
def test_what_ships_holds_no_tests(package: str) -> None:
    assert list((ROOT / package).rglob("test*")) == []


def test_nothing_committed_names_an_index_or_this_machine() -> None:
    hosts = "|".join(
        ("py" + "pi.org", "python" + "hosted", "deb.deb" + "ian", "registry.np" + "mjs")
    )
    tracked = subprocess.run(
        ["git", "grep", "-nIiE", f"{hosts}|/home/[a-z]|/ro" + "ot/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert tracked.stdout == ""
    assert tracked.returncode == 1  # git ran, and found nothing


@pytest.mark.parametrize("lock", sorted(ROOT.glob("*.lock")), ids=lambda path: path.name)
def test_a_lock_pins_with_hashes_and_without_addresses(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    requirements = re.split(r"\n(?=\S)", text.strip())
    assert requirements
    assert "://" not in text
    assert [line for line in requirements if "==" not in line or "--hash=sha256:" not in line] == []
