"""The supervisor files as the real supervisord reads them."""

import configparser
import re
import stat
import subprocess
from pathlib import Path

import pytest

from service.settings import Settings
from tests.ops.instances import Instance

OPS = Path(__file__).parents[2] / "ops"


def program(name: str = "fcgi-program:service") -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";",))
    parser.read((OPS / "supervisor/service.conf", OPS / "supervisor/worker.conf"))
    return parser[name]


def test_a_worker_has_longer_to_stop_than_it_takes_to_drain_and_finish() -> None:
    defaults = Settings()
    assert int(program()["stopwaitsecs"]) > defaults.drain_seconds + defaults.grace_seconds


def test_two_workers_share_the_socket_so_that_one_can_restart() -> None:
    assert int(program()["numprocs"]) >= 2


def test_a_queue_worker_has_longer_to_stop_than_it_gives_its_messages() -> None:
    assert int(program("program:worker")["stopwaitsecs"]) > Settings().worker_grace_seconds


def test_systemd_waits_for_one_program_after_the_other() -> None:
    drop_in = (OPS / "systemd/supervisor.conf").read_text()
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)$", drop_in, re.MULTILINE)
    programs = program(), program("program:worker")
    assert int(seconds) > sum(int(each["stopwaitsecs"]) for each in programs)


@pytest.mark.parametrize("name", ["fcgi-program:service", "program:worker"])
def test_every_log_is_rotated(name: str) -> None:
    assert program(name)["stdout_logfile_maxbytes"] == "20MB"
    assert program(name).getint("stdout_logfile_backups") == 5
    assert program(name).getboolean("redirect_stderr")


def test_only_the_owner_may_control_the_workers(steady: Instance) -> None:
    mode = (steady.root / "run/supervisor.sock").stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o700


def test_the_operators_command_lists_the_workers(steady: Instance) -> None:
    steady.until(lambda: steady.state("worker:worker_0") == "EXITED")
    script = steady.home / "current/ops/instance/supervisorctl.sh"
    ran = subprocess.run(
        ["bash", script, "status"],
        env=steady.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line.split()[:2] for line in ran.stdout.splitlines()] == [
        ["service:service_0", "RUNNING"],
        ["service:service_1", "RUNNING"],
        ["worker:worker_0", "EXITED"],
    ]


def test_each_worker_logs_to_a_file_of_its_own(steady: Instance) -> None:
    for number in (0, 1):
        log = steady.root / f"logs/service_{number}.log"
        assert log.read_text() == f"serving {steady.link('current')}\n"


def test_a_worker_imports_from_its_release_and_the_standard_library_only(steady: Instance) -> None:
    path = steady.ask()["path"]
    assert path[0] == str(steady.home / "releases" / steady.link("current"))
    assert not [entry for entry in path if "site-packages" in entry]


def test_a_killed_worker_comes_back(steady: Instance) -> None:
    before = steady.workers()
    first = next(iter(before))
    steady.kill(first)
    steady.until(lambda: len(steady.workers()) == 2 and first not in steady.workers())
    assert set(steady.workers().values()) == {steady.link("current")}
