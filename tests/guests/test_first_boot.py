"""The first boot of an instance: on both Debians, with the packages there and without."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guests.boots import OTHER_PYTHON, Boot, booted, interpreter
from tests.guests.clouds import Project, copied
from tests.guests.conftest import Figure

# What everybody who can read the metadata of the instance gets, and nobody else may.
CREDENTIALS = r"""
imds=http://169.254.169.254/latest
token=$(curl -fsS -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$imds/api/token")
of_role=$imds/meta-data/iam/security-credentials/
role=$(curl -fsS -H "X-aws-ec2-metadata-token: $token" "$of_role")
curl -fsS -H "X-aws-ec2-metadata-token: $token" "$of_role$role"
"""
LISTENERS = r"""
for pid in $(ss -ltnpH 'sport = :9999' | grep -o 'pid=[0-9]*' | cut -d = -f 2 | sort -u); do
  echo "$(stat -c %U "/proc/$pid") $(tr '\0' ' ' <"/proc/$pid/cmdline")"
done
"""


@pytest.fixture(scope="module")
def bare_boot(tmp_path_factory: pytest.TempPathFactory, figure: Figure) -> Iterator[Boot]:
    """A guest of the other Debian and its Python, on an image without the packages."""
    path = interpreter(OTHER_PYTHON, tmp_path_factory.mktemp("bin"))
    environment = {
        "TWOFOLD_PYTHON": OTHER_PYTHON,
        "PATH": f"{path}{os.pathsep}{os.environ['PATH']}",
    }
    project = Project(copied(tmp_path_factory.mktemp("bare")), environment)
    with booted(project, "--bare", python=OTHER_PYTHON) as boot:
        figure("bare image, start to first answer", f"{boot.seconds:.1f} s")
        yield boot


@pytest.fixture(scope="module", params=["bare", "prepared"])
def boot(request: pytest.FixtureRequest) -> Boot:
    name = {"bare": "bare_boot", "prepared": "first_boot"}[request.param]
    return request.getfixturevalue(name)  # type: ignore[no-any-return]


def test_cloud_init_finishes_without_an_error(boot: Boot) -> None:
    guest = boot.guest
    assert guest.status("cloud-init status --wait") == 0, guest.shell("cloud-init status --long")
    result = json.loads(guest.shell("cat /run/cloud-init/result.json"))["v1"]
    assert result["errors"] == []
    assert "[WARNING]" not in guest.shell("cat /var/log/cloud-init.log")
    assert guest.shell("systemctl is-system-running").strip() == "running"


def test_a_bare_image_gets_its_packages_from_the_archive(bare_boot: Boot) -> None:
    installed = (bare_boot.guest.folder / "upper/var/log/dpkg.log").read_text()
    for package in ("supervisor", "awscli", "amazon-cloudwatch-agent"):
        assert f" install {package}:" in installed


def test_the_release_of_the_stack_is_installed_whole(boot: Boot) -> None:
    release = boot.playing.status()["release"]
    stored = boot.playing.aws("s3").get_object(Bucket=release["bucket"], Key=release["key"])
    artifact = stored["Body"].read()
    assert hashlib.sha256(artifact).hexdigest() == release["sha256"]
    assert boot.guest.link("current") == boot.guest.link("good") == release["sha256"]
    folder = boot.guest.folder / "upper/opt/hello/releases" / release["sha256"]
    with zipfile.ZipFile(io.BytesIO(artifact)) as archive:
        expected = {name: archive.read(name) for name in archive.namelist()}
    assert _files(folder) == expected


def test_the_service_answers_with_the_digest_of_the_stack(boot: Boot) -> None:
    health = json.loads(boot.guest.shell("curl -fsS http://127.0.0.1:9999/healthz"))
    digest = boot.playing.status()["release"]["sha256"]
    assert (health["status"], health["mode"], health["digest"]) == ("ok", "instance", digest)
    assert boot.playing.instances()[boot.guest.id]["digest"] == digest


def test_it_runs_under_the_python_that_it_was_built_for(boot: Boot) -> None:
    facts = json.loads(boot.guest.shell("cat /opt/hello/current/artifact.json"))
    assert facts["python"] == boot.python
    for pid in boot.guest.workers().values():
        assert boot.guest.shell(f"readlink /proc/{pid}/exe").strip() == (
            f"/usr/bin/python{boot.python}"
        )


def test_nothing_that_serves_runs_as_root(boot: Boot) -> None:
    listeners = boot.guest.shell(LISTENERS).splitlines()
    assert len(listeners) == 3, listeners  # supervisord and two workers
    assert all(line.startswith("twofold ") for line in listeners), listeners
    served = boot.witness.commands("-m service http-server")
    assert len(served) >= 3, "two workers, and the trial before them"
    assert 0 not in {seen.user for seen in served}


def test_only_its_user_may_control_supervisord(boot: Boot) -> None:
    said = boot.guest.shell("stat -c '%F %a %U' /run/hello/supervisor.sock")
    assert said.strip() == "socket 700 twofold"


def test_success_is_signalled_after_the_service_has_answered(boot: Boot) -> None:
    signals = boot.witness.commands("cloudformation signal-resource")
    assert signals
    assert all(f"--unique-id {boot.guest.id} --status SUCCESS" in one.command for one in signals)
    checks = boot.witness.commands("await_health.py")
    assert checks[0].started < signals[0].started
    assert 0 < boot.witness.answered < signals[0].started


def test_no_credentials_are_in_a_log_or_on_a_command_line(boot: Boot) -> None:
    role = json.loads(boot.guest.shell(CREDENTIALS))
    secrets = [role[name] for name in ("AccessKeyId", "SecretAccessKey", "Token")]
    logs = _files(boot.guest.folder / "upper/var/log")
    logs["console"] = (boot.guest.folder / "console.log").read_bytes()
    logs["journal"] = boot.guest.shell("journalctl --no-pager --all --output=cat").encode()
    for name in ("console", "journal", "hello-bootstrap.log", "cloud-init-output.log"):
        assert b"install-release" in logs[name], name
    for name, text in logs.items():
        assert not [secret for secret in secrets if secret.encode() in text], name
    commands = "\n".join(seen.command for seen in boot.witness.processes)
    assert " cloudformation describe-stack-resource " in commands
    assert "X-aws-ec2-metadata-token:" not in commands
    assert not [secret for secret in secrets if secret in commands]


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }
