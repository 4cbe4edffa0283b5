"""The README is held to what is there: every setting, command and ops file, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from deploy.composition import topology_settings
from deploy.overview import COMMANDS, EXIT_CODES
from deploy.setting import REQUIRED, Setting
from deploy.settings import GENERAL, PYTHON

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "ops" / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
SETTINGS = (*GENERAL, *topology_settings())
TARGETS = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.MULTILINE)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_has_a_row_that_is_true(setting: Setting[Any]) -> None:
    assert f"| `{setting.name}` | {_default(setting)} | {setting.help} |\n" in README


def _default(setting: Setting[Any]) -> str:
    if setting.default is REQUIRED:
        return "required"
    if setting is PYTHON:
        return "the interpreter's"
    return f"`{setting.default}`" if setting.default not in (None, "", ()) else "none"


def test_every_documented_setting_exists() -> None:
    section = README.split("## Settings", 1)[1].split("\n## ", 1)[0]
    documented = set(re.findall(r"^\| `([a-z0-9_]+)` \|", section, re.MULTILINE))
    assert documented == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_described(name: str) -> None:
    assert f"`twofold {name}" in README


@pytest.mark.parametrize(("code", "meaning"), EXIT_CODES.items())
def test_every_exit_code_has_its_row(code: int, meaning: str) -> None:
    assert f"| {code} | {meaning} |\n" in README


def test_every_command_named_exists() -> None:
    named = set(re.findall(r"(?:^|`)twofold ([a-z]+)", README + OPERATIONS, re.MULTILINE))
    assert named <= set(COMMANDS)


def test_every_make_target_is_described_and_no_other() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README + OPERATIONS, re.MULTILINE))
    assert named == set(TARGETS)


@pytest.mark.parametrize(
    "path",
    sorted(
        path.relative_to(ROOT / "ops").as_posix()
        for path in (ROOT / "ops").rglob("*")
        if path.is_file() and path.name != "README.md"
    ),
)
def test_every_file_on_an_instance_is_described(path: str) -> None:
    assert f"`{path}`" in OPERATIONS


def test_every_file_that_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_a_sentence_has_a_line_of_its_own() -> None:
    prose = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
    lines = [line for line in prose.splitlines() if not line.startswith("|")]
    assert [line for line in lines if re.search(r"[a-z)`]\. [A-Z]", line)] == []
