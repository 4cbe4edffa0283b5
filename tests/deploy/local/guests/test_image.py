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


def test_an_image_on_which_guests_run_is_not_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs(tmp_path, monkeypatch, MAKE)
    made = image(tmp_path / "cache", "3.13", SILENT)
    older = made.root.parent.with_name("trixie-prepared-0123456789ab")
    shutil.copytree(made.root.parent, older)
    with held(made), held(replace(made, root=older / "root")):
        with pytest.raises(LocalError) as caught:
            image(tmp_path / "cache", "3.13", SILENT, rebuild=True)
        assert str(caught.value) == f"Guests run on {made.root}. End them, then rebuild it."
        assert made.root.is_dir()
    with held(replace(made, root=older / "root")):
        image(tmp_path / "cache", "3.13", SILENT, rebuild=True)
    assert older.is_dir()
    image(tmp_path / "cache", "3.13", SILENT, rebuild=True)
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
