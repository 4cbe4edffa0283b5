"""The packages that guests get in the place of AWS's, and what user data makes of them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from deploy.console import Console
from deploy.errors import LocalError
from deploy.local.guests.stand_ins import AGENT, SCRIPTS, packages
from tests.conftest import ROOT

USER_DATA = ROOT / "ops" / "cloud-init" / "user-data.sh"
SILENT = Console(write=lambda _line: None)


def user_data(function: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """What one function of user data says of its arguments."""
    script = USER_DATA.read_text(encoding="utf-8").replace('\n_main "$@"\n', '\n"$@"\n')
    return subprocess.run(
        ["bash", "-c", script, "user-data", function, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_equal_inputs_give_equal_bytes(
    made: Mapping[str, Path], cache: Path, tmp_path: Path
) -> None:
    shutil.copytree(cache / "guests" / "stand-ins", tmp_path / "guests" / "stand-ins")
    again = packages(tmp_path, SILENT)
    assert [again[name] != made[name] for name in made] == [True, True]
    assert [again[name].read_bytes() == made[name].read_bytes() for name in made] == [True, True]


def test_everybody_may_read_what_is_served(made: Mapping[str, Path]) -> None:
    assert {path.stat().st_mode & 0o777 for path in made.values()} == {0o644}


def test_user_data_takes_the_scripts_for_what_it_expects(made: Mapping[str, Path]) -> None:
    checked = user_data("check_cfn_scripts", made[SCRIPTS])
    assert (checked.returncode, checked.stderr) == (0, "")
    assert user_data("check_cfn_scripts", made[AGENT]).returncode == 1


def test_the_files_of_cfn_hup_are_as_aws_published_them(
    made: Mapping[str, Path], cache: Path
) -> None:
    prefix = "aws-cfn-bootstrap-2.0-39/share/cfn-hup/"
    with tarfile.open(made[SCRIPTS]) as archive:
        ours = contents(archive)
    theirs: dict[str, bytes] = {}
    for published in (cache / "guests" / "stand-ins").glob("downloads-*/*.tar.gz"):
        with tarfile.open(published) as archive:
            theirs |= contents(archive)
    assert "aws-cfn-bootstrap-1.4-31/bin/cfn-hup" in theirs
    assert "python-daemon-1.6.1/daemon/daemon.py" in theirs
    assert {name: ours[prefix + name] for name in theirs} == theirs


def contents(archive: tarfile.TarFile) -> dict[str, bytes]:
    files = ((member.name, archive.extractfile(member)) for member in archive)
    return {name: file.read() for name, file in files if file is not None}


def test_pip_installs_the_scripts_without_an_index(
    made: Mapping[str, Path], installed: Callable[[Path], Path], tmp_path: Path
) -> None:
    program = installed(tmp_path / "venv")
    assert program.stat().st_mode & 0o111
    assert program.read_text(encoding="utf-8").startswith("#!/usr/bin/python2.7 -Es\n")


def test_a_package_index_out_of_reach_is_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(LocalError, match=r"^pip cannot download AWS's cfn-hup for the guests"):
        packages(tmp_path / "cache", SILENT)
    assert list((tmp_path / "cache" / "guests" / "stand-ins").iterdir()) == []


def test_another_file_than_the_pinned_one_is_refused(
    cache: Path, made: Mapping[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (downloads,) = (cache / "guests" / "stand-ins").glob("downloads-*")
    links = shutil.copytree(downloads, tmp_path / "links")
    (wheel,) = links.glob("lockfile-*.whl")
    with zipfile.ZipFile(wheel, "a") as changed:
        changed.writestr("lockfile/more.py", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    with pytest.raises(LocalError, match="DO NOT MATCH THE HASHES"):
        packages(tmp_path / "cache", SILENT)


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="Debian's dpkg-deb reads the package.")
def test_the_agent_is_the_debian_package_that_user_data_expects(
    made: Mapping[str, Path], tmp_path: Path
) -> None:
    fields = ["dpkg-deb", "--field", str(made[AGENT]), "Package"]
    assert subprocess.run(fields, capture_output=True, text=True, check=True).stdout == (
        "amazon-cloudwatch-agent\n"
    )
    subprocess.run(["dpkg-deb", "--extract", str(made[AGENT]), str(tmp_path)], check=True)
    ctl = tmp_path / "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl"
    assert ctl.stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("dpkg") is None,
    reason="Only root on Debian installs packages.",
)
def test_dpkg_installs_the_agent_and_makes_its_user(
    made: Mapping[str, Path], tmp_path: Path
) -> None:
    root = tmp_path / "root"
    admin = root / "var/lib/dpkg"
    admin.mkdir(parents=True)
    (admin / "status").touch()
    calls = tmp_path / "useradd.calls"
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "useradd").write_text(f'#!/bin/sh\necho "$@" >{calls}\n', encoding="utf-8")
    (tools / "useradd").chmod(0o755)
    (tools / "id").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (tools / "id").chmod(0o755)
    dpkg = ["dpkg", "--force-depends", "--force-script-chrootless"]
    dpkg += [f"--root={root}", "--install", str(made[AGENT])]
    path = f"{tools}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
    done = subprocess.run(
        dpkg, env={"PATH": path}, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert (root / "opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent").exists()
    assert calls.read_text(encoding="utf-8").split()[-1] == "cwagent"
