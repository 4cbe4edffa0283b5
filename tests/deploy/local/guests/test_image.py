"""The image of guests: where it is kept, and what is said when none can be made."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.console import Console
from deploy.errors import LocalError
from deploy.local.guests.guest import GATEWAY
from deploy.local.guests.image import PREPARED, find, held, image
from tests.deploy.local.guests.secluded import why_not

NEEDS_NAMESPACES = pytest.mark.skipif(bool(why_not()), reason=why_not())

SILENT = Console(write=lambda _line: None)


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch, mmdebstrap: str) -> None:
    """Only this mmdebstrap can be found, and what its script needs."""
    (folder / "mmdebstrap").write_text(f"#!/bin/sh\n{mmdebstrap}\n")
    (folder / "mmdebstrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_there_is_none_at_first(tmp_path: Path) -> None:
    assert find(tmp_path, "3.13") is None


def test_ubuntu_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LocalError) as caught:
        find(tmp_path, "3.12")
    assert str(caught.value) == (
        "Python 3.12 runs on Ubuntu 24.04, and guests are made of Debian only. "
        "Run twofold under Python 3.11 or 3.13 for guests; without them, 3.12 will do."
    )


@NEEDS_NAMESPACES
def test_an_image_that_cannot_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(
        tmp_path,
        monkeypatch,
        'echo "E: no such archive" >&2; for last; do :; done; mkdir -p "$last"; exit 25',
    )
    cache = tmp_path / "cache"
    with pytest.raises(LocalError) as caught:
        image(cache, "3.13", SILENT)
    assert str(caught.value) == (
        "mmdebstrap cannot make an image of trixie (status 25). "
        "The end of its log:\nE: no such archive"
    )
    left = {path.name for path in (cache / "guests").iterdir()}
    assert all(name.endswith(".lock") for name in left)
    assert find(cache, "3.13") is None


MAKE = (
    'for last; do :; done; echo made >>"$(dirname "$0")/calls"\n'
    'mkdir -p "$last/usr/bin"; echo >"$last/usr/bin/python2.7"'
)


@NEEDS_NAMESPACES
def test_a_made_image_is_found_again_and_an_older_one_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch, MAKE)
    older = tmp_path / "cache" / "guests" / "trixie-prepared-0123456789ab"
    older.mkdir(parents=True)
    made = image(tmp_path / "cache", "3.13", SILENT)
    assert image(tmp_path / "cache", "3.13", SILENT) == made
    assert find(tmp_path / "cache", "3.13") == made
    assert made.suite == "trixie"
    assert made.root.is_dir()
    assert not older.exists()
    calls = (tmp_path / "calls").read_text().split()
    assert len(calls) == 2  # the image, and Python 2.7 for it


@NEEDS_NAMESPACES
def test_an_image_on_which_guests_run_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch, MAKE)
    made = image(tmp_path / "cache", "3.13", SILENT)
    older = made.root.parents[1].with_name("trixie-prepared-0123456789ab")
    shutil.copytree(made.root.parents[1], older)
    with held(made), held(replace(made, root=older / "private" / "root")):
        with pytest.raises(LocalError) as caught:
            image(tmp_path / "cache", "3.13", SILENT, rebuild=True)
        assert str(caught.value) == f"Guests run on {made.root}. End them, then rebuild it."
        assert made.root.is_dir()
    with held(replace(made, root=older / "private" / "root")):
        image(tmp_path / "cache", "3.13", SILENT, rebuild=True)
    assert older.is_dir()
    image(tmp_path / "cache", "3.13", SILENT, rebuild=True)
    assert not older.exists()


@NEEDS_NAMESPACES
def test_setuid_programs_of_an_image_are_roots_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch, MAKE)
    made = image(tmp_path / "cache", "3.13", SILENT)
    assert made.root.parent.stat().st_mode & 0o777 == 0o700
    read_by_all = [made.root.parents[1], made.root.parents[1] / "made.json"]
    assert [path.stat().st_mode & 0o004 for path in read_by_all] == [0o004, 0o004]


@NEEDS_NAMESPACES
def test_python_2_is_got_anew_when_its_recipe_changes_and_on_rebuild(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch, MAKE)
    guests = tmp_path / "cache" / "guests"
    older = guests / "python2.7-bullseye-0123456789ab"
    older.mkdir(parents=True)
    for calls, rebuild in ((2, False), (4, True)):
        made = image(tmp_path / "cache", "3.13", SILENT, rebuild=rebuild)
        assert (made.root / "usr" / "bin" / "python2.7").exists()
        assert len((tmp_path / "calls").read_text().split()) == calls
    assert len(list(guests.glob("python2.7-bullseye-*"))) == 1
    assert not older.exists()


def test_prepared_is_what_user_data_installs(root: Path) -> None:
    script = (root / "ops" / "cloud-init" / "user-data.sh").read_text(encoding="utf-8")
    asked = re.search(r"packages=\(([^)]*)\)", script)
    assert asked is not None
    for package in PREPARED:
        assert package in asked[1].split() or f"packages+=({package})" in script


def test_aws_in_a_guest_is_where_the_gateway_is(root: Path) -> None:
    files = root / "deploy" / "local" / "guests" / "image"
    assert f"endpoint_url = {GATEWAY}\n" in (files / "aws-config").read_text()
    assert f"--endpoint-url {GATEWAY} " in (files / "aws").read_text()
    assert f"AWS_ENDPOINT_URL={GATEWAY}\n" in (files / "systemd.conf").read_text()
