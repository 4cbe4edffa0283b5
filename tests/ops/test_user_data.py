"""user-data.sh, rendered as for a stack and run in a scratch root.

Fakes stand on PATH for what cannot run here: apt-get, apt-cache, snap, useradd, systemctl (which
starts the real supervisord when the unit would), curl (the instance's metadata service, the
download of AWS's helper scripts) and aws. Everything else is real: the script, the artifact's own
install-release, supervisord, the health check. A guest boots the same text under systemd elsewhere.
"""

import fcntl
import getpass
import hashlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from deploy.expression import USER_DATA_LIMIT, user_data
from tests.deploy.evaluator import evaluate
from tests.ops.instances import BUCKET, OPS, PATIENCE, SCRIPTS, Instance, scratch

SOURCE = (OPS / "cloud-init/user-data.sh").read_text()

LOG_GROUP = "/twofold/hello-dev/instances"
HUP = "opt/aws/cfn-bootstrap/bin/cfn-hup"
AGENT_CTL = "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"

RECORD = '#!/bin/sh\necho "${0##*/} $*" >>"$FAKE_AWS/calls"\n'
FAKES = {
    "apt-get": RECORD
    + """
    for last; do :; done
    case $last in *.deb) dpkg-deb --extract "$last" "$TWOFOLD_ROOT" ;; esac
    [ ! -e "$FAKE_AWS/no-archive" ]
    """,
    # Speaks the caller's language, and says more than anybody waits for.
    "apt-cache": """#!/bin/sh
    case ${LC_ALL:-$LANG} in de_*) word=Installationskandidat ;; *) word=Candidate ;; esac
    echo "  $word: 2.23.6-1"
    seq 20000
    """,
    "journalctl": "#!/bin/sh\necho 'supervisord: cannot read its configuration'\n",
    "snap": RECORD,
    "useradd": RECORD,
    "chgrp": RECORD,
    # The metadata service wants its token, as IMDSv2 does.
    "curl": RECORD
    + """
    for argument; do
      case $last in -o) to=$argument ;; esac
      last=$argument
    done
    case $last in
      */api/token) echo of-this-session ;;
      */meta-data/*) grep -qx 'X-aws-ec2-metadata-token: of-this-session' || exit 22 ;;
    esac
    case $last in
      */instance-id) [ ! -e "$FAKE_AWS/no-metadata" ] && echo i-0123456789abcdef0 ;;
      */security-credentials/) [ ! -e "$FAKE_AWS/no-role" ] && echo hello-role ;;
      *.deb) cp "$FAKE_AWS/agent.deb" "$to" ;;
      *.tar.gz) cp "$FAKE_AWS/scripts.tar.gz" "$to" ;;
    esac
    """,
    "systemctl": RECORD
    + """
    [ "$*" = "restart supervisor" ] || exit 0
    if [ -e "$FAKE_AWS/supervisord.pid" ]; then
      read -r running <"$FAKE_AWS/supervisord.pid"
      kill "$running"
      while kill -0 "$running"; do sleep 0.1; done
    fi 2>/dev/null
    set -a
    . "$TWOFOLD_ROOT/etc/hello/instance.env"
    set +a
    mkdir -p "$SERVICE_RUN" "$SERVICE_LOGS"
    config=$SERVICE_HOME/current/ops/supervisor/supervisord.conf
    supervisord -c "$config" >/dev/null 2>&1 &
    echo $! >"$FAKE_AWS/supervisord.pid"
    # It stops when the tests are killed.
    (while kill -0 $! && kill -0 "$TESTS"; do sleep 1; done; kill $!) >/dev/null 2>&1 &
    """,
}


