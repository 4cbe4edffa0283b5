"""`python -m service COMMAND`."""

import sys
from collections.abc import Sequence

from service.commands import commands
from service.errors import ServiceError
from service.settings import Settings, current


def main(arguments: Sequence[str]) -> int:
    """The exit code; a ServiceError is told in its own words, without a traceback."""
    try:
        return commands.run(arguments, _settings)
    except ServiceError as error:
        print(f"service: error: {error}", file=sys.stderr)  # noqa: T201 - before and beside the log
        return error.exit_code


def _settings() -> Settings:
    from service.runtime import logs  # only once a command really runs: --help stays quick

    settings = current()
    logs.configure(settings)
    return settings


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
