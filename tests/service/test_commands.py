"""service.commands: the example that its users copy."""

from __future__ import annotations

import sys
import textwrap
from types import ModuleType
from typing import Any

import pytest

from service import commands
from service.runtime.command_line import Commands
from service.settings import Settings


def test_the_example_of_a_command_runs(capsys: pytest.CaptureFixture[str]) -> None:
    purged: list[Any] = []
    orders = ModuleType("service.orders")
    orders.__dict__["purge"] = lambda *given: purged.append(given)
    sys.modules[orders.__name__] = orders
    try:
        declared = Commands()
        _, _, example = (commands.__doc__ or "").partition("For example:\n")
        names = {**vars(commands), "commands": declared}
        exec(f"from __future__ import annotations\n{textwrap.dedent(example)}", names)  # as pasted
        run = ["purge", "--table", "orders"]
        assert declared.run([*run, "--older-than", "30"], Settings) == 0
        with pytest.raises(SystemExit):
            declared.run([*run, "--older-than", "30", "--keep", "9"], Settings)
    finally:
        del sys.modules[orders.__name__]
    assert purged == [("orders", 30, None)]
    assert "exclude each other" in capsys.readouterr().err