@dataclass
class Boot:
    """One machine before its first boot."""

    instance: Instance
    values: dict[str, str | int] = field(default_factory=dict)
    ran: str = ""

    @property
    def root(self) -> Path:
        return self.instance.root

    @property
    def home(self) -> Path:
        return self.root / "opt/hello"

    @property
    def scratch(self) -> Path:
        return self.root / "tmp"

    def script(self) -> str:
        values: dict[str, str | int] = {
            "service": "hello",
            "fleet": "ServiceFleet",
            "port": self.instance.port,
            "python": "{}.{}".format(*sys.version_info[:2]),
            "log_group": LOG_GROUP,
            "queues": "",
            "worker_queues": "",
            "bootstrap_url": "https://example.invalid/aws-cfn-bootstrap-py3-2.0-39.tar.gz",
            "bootstrap_sha256": "",
            "agent_url": "https://example.invalid/amazon-cloudwatch-agent.deb",
            "agent_sha256": "",
            **self.values,
        }
        return str(evaluate(user_data(SOURCE, values, "user-data.sh")))

    def run(self, **variables: str) -> subprocess.CompletedProcess[str]:
        script = self.root / "user-data"
        script.write_text(self.script())
        inherited = self.instance.environment
        self.scratch.mkdir(exist_ok=True)
        ran = subprocess.run(
            ["bash", script],
            env={
                "PATH": inherited["PATH"],
                "FAKE_AWS": inherited["FAKE_AWS"],
                "TWOFOLD_ROOT": str(self.root),
                "TWOFOLD_USER": inherited["SERVICE_USER"],
                "TWOFOLD_HOST": "127.0.0.1",
                "TWOFOLD_HEALTH_SECONDS": "120",
                "TMPDIR": str(self.scratch),
                "TESTS": str(os.getpid()),
                "SERVICE_TRIAL_SECONDS": "0.3",
                "TWOFOLD_RETRY_SECONDS": "0",
                "PIP_NO_INDEX": "1",
                **variables,
            },
            cwd="/",
            capture_output=True,
            text=True,
            timeout=5 * PATIENCE,
            check=False,
        )
        self.ran = ran.stdout + ran.stderr
        return ran

    def signals(self) -> list[str]:
        calls = [call for call in self.instance.calls() if "signal-resource" in call]
        return [call.partition("--logical-resource-id ")[2] for call in calls]

    def reported(self) -> str:
        events = json.loads((self.instance.cloud / "events").read_text())
        return str(events[0]["message"])

    def reason(self) -> str:
        return self.reported().splitlines()[-1]

    def workers(self) -> list[str]:
        """The HTTP workers' process IDs."""
        control = f"unix://{self.root}/run/hello/supervisor.sock"
        names = ("service:service_0", "service:service_1")
        asked = [str(SCRIPTS / "supervisorctl"), "-s", control, "pid", *names]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()

    def stop(self) -> None:
        recorded = self.instance.cloud / "supervisord.pid"
        if not recorded.exists():
            return
        pid = int(recorded.read_text())
        os.kill(pid, signal.SIGTERM)
        self.instance.until(lambda: not Path(f"/proc/{pid}").exists())


def cfn_scripts(names: dict[str, str]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as archive:
        for name, text in names.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o755
            archive.addfile(entry, io.BytesIO(text.encode()))
    return written.getvalue()


@contextmanager
def bare(root: Path) -> Iterator[Boot]:
    """A machine with AWS's packages in its image, so that few tests install them."""
    made = Boot(scratch(root))
    for name, text in FAKES.items():
        (root / "bin" / name).write_text(text)
        (root / "bin" / name).chmod(0o755)
    for program in (HUP, AGENT_CTL):
        (root / program).parent.mkdir(parents=True)
        (root / program).write_text(RECORD)
        (root / program).chmod(0o755)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def boot(tmp_path: Path) -> Iterator[Boot]:
    with bare(tmp_path.resolve()) as made:
        yield made


@pytest.fixture(scope="module")
def booted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boot]:
    """A machine after a first boot that went well; its tests only look."""
    with bare(tmp_path_factory.mktemp("booted").resolve()) as made:
        made.instance.release("first")
        ran = made.run()
        assert ran.returncode == 0, ran.stdout + ran.stderr
        yield made


SUCCESS = ["ServiceFleet --unique-id i-0123456789abcdef0 --status SUCCESS"]
FAILURE = ["ServiceFleet --unique-id i-0123456789abcdef0 --status FAILURE"]


def test_a_bare_machine_ends_up_serving_the_release(booted: Boot) -> None:
    answer = booted.instance.ask()
    assert (booted.home / "good").readlink() == Path("releases") / answer["digest"]
    assert answer["mode"] == "instance"


def test_success_is_signalled_after_the_health_check(booted: Boot) -> None:
    assert booted.signals() == SUCCESS
    calls = booted.instance.calls()
    assert calls[-1] == "answered 200 at the signal"
    assert "systemctl enable --now cfn-hup" in calls


