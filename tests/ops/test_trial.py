"""trial.py: a release is started for real, beside what serves."""

import grp
import os
import pwd
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.ops.instances import PATIENCE, until

INSTANCE = Path(__file__).parents[2] / "ops/instance"
DIGEST = "a" * 64
SERVE = """
import json, os, socket, sys
listener = socket.socket(fileno=0)
body = json.dumps({"digest": os.environ["SERVICE_DIGEST"]}).encode()
print("accepts from", listener.getsockname(), flush=True)
for _ in range(ANSWERS):
    connection, _ = listener.accept()
    connection.recv(65536)
    head = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
    connection.sendall(head + body)
    connection.close()
"""


def release(tmp_path: Path, service: str) -> Path:
    folder = tmp_path / "releases" / DIGEST
    (folder / "service").mkdir(parents=True)
    (folder / "service/__main__.py").write_text(service)
    (folder / "ops/instance").mkdir(parents=True)
    (folder / "ops/instance/serve.sh").write_bytes((INSTANCE / "serve.sh").read_bytes())
    return folder


def tried(
    folder: Path,
    *,
    seconds: str = "60",
    stay: str = "0.2",
    user: str = "",
    python: str | Path = sys.executable,
) -> subprocess.CompletedProcess[str]:
    asked = ["--release", str(folder), "--seconds", seconds, "--stay", stay]
    who = ["--user", user or pwd.getpwuid(os.getuid()).pw_name, "--parent", str(os.getpid())]
    return subprocess.run(
        [sys.executable, "-EsB", INSTANCE / "trial.py", *asked, *who],
        env=os.environ | {"SERVICE_PYTHON": str(python)},
        capture_output=True,
        text=True,
        timeout=5 * PATIENCE,
        check=False,
    )


def test_a_release_that_answers_and_stays_will_do(tmp_path: Path) -> None:
    ran = tried(release(tmp_path, SERVE.replace("ANSWERS", "100")))
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_a_release_that_ends_at_once_is_told_with_its_last_line_first(tmp_path: Path) -> None:
    ran = tried(release(tmp_path, "print('connecting ...')\nraise SystemExit('no database')\n"))
    assert ran.returncode == 65
    assert ran.stdout == ("it ended with exit status 1: no database\nconnecting ...\nno database\n")


def test_a_release_that_ends_after_its_answer_is_told(tmp_path: Path) -> None:
    ran = tried(release(tmp_path, SERVE.replace("ANSWERS", "1")), stay="60")
    assert ran.returncode == 65
    assert ran.stdout.startswith("it ended with exit status 0 after it had answered: accepts from")
    assert "('127.0.0.1', " in ran.stdout


def test_a_release_that_a_signal_ends_is_told_by_its_name(tmp_path: Path) -> None:
    ran = tried(release(tmp_path, "import os; os.kill(os.getpid(), 11)\n"))
    assert (ran.returncode, ran.stdout) == (65, "it was ended by SIGSEGV\n\n")


def test_a_release_that_never_answers_is_killed_though_it_does_not_want_to_stop(
    tmp_path: Path,
) -> None:
    stubborn = "import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint('deaf', flush=True)\n"
    forked = (
        "import os\nchild = os.fork()\nif child: print(os.getpid(), child, flush=True)\n"
        "while True: time.sleep(60)\n"
    )
    ran = tried(release(tmp_path, stubborn + forked), seconds="8")
    assert ran.returncode == 65
    reason, _, pids, _ = ran.stdout.split("\n")
    assert reason.startswith("/healthz did not answer: ")
    both = [Path("/proc", pid) for pid in pids.split()]
    assert len(both) == 2
    until(lambda: not any(process.exists() for process in both))


def test_only_the_end_of_much_output_is_shown(tmp_path: Path) -> None:
    ran = tried(release(tmp_path, "print('x\\n' * 100_000)\nraise SystemExit('the end')\n"))
    assert ran.stdout.startswith("it ended with exit status 1: the end\n")
    assert ran.stdout.endswith("x\nx\nthe end\n") or ran.stdout.endswith("x\n\nthe end\n")
    assert len(ran.stdout) < 9000


def test_an_unknown_user_is_no_fault_of_the_release(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root starts processes as somebody else")
    ran = tried(release(tmp_path, SERVE.replace("ANSWERS", "100")), user="nobody-of-this-name")
    assert ran.returncode == 74
    assert "nobody-of-this-name" in ran.stdout


def test_root_tries_it_as_the_services_user() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root starts processes as somebody else")
    with tempfile.TemporaryDirectory() as name:  # tmp_path is for root's eyes only
        root = Path(name)
        root.chmod(0o755)
        python = root / "python"
        python.write_text('#!/bin/sh\necho "$(id -un) $(id -gn) $(id -Gn) $HOME $USER"\nexit 1\n')
        python.chmod(0o755)
        ran = tried(release(root, ""), user="nobody", python=python)
    found = pwd.getpwnam("nobody")
    group = grp.getgrgid(found.pw_gid).gr_name
    assert ran.stdout.splitlines()[1] == f"nobody {group} {group} {found.pw_dir} nobody"
