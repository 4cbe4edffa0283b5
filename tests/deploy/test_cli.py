"""The command line as such: its overview, what it imports, its exit codes, its manners."""

from __future__ import annotations

import importlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import click
import pytest

from deploy import cli, errors
from deploy.cli import main
from deploy.commands import guest
from deploy.overview import COMMANDS, EXIT_CODES, overview
from tests.deploy.tree import Tree

HEAVY = ("boto3", "botocore", "troposphere", "rich", "importlib.metadata")
LOADED = """
import sys
from deploy.cli import main

code = main({arguments!r})
print("loaded:", *(name for name in {names!r} if name in sys.modules), file=sys.stderr)
sys.exit(code)
"""


def loaded(root: Path, arguments: list[str], names: tuple[str, ...]) -> list[str]:
    """Which of the modules are loaded after the command has run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(arguments=arguments, names=names)],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()[-1].split()[1:]


def test_the_overview_names_every_command_and_every_exit_code() -> None:
    for name, text in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(text)}$", overview(), re.MULTILINE)
    for code, text in EXIT_CODES.items():
        assert re.search(rf"^  {code} +{re.escape(text)}$", overview(), re.MULTILINE)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_prints_the_overview(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([flag]) == 0
    assert capsys.readouterr().out == overview()


def test_help_after_another_flag_is_the_same_overview(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help", "build"]) == 0
    assert capsys.readouterr().out == overview()


def test_help_imports_no_library_at_all(root: Path) -> None:
    assert loaded(root, ["--help"], ("click", *HEAVY)) == []


def test_a_build_talks_to_nobody_and_composes_nothing(tree: Tree) -> None:
    assert loaded(tree.root, ["build"], ("click", *HEAVY)) == ["click"]


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_what_the_overview_says(name: str) -> None:
    command = importlib.import_module(f"deploy.commands.{name}").command
    assert isinstance(command, click.Command)
    assert (command.name, command.short_help) == (name, COMMANDS[name])
    assert "Examples:" in (command.help or "")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_shows_its_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"Usage: twofold {name} ")
    assert "Examples:" in shown


def test_a_command_that_deploys_takes_a_stage(capsys: pytest.CaptureFixture[str]) -> None:
    alone = [name for name in COMMANDS if name != "guest"]
    for arguments in (*([name] for name in alone), ["guest", "boot"]):
        assert main([*arguments, "--help"]) == 0
        assert "--stage" in capsys.readouterr().out


def test_there_is_a_command_for_every_module_and_no_other(root: Path) -> None:
    modules = {path.stem for path in (root / "deploy" / "commands").glob("[a-z]*.py")}
    assert modules == set(COMMANDS)


@pytest.mark.parametrize("kind", errors.TwofoldError.__subclasses__())
def test_every_kind_of_error_has_a_documented_exit_code(kind: type[errors.TwofoldError]) -> None:
    assert kind.exit_code in EXIT_CODES


def test_the_version_is_the_projects(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    version, folder = capsys.readouterr().out.removeprefix("twofold ").split()
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert folder == f"({root})"


def test_an_unknown_command_is_an_error_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["biuld"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("twofold: error: No such command 'biuld'.")
    assert shown.err.endswith("Try 'twofold --help'.\n")


def test_an_unknown_flag_is_an_error_with_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--stgae", "x"]) == 2
    assert "No such option '--stgae'" in capsys.readouterr().err


def test_what_follows_a_program_for_a_guest_is_the_programs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(guest, "refuse_without", lambda: None)
    monkeypatch.setattr(guest, "_chosen", lambda instance: SimpleNamespace(leader=instance))
    monkeypatch.setattr(guest, "inside", lambda leader, program: asked.append((leader, *program)))
    monkeypatch.setattr(guest, "attached", lambda _: 0)
    assert main(["guest", "shell", "-i", "i-0", "ls", "-lh", "-i", "--help", "/"]) == 0
    assert asked == [("i-0", "ls", "-lh", "-i", "--help", "/")]


def test_no_command_shows_the_overview_and_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert capsys.readouterr().out == overview()


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"]])
def test_a_reader_that_went_away_is_no_trouble(tree: Tree, arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with tree.start(*arguments, stdout=writer) as process:
        os.close(writer)
        _, errors = process.communicate(timeout=60)
    assert errors == ""
    assert process.returncode == 141


@pytest.mark.parametrize("arguments", [["--help"], ["build", "--help"], ["build", "--json"]])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_standard_output_that_is_full_is_one_line(
    tree: Tree, arguments: list[str], unbuffered: str
) -> None:
    tree.environment["PYTHONUNBUFFERED"] = unbuffered
    with Path("/dev/full").open("wb") as full:
        process = tree.start(*arguments, stdout=full)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.splitlines()[-1]) == (
        6,
        "twofold: error: Cannot write: No space left on device. "
        "Make room, or send standard output somewhere else.",
    )
    assert "Traceback" not in said


@pytest.mark.parametrize("arguments", [["--help"], ["build"]])
def test_standard_output_that_is_closed_is_said_before_anything_is_done(
    tree: Tree, arguments: list[str]
) -> None:
    script = 'exec "$@" >&-'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, "-m", "deploy", *arguments],
        cwd=tree.root,
        env=tree.environment,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        6,
        "twofold: error: Standard output is closed. Send it somewhere.\n",
    )
    assert not (tree.root / ".twofold").exists()


def test_an_error_of_the_system_that_nobody_expected_is_a_bug() -> None:
    def fail(_: list[str]) -> int:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(PermissionError, match="denied"):
        cli.guarded(fail, [])


def test_ctrl_c_is_one_line_and_130(tree: Tree, tmp_path: Path) -> None:
    fifo = tmp_path / "payload"
    os.mkfifo(fifo)
    with tree.start("invoke", "-f", str(fifo)) as process, fifo.open("wb"):
        # Opening it returned, so the command reads now.
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "twofold: interrupted\n")


def test_the_reason_for_an_interrupt_is_on_the_same_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def wait(_: list[str]) -> int:
        raise KeyboardInterrupt("Stack 'hello-dev' goes on in AWS")

    assert cli.guarded(wait, []) == 130
    shown = capsys.readouterr().err
    assert shown == "twofold: interrupted. Stack 'hello-dev' goes on in AWS\n"


def test_a_copied_tree_works_on_itself(tree: Tree) -> None:
    assert tree.run("--version").stdout.endswith(f"({tree.root})\n")