def test_the_configuration_of_systemd_and_cfn_hup_is_filled_in(booted: Boot) -> None:
    etc = booted.root / "etc"
    drop_in = (etc / "systemd/system/supervisor.service.d/twofold.conf").read_text()
    assert f"EnvironmentFile={booted.root}/etc/hello/instance.env\n" in drop_in
    hup = (etc / "cfn/cfn-hup.conf").read_text()
    assert "stack=hello-dev\nregion=eu-central-1\nrole=hello-role\n" in hup
    hook = (etc / "cfn/hooks.d/release.conf").read_text()
    assert "path=Resources.ServiceFleet.Metadata.Release\n" in hook
    assert "triggers=post.add,post.update\n" in hook
    rendered = [path for path in etc.rglob("*") if path.is_file()]
    assert not [path for path in rendered if re.search("@[A-Z_]+@", path.read_text())]


def test_the_scripts_on_the_instance_know_its_id_and_its_log_group(booted: Boot) -> None:
    variables = (booted.root / "etc/hello/instance.env").read_text()
    assert f"SERVICE_LOG_GROUP={LOG_GROUP}\nSERVICE_INSTANCE=i-0123456789abcdef0\n" in variables


def test_the_workers_know_the_queues(boot: Boot) -> None:
    named = "orders=https://sqs.eu-central-1.amazonaws.com/123456789012/hello-dev-orders.fifo"
    boot.values |= {"queues": named, "worker_queues": "orders"}
    boot.instance.release("first")
    assert boot.run().returncode == 0
    variables = (boot.root / "etc/hello/instance.env").read_text()
    assert f"SERVICE_QUEUES={named}\nSERVICE_WORKER_QUEUES=orders\n" in variables


def test_the_agent_ships_each_log_into_a_stream_of_this_instance(booted: Boot) -> None:
    shipped = json.loads((booted.root / "etc/hello/amazon-cloudwatch-agent.json").read_text())
    files = shipped["logs"]["logs_collected"]["files"]["collect_list"]
    assert {file["log_group_name"] for file in files} == {LOG_GROUP}
    streams = {file["log_stream_name"]: file["file_path"] for file in files}
    assert streams == {
        "i-0123456789abcdef0/service_0": "/var/log/hello/service_0.log",
        "i-0123456789abcdef0/service_1": "/var/log/hello/service_1.log",
        "i-0123456789abcdef0/worker_0": "/var/log/hello/worker_0.log",
        "i-0123456789abcdef0/supervisord": "/var/log/hello/supervisord.log",
        "i-0123456789abcdef0/bootstrap": "/var/log/hello-bootstrap.log",
        "i-0123456789abcdef0/cloud-init": "/var/log/cloud-init-output.log",
        "i-0123456789abcdef0/cfn-hup": "/var/log/cfn-hup.log",
    }
    here = {path for path in streams.values() if (booted.root / path[1:]).exists()}
    assert set(streams.values()) - here == {
        "/var/log/cloud-init-output.log",
        "/var/log/cfn-hup.log",
    }


def test_every_worker_has_a_stream(booted: Boot) -> None:
    shipped = (booted.root / "etc/hello/amazon-cloudwatch-agent.json").read_text()
    assert set(re.findall(r"service_\d", shipped)) == {
        log.stem for log in (booted.root / "var/log/hello").glob("service_*.log")
    }


def test_the_agent_starts_last_so_that_a_failure_is_reported_once(booted: Boot) -> None:
    calls = booted.instance.calls()
    config = booted.root / "etc/hello/amazon-cloudwatch-agent.json"
    start = f"amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s -c file:{config}"
    assert calls.index(start) > calls.index("systemctl enable --now cfn-hup")


def test_the_agents_user_may_read_what_cloud_init_keeps_to_itself(boot: Boot) -> None:
    boot.instance.release("first")
    output = boot.root / "var/log/cloud-init-output.log"
    output.parent.mkdir(parents=True)
    output.touch()
    assert boot.run().returncode == 0
    assert f"chgrp cwagent {output}" in boot.instance.calls()


def test_the_log_ends_with_the_digest(booted: Boot) -> None:
    lines = (booted.root / "var/log/hello-bootstrap.log").read_text().splitlines()
    digest = booted.instance.ask()["digest"]
    assert lines[-1] == f"user-data: hello serves release {digest} on port {booted.instance.port}"


