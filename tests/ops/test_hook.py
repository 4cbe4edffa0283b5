"""The action of cfn-hup's hook, run by a shell as `su root -c` runs it."""

import configparser
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ops.instances import OPS, PATIENCE, until

# Says something, waits until it may go on, and ends with exit status 3.
INSTALLER = """
echo "install-release: restarting on 3f…"
while [ ! -e "$RELEASED" ]; do sleep 0.05; done
echo "install-release: error: not healthy" >&2
touch "$ENDED"
exit 3
"""
JOURNAL = '#!/bin/sh\necho "systemd-cat $*" >>"$JOURNAL"\ncat >>"$JOURNAL"\n'


@dataclass
class Hook:
    """One run of the action in a scratch root."""

    root: Path
    running: subprocess.Popen[str]

    def go_on(self) -> None:
        (self.root / "released").touch()

    def journal(self) -> str:
        written = self.root / "journal"
        return written.read_text() if written.exists() else ""


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[Hook]:
    installer = tmp_path / "opt/current/ops/instance/install-release.sh"
    installer.parent.mkdir(parents=True)
    installer.write_text(INSTALLER)
    (tmp_path / "systemd-cat").write_text(JOURNAL)
    (tmp_path / "systemd-cat").chmod(0o755)
    environment = {
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "RELEASED": str(tmp_path / "released"),
        "ENDED": str(tmp_path / "ended"),
        "JOURNAL": str(tmp_path / "journal"),
    }
    with subprocess.Popen(
        ["bash", "-c", action(tmp_path / "opt")],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        made = Hook(tmp_path, running)
        try:
            yield made
        finally:
            made.go_on()


def action(home: Path) -> str:
    """As cfn-hup reads it; its parser takes % for itself."""
    text = (OPS / "cfn-hup/hooks.d/release.conf").read_text()
    parser = configparser.ConfigParser()
    parser.read_string(text.replace("@HOME@", str(home)).replace("@ENV@", "/etc/hello.env"))
    return parser["release"]["action"]


def test_cfn_hup_gets_exit_status_and_output_so_that_its_log_has_them(hook: Hook) -> None:
    hook.go_on()
    said, _ = hook.running.communicate(timeout=PATIENCE)
    assert said == "install-release: restarting on 3f\ninstall-release: error: not healthy\n"
    assert hook.running.returncode == 3


def test_the_journal_has_each_line_as_it_comes(hook: Hook) -> None:
    until(
        lambda: (
            hook.journal() == "systemd-cat -t install-release\ninstall-release: restarting on 3f…\n"
        )
    )
    hook.go_on()
    until(lambda: hook.journal().endswith("install-release: error: not healthy\n"))
    hook.running.communicate(timeout=PATIENCE)


def test_a_release_is_finished_when_cfn_hup_is_killed_meanwhile(hook: Hook) -> None:
    until(lambda: hook.journal().endswith("install-release: restarting on 3f…\n"))
    reader = hook.running.stdout
    assert reader is not None
    reader.close()
    hook.go_on()
    until((hook.root / "ended").exists)
    until(lambda: hook.journal().endswith("install-release: error: not healthy\n"))
    hook.running.wait(timeout=PATIENCE)
