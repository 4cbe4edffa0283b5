"""Flags out of settings."""

from __future__ import annotations

from typing import Any

import click
import pytest
from click.testing import CliRunner

from deploy.flags import settings_flags
from deploy.setting import REQUIRED, Setting, optional, text

WORD = text(r"[a-z]+", "a word")
KEY = Setting("key", optional(WORD), "The key.", None, short="k")
SIZE = Setting("instance_type", WORD, "The type.", "small")
NEEDED = Setting("needed", WORD, "Must be there.", REQUIRED)


@pytest.fixture
def command() -> click.Command:
    @click.command()
    @settings_flags((KEY, SIZE, NEEDED))
    @click.option("--other", default="x")
    def show(flags: dict[str, Any], other: str) -> None:
        click.echo(f"{flags} {other}")

    return show


def printed(command: click.Command, *arguments: str) -> str:
    return CliRunner().invoke(command, arguments, catch_exceptions=False).output


def test_what_was_typed_arrives_as_it_was_typed(command: click.Command) -> None:
    assert printed(command, "-k", "No!", "--instance-type", "", "--other", "y") == (
        "{'key': 'No!', 'instance_type': ''} y\n"
    )


def test_what_was_not_typed_is_not_there(command: click.Command) -> None:
    assert printed(command) == "{} x\n"


def test_a_long_flag_does_for_a_short_one(command: click.Command) -> None:
    assert printed(command, "--key", "mine") == "{'key': 'mine'} x\n"


def test_the_help_is_the_settings_in_their_order(command: click.Command) -> None:
    shown = printed(command, "--help").splitlines()
    flags = [line.strip().split("  ")[0] for line in shown if line.lstrip().startswith("-")]
    assert flags == [
        "-k, --key VALUE",
        "--instance-type VALUE",
        "--needed VALUE",
        "--other TEXT",
        "--help",
    ]
    assert any(line.endswith("The type.  [default: small]") for line in shown)
    assert any(line.endswith("Must be there.  [required]") for line in shown)
