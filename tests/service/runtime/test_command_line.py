"""service.runtime.command_line: commands with validated flags, as a service declares its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from service.errors import SettingsError
from service.runtime.command_line import Commands, Flag, Options
from service.settings import Settings


def _days(text: str) -> int:
    if not text.isdigit():
        raise ValueError("a whole number of days")
    return int(text)


def _one_way(options: Options) -> Iterator[str]:
    if options.older_than is not None and options.keep is not None:
        yield "--older-than and --keep exclude each other. Pass one."
    if options.table == "users":
        yield "--table is 'users', which is never purged. Name another."


@dataclass
class Shop:
    """The commands of a service of one's own, and what its `purge` was asked to do."""

    commands: Commands = field(default_factory=Commands)
    purged: list[tuple[str, int | None, str]] = field(default_factory=list)

    def run(self, *arguments: str) -> int:
        return self.commands.run(arguments, lambda: Settings(name="shop"))


@pytest.fixture
def shop() -> Shop:
    shop = Shop()

    @shop.commands.command(
        "purge",
        Flag(("--older-than", "-o"), "days that an order is kept", parse=_days),
        Flag(("--keep",), "orders to keep", parse=int),
        Flag(("--table",), "where the orders are", required=True),
        summary="Delete old orders",
        validate=_one_way,
    )
    def purge(options: Options, settings: Settings) -> int | None:
        shop.purged.append((options.table, options.older_than, settings.name))
        return 3 if options.table == "empty" else None

    return shop


def test_a_command_gets_its_parsed_flags_and_the_settings(shop: Shop) -> None:
    assert shop.run("purge", "--table", "orders", "-o", "30") == 0
    assert shop.purged == [("orders", 30, "shop")]


def test_a_commands_number_is_the_exit_code(shop: Shop) -> None:
    assert shop.run("purge", "--table", "empty") == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["purge", "--table", "orders", "--older-than", "soon"],
            "python -m service purge: error: argument --older-than/-o: "
            "'soon'; expected a whole number of days\n",
        ),
        (
            ["purge"],
            "python -m service purge: error: the following arguments are required: --table\n",
        ),
        (
            ["purge", "--table", "orders", "--force"],
            "python -m service: error: unrecognized arguments: --force\n",
        ),
        ([], "python -m service: error: the following arguments are required: COMMAND\n"),
        (
            ["purge", "--tab", "orders"],
            "python -m service purge: error: the following arguments are required: --table\n",
        ),
    ],
)
def test_a_wrong_flag_is_told_and_nothing_runs(
    shop: Shop, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as end:
        shop.run(*arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.startswith(message)
    assert shop.purged == []


def test_the_commands_own_check_reports_all_problems_at_once(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        shop.run("purge", "--table", "users", "--older-than", "1", "--keep", "2")
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        "python -m service purge: error: --older-than and --keep exclude each other. Pass one.\n"
        "--table is 'users', which is never purged. Name another.\n"
        "See python -m service purge --help.\n"
    )
    assert shop.purged == []


def test_an_unknown_command_is_told_with_the_known_ones(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        shop.run("purgee")
    error = capsys.readouterr().err
    assert "'purgee'" in error
    assert "choose from" in error
    assert "purge" in error


def test_help_lists_the_commands(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        shop.run("--help")
    assert end.value.code == 0
    assert "Delete old orders" in capsys.readouterr().out


def test_help_of_a_command_lists_its_flags(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        shop.run("purge", "--help")
    assert "days that an order is kept" in capsys.readouterr().out


def test_wrong_flags_are_told_before_wrong_settings(shop: Shop) -> None:
    def refuse() -> Settings:
        raise SettingsError("SERVICE_PORT is 'x'.")

    with pytest.raises(SystemExit):
        shop.commands.run(["purge"], refuse)
    with pytest.raises(SettingsError):
        shop.commands.run(["purge", "--table", "orders"], refuse)


def test_a_command_declared_twice_is_an_error(shop: Shop) -> None:
    with pytest.raises(ValueError, match="'purge' is declared twice"):
        shop.commands.command("purge", summary="Again")