def test_neither_log_nor_command_line_holds_the_metadata_services_token(booted: Boot) -> None:
    log = (booted.root / "var/log/hello-bootstrap.log").read_text()
    calls = booted.instance.calls()
    assert [call for call in calls if call.endswith("/meta-data/instance-id")]
    assert "of-this-session" not in log + booted.ran + "".join(calls)


def test_a_second_run_by_hand_stops_no_worker(boot: Boot) -> None:
    digest = boot.instance.release("first")
    assert boot.run().returncode == 0
    pids = boot.workers()
    with boot.instance.load() as answers:
        ran = boot.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert boot.workers() == pids
    assert (answers.digests, answers.lost) == ({digest}, [])


def test_a_run_by_hand_brings_a_stopped_supervisord_back(boot: Boot) -> None:
    digest = boot.instance.release("first")
    assert boot.run().returncode == 0
    boot.stop()
    assert boot.run().returncode == 0
    assert boot.instance.ask()["digest"] == digest


def test_nothing_is_left_of_what_was_only_needed_meanwhile(booted: Boot, boot: Boot) -> None:
    assert list(booted.scratch.iterdir()) == []
    boot.instance.release("bad", "crash")
    assert boot.run().returncode == 1
    assert list(boot.scratch.iterdir()) == []


def test_a_machine_without_room_for_a_file_signals_failure(boot: Boot) -> None:
    assert boot.run(TMPDIR=str(boot.root / "full")).returncode == 1
    assert boot.signals() == FAILURE
    assert boot.reason() == (
        f"user-data: error: cannot make a folder in {boot.root}/full; is the disk full?"
    )


def test_a_log_that_could_not_be_written_is_said_to_be_empty(boot: Boot) -> None:
    log = boot.root / "var/log/hello-bootstrap.log"
    log.parent.mkdir(parents=True)
    log.symlink_to("/dev/null")
    assert boot.run().returncode == 1
    assert boot.signals() == FAILURE
    assert boot.reported() == "The log is empty; is the disk full?"


def test_the_first_release_finds_the_services_own_folder(booted: Boot, boot: Boot) -> None:
    assert (booted.root / "var/lib/hello").owner() == getpass.getuser()
    boot.instance.release("one that does not start", "crash")
    assert boot.run().returncode == 1
    assert (boot.root / "var/lib/hello").is_dir()  # it was tried before systemd could make it


def test_a_name_that_is_another_programs_signals_failure(boot: Boot) -> None:
    (boot.root / "var/lib/hello").mkdir(parents=True)
    assert boot.run(TWOFOLD_USER="nobody").returncode == 1
    assert boot.signals() == FAILURE
    assert boot.reason() == (
        f"user-data: error: {boot.root}/var/lib/hello is {getpass.getuser()}'s; "
        "the service needs another name"
    )


def test_a_failure_before_the_aws_cli_is_there_says_that_nobody_is_told(boot: Boot) -> None:
    system = "/usr/sbin:/usr/bin:/sbin:/bin"
    if shutil.which("aws", path=system):
        pytest.skip("this machine has an AWS CLI of its own in /usr/bin")
    (boot.instance.cloud / "no-archive").touch()
    (boot.root / "bin/aws").unlink()
    ran = boot.run(PATH=f"{boot.root}/bin:{system}")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1] == (
        "user-data: error: the AWS CLI is not there yet: no log is sent and no signal"
    )


def test_a_tampered_artifact_is_not_unpacked_and_signals_failure(boot: Boot) -> None:
    boot.instance.release("first", digest="b" * 64)
    ran = boot.run()
    assert ran.returncode == 1
    assert f"expected {'b' * 64}; nothing was unpacked" in ran.stdout
    assert boot.signals() == FAILURE
    assert boot.reason().startswith("user-data: error: sha256 of s3://")
    assert boot.reason().endswith(f"expected {'b' * 64}; nothing was unpacked")
    assert not (boot.home / "releases").exists()


def test_a_service_that_never_gets_healthy_signals_failure_with_the_reason(boot: Boot) -> None:
    boot.instance.release("bad", "unhealthy")
    ran = boot.run(SERVICE_HEALTH_SECONDS="10")
    assert ran.returncode == 1
    assert boot.signals() == FAILURE
    assert boot.reason().startswith("user-data: error: the release cannot be installed: release ")
    assert "/healthz answered 500" in boot.reason()


