"""`python -m service COMMAND`: commands with flags that are validated before anything runs."""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from service.settings import Settings

Options = argparse.Namespace
Run = Callable[[Options, Settings], int | None]
Validate = Callable[[Options], Iterable[str]]


@dataclass(frozen=True)
class Flag:
    """One flag of a command, as `argparse.ArgumentParser.add_argument` takes it.

    `parse` turns the text into the value, and raises ValueError with what it expected.
    """

    names: tuple[str, ...]
    help: str
    parse: Callable[[str], Any] | None = None
    default: Any = None
    required: bool = False


@dataclass(frozen=True)
class Command:
    """One command: its name, a summary in one line, its flags, and what it does."""

    name: str
    summary: str
    run: Run
    flags: tuple[Flag, ...] = ()
    validate: Validate | None = None


class Commands:
    """The commands of one command line, in the order in which they were declared."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}

    def command(
        self, name: str, *flags: Flag, summary: str, validate: Validate | None = None
    ) -> Callable[[Run], Run]:
        """Makes the decorated function what `python -m service NAME` runs.

        It gets the parsed flags and the settings, and returns the exit code; None is 0.
        `validate` sees the flags first, and yields one sentence for each thing wrong
        with them; the command then does not run and the exit code is 2.
        """
        if name in self._commands:
            raise ValueError(f"The command {name!r} is declared twice; rename one.")

        def declare(run: Run) -> Run:
            self._commands[name] = Command(name, summary, run, flags, validate)
            return run

        return declare

    def run(self, arguments: Sequence[str], read_settings: Callable[[], Settings]) -> int:
        """The exit code of the command that `arguments` name.

        Raises:
            SystemExit: 0 after --help; 2 when the arguments are wrong, after saying how.
        """
        parsers = _parsers(self._commands)
        options = parsers[""].parse_args(arguments)
        command = self._commands[options.command]
        problems = list(command.validate(options)) if command.validate else []
        if problems:
            parsers[command.name].error("\n".join(problems))
        return command.run(options, read_settings()) or 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\nSee {self.prog} --help.\n")


def _parsers(commands: Mapping[str, Command]) -> dict[str, argparse.ArgumentParser]:
    """The parser of the whole line under the empty name, and each command's under its own."""
    program = _Parser(prog="python -m service", allow_abbrev=False)
    choices = program.add_subparsers(dest="command", metavar="COMMAND", required=True)
    parsers: dict[str, argparse.ArgumentParser] = {"": program}
    for command in commands.values():
        parser = choices.add_parser(
            command.name, help=command.summary, description=command.summary, allow_abbrev=False
        )
        for flag in command.flags:
            _add(parser, flag)
        parsers[command.name] = parser
    return parsers


def _add(parser: argparse.ArgumentParser, flag: Flag) -> None:
    parser.add_argument(
        *flag.names,
        help=flag.help,
        type=_checked(flag.parse or str),
        default=flag.default,
        required=flag.required,
        metavar="VALUE",
    )


def _checked(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def checked(text: str) -> Any:
        try:
            return parse(text)
        except ValueError as expected:
            raise argparse.ArgumentTypeError(f"{text!r}; expected {expected}") from None

    return checked