def test_a_service_that_crashes_reports_its_last_words(boot: Boot) -> None:
    boot.instance.release("bad", "crash")
    assert boot.run().returncode == 1
    assert boot.signals() == FAILURE
    assert boot.reason().startswith("user-data: error: the release cannot be installed: release ")
    assert "cannot start: no database" in boot.reason()


def test_a_supervisord_that_never_comes_up_reports_why(boot: Boot) -> None:
    (boot.root / "bin/systemctl").write_text(RECORD)
    digest = boot.instance.release("first")
    assert boot.run(TWOFOLD_HEALTH_SECONDS="1").returncode == 1
    assert boot.reason() == f"user-data: error: release {digest} is not healthy after 1 s"
    assert "supervisord: cannot read its configuration" in boot.reported()
    assert boot.signals() == FAILURE


def test_metadata_out_of_reach_signals_failure(boot: Boot) -> None:
    ran = boot.run()
    assert ran.returncode == 1
    assert "attempt 5 of 5 failed: aws" in ran.stdout
    assert boot.reason() == (
        "user-data: error: cannot read the metadata of ServiceFleet in stack hello-dev"
    )
    assert boot.signals() == FAILURE


def test_metadata_without_a_release_signals_failure(boot: Boot) -> None:
    (boot.instance.cloud / "metadata").write_text('{"Other": 1}\n')
    assert boot.run().returncode == 1
    assert boot.reason() == (
        "user-data: error: the metadata of ServiceFleet in stack hello-dev names no release"
    )
    assert boot.signals() == FAILURE


def test_an_archive_out_of_reach_signals_failure(boot: Boot) -> None:
    (boot.instance.cloud / "no-archive").touch()
    assert boot.run().returncode == 1
    assert boot.reason() == (
        "user-data: error: apt-get update failed; the instance needs a way to its package archive"
    )
    assert boot.signals() == FAILURE


def test_an_index_that_does_not_come_is_an_error(booted: Boot) -> None:
    """apt-get update exits with 0 otherwise, and the packages are then not to be found."""
    updates = [call for call in booted.instance.calls() if call.endswith(" update")]
    assert updates
    assert all("-o APT::Update::Error-Mode=any" in call for call in updates)


def test_the_aws_cli_comes_from_the_archive_whatever_the_language(boot: Boot) -> None:
    boot.instance.release("first")
    assert boot.run(LANG="de_DE.UTF-8").returncode == 0
    (installed,) = [call for call in boot.instance.calls() if " install " in call]
    assert installed.endswith(" unzip awscli")


def test_an_image_with_another_python_signals_failure(boot: Boot) -> None:
    boot.values["python"] = "3.99"
    assert boot.run().returncode == 1
    assert boot.reason().startswith("user-data: error: this image has Python 3.")
    assert "the release needs Python 3.99; choose the image that belongs to it" in boot.reason()
    assert boot.signals() == FAILURE


def test_an_instance_without_a_role_signals_failure(boot: Boot) -> None:
    (boot.instance.cloud / "no-role").touch()
    assert boot.run().returncode == 1
    assert boot.reason() == (
        "user-data: error: the instance has no role; give the launch template an instance profile"
    )
    assert boot.signals() == FAILURE


def test_a_log_group_out_of_reach_is_said_and_changes_nothing(boot: Boot) -> None:
    """As without a role: what AWS refuses is not tried for ever, and the console has the log."""
    aws = boot.root / "bin/aws"
    aws.rename(aws.with_name("aws-that-works"))
    aws.write_text('#!/bin/sh\n[ "$1" != logs ] && exec aws-that-works "$@"\nexit 255\n')
    aws.chmod(0o755)
    ran = boot.run()
    assert ran.returncode == 1
    assert f"user-data: the log did not reach {LOG_GROUP}" in ran.stderr
    assert boot.signals() == FAILURE


def test_without_a_metadata_service_nothing_can_be_sent(boot: Boot) -> None:
    (boot.instance.cloud / "no-metadata").touch()
    ran = boot.run()
    assert ran.returncode == 1
    log = (boot.root / "var/log/hello-bootstrap.log").read_text().splitlines()
    assert log[-1] == (
        "user-data: error: the metadata service at http://169.254.169.254/latest does not say the "
        "instance's ID"
    )
    assert ran.stderr.endswith(
        "user-data: error: the metadata service does not answer: no log is sent and no signal\n"
    )
    assert boot.signals() == []


def test_a_step_that_fails_by_itself_is_named(boot: Boot) -> None:
    (boot.root / "bin/unzip").write_text("#!/bin/sh\nexit 9\n")
    (boot.root / "bin/useradd").write_text("#!/bin/sh\nexit 1\n")
    boot.instance.release("first")
    ran = boot.run(TWOFOLD_USER="nobody-of-this-name")
    assert ran.returncode == 1
    assert re.fullmatch(r"user-data: error: line \d+: useradd .*", boot.reason())


BACKEND = """
import zipfile
def build_wheel(folder, settings=None, metadata=None):
    name = "aws_cfn_bootstrap-2.0-py3-none-any.whl"
    info = "aws_cfn_bootstrap-2.0.dist-info/"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        script = zipfile.ZipInfo("aws_cfn_bootstrap-2.0.data/scripts/cfn-hup")
        script.external_attr = 0o100755 << 16
        wheel.writestr(script, "#!python\\n")
        wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: aws-cfn-bootstrap\\nVersion: 2.0\\n")
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(info + "RECORD", "")
    return name
"""  # noqa: E501 - a wheel's metadata, line by line
STAND_IN = {
    "aws-cfn-bootstrap-2.0-39/bin/cfn-hup": "#!/usr/bin/env python\n",
    "aws-cfn-bootstrap-2.0-39/backend.py": BACKEND,
    "aws-cfn-bootstrap-2.0-39/pyproject.toml": (
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    ),
}


def test_the_helper_scripts_get_an_environment_of_their_own(boot: Boot) -> None:
    """A stand-in package of the same form: AWS publishes the real one on S3 only."""
    boot.instance.release("first")
    (boot.root / "opt/aws/cfn-bootstrap/bin/cfn-hup").unlink()
    (boot.instance.cloud / "scripts.tar.gz").write_bytes(cfn_scripts(STAND_IN))
    ran = boot.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    installed = boot.root / "opt/aws/cfn-bootstrap"
    assert (installed / "pyvenv.cfg").exists()
    assert os.access(installed / "bin/cfn-hup", os.X_OK)


@pytest.mark.parametrize(
    ("values", "names", "reason"),
    [
        ({"bootstrap_sha256": "c" * 64}, STAND_IN, f"expected {'c' * 64}"),
        ({"bootstrap_url": "http://example.invalid/a.tar.gz"}, STAND_IN, "is not https"),
        ({}, {"something-else/bin/cfn-hup": ""}, "does not hold aws-cfn-bootstrap 2.x"),
        ({}, STAND_IN | {"aws-cfn-bootstrap-2.0-39/../../x": ""}, "does not hold aws-cfn-"),
        ({}, {"aws-cfn-bootstrap-1.4/bin/cfn-hup": ""}, "does not hold aws-cfn-bootstrap 2.x"),
    ],
    ids=["other digest", "http", "other archive", "climbs out", "version 1"],
)
def test_helper_scripts_that_are_not_aws_own_signal_failure(
    boot: Boot, values: dict[str, str], names: dict[str, str], reason: str
) -> None:
    boot.values |= values
    (boot.root / "opt/aws/cfn-bootstrap/bin/cfn-hup").unlink()
    (boot.instance.cloud / "scripts.tar.gz").write_bytes(cfn_scripts(names))
    assert boot.run().returncode == 1
    assert reason in boot.reason()
    assert boot.signals() == FAILURE


def package(folder: Path, name: str) -> bytes:
    """A .deb of this name with the agent's control program, as dpkg-deb makes it."""
    program = folder / "package" / AGENT_CTL
    program.parent.mkdir(parents=True)
    program.write_text(RECORD)
    program.chmod(0o755)
    (folder / "package/DEBIAN").mkdir()
    (folder / "package/DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody\nDescription: None\n"
    )
    subprocess.run(["dpkg-deb", "--build", "package", "a.deb"], cwd=folder, check=True)
    return (folder / "a.deb").read_bytes()


dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="needs Debian's dpkg-deb")


@dpkg
def test_the_agent_is_installed_from_its_package(boot: Boot, tmp_path: Path) -> None:
    boot.instance.release("first")
    (boot.root / AGENT_CTL).unlink()
    found = package(tmp_path, "amazon-cloudwatch-agent")
    (boot.instance.cloud / "agent.deb").write_bytes(found)
    boot.values["agent_sha256"] = hashlib.sha256(found).hexdigest()
    boot.values["agent_url"] = "http://example.invalid/amazon-cloudwatch-agent.deb"
    ran = boot.run()
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert os.access(boot.root / AGENT_CTL, os.X_OK)


@dpkg
@pytest.mark.parametrize(
    ("values", "name", "reason"),
    [
        ({"agent_sha256": "c" * 64}, "amazon-cloudwatch-agent", f"expected {'c' * 64}"),
        ({"agent_url": "http://example.invalid/a.deb"}, "amazon-cloudwatch-agent", "is not https"),
        ({}, "another-agent", "is the package 'another-agent', not amazon-cloudwatch-agent"),
        ({}, "", "https://example.invalid/amazon-cloudwatch-agent.deb is no Debian package"),
    ],
    ids=["other digest", "http", "other package", "no package"],
)
def test_an_agent_that_is_not_amazons_signals_failure(
    boot: Boot, tmp_path: Path, values: dict[str, str], name: str, reason: str
) -> None:
    boot.values |= values
    (boot.root / AGENT_CTL).unlink()
    found = package(tmp_path, name) if name else b"<html>not found</html>"
    (boot.instance.cloud / "agent.deb").write_bytes(found)
    assert boot.run().returncode == 1
    assert reason in boot.reason()
    assert not [call for call in boot.instance.calls() if call.endswith(".deb") and " -y " in call]
    assert boot.signals() == FAILURE


def test_an_agent_that_does_not_start_signals_failure(boot: Boot) -> None:
    boot.instance.release("first")
    (boot.root / AGENT_CTL).write_text("#!/bin/sh\necho 'invalid configuration'\nexit 1\n")
    assert boot.run().returncode == 1
    assert "invalid configuration" in boot.reported()
    assert boot.reason() == "user-data: error: Amazon's CloudWatch agent does not start"
    assert boot.signals() == FAILURE


def test_where_the_archive_has_no_aws_cli_a_snap_brings_it(boot: Boot) -> None:
    """Ubuntu 24.04 has none; here `aws` appears when the snap is installed."""
    boot.instance.release("first")
    binaries = boot.root / "bin"
    (binaries / "apt-cache").write_text("#!/bin/sh\necho '  Candidate: (none)'\n")
    (binaries / "aws").rename(binaries / "aws-of-the-snap")
    (binaries / "snap").write_text(RECORD + f'mv "{binaries}/aws-of-the-snap" "{binaries}/aws"\n')
    ran = boot.run(PATH=f"{binaries}:{Path(sys.executable).parent}:/usr/bin:/bin")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "snap install aws-cli --classic" in boot.instance.calls()


@pytest.mark.parametrize("lock", ["lib/apt/lists/lock", "cache/apt/archives/lock"])
def test_an_apt_that_is_at_work_is_waited_for(boot: Boot, lock: str) -> None:
    """As AWS's images are: their daily update begins with their first boot."""
    boot.instance.release("first")
    held, log = boot.root / "var" / lock, boot.root / "var/log/hello-bootstrap.log"
    held.parent.mkdir(parents=True)
    said = f"user-data: waiting for {held}, which another apt holds\n"
    with held.open("w") as file, ThreadPoolExecutor() as executor:
        fcntl.lockf(file, fcntl.LOCK_EX)
        running = executor.submit(boot.run)
        try:
            boot.instance.until(
                lambda: running.done() or (log.exists() and said in log.read_text())
            )
            calls = boot.instance.calls()
        finally:
            fcntl.lockf(file, fcntl.LOCK_UN)
    ran = running.result()
    assert not [call for call in calls if call.startswith("apt-get")]
    assert ran.returncode == 0, boot.ran
    assert log.read_text().count(said) == 1


def test_the_text_fits_and_names_no_artifact(boot: Boot) -> None:
    text = boot.script()
    assert len(text.encode()) < USER_DATA_LIMIT * 0.9
    assert "s3://$bucket/$key" in text
    assert BUCKET not in text
    assert "/artifacts/" not in text
    assert not re.search("[0-9a-f]{64}", text)
    assert "{{" not in text
    assert '"Ref"' not in text
