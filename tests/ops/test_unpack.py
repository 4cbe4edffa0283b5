"""unpack.py: nothing of an artifact leaves the folder it is unpacked into."""

import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

UNPACK = Path(__file__).parents[2] / "ops/instance/unpack.py"


def unpack(artifact: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    folder.mkdir(exist_ok=True)
    return subprocess.run(
        [sys.executable, "-I", UNPACK, artifact, folder],
        capture_output=True,
        text=True,
        check=False,
    )


def artifact(path: Path, name: str, mode: int = 0o100644) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("first.txt", "written only if every name is fine")
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, "text")
    return path


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/out.txt", "..\\out.txt"])
def test_a_path_that_climbs_out_is_refused_before_anything_is_written(
    tmp_path: Path, name: str
) -> None:
    ran = unpack(artifact(tmp_path / "a.zip", name), tmp_path / "folder")
    assert ran.returncode == 65
    assert ran.stderr == f"'{name}' climbs out of the release's folder\n"
    assert not list((tmp_path / "folder").iterdir())


def test_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    made = artifact(tmp_path / "a.zip", "link", stat.S_IFLNK | 0o777)
    ran = unpack(made, tmp_path / "folder")
    assert ran.returncode == 65
    assert "'link' is neither a file nor a folder" in ran.stderr


def test_a_damaged_artifact_is_the_artifacts_fault(tmp_path: Path) -> None:
    whole = artifact(tmp_path / "a.zip", "b.txt").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    assert unpack(tmp_path / "cut.zip", tmp_path / "folder").returncode == 65


def test_a_machine_that_cannot_write_is_not_the_artifacts_fault(tmp_path: Path) -> None:
    made = artifact(tmp_path / "a.zip", "first.txt/below-a-file")
    assert unpack(made, tmp_path / "folder").returncode == 74


@pytest.mark.parametrize(
    ("given", "written"), [(0o100755, 0o755), (0o100644, 0o644), (0o104777, 0o755)]
)
def test_modes_are_0644_or_0755(tmp_path: Path, given: int, written: int) -> None:
    made = artifact(tmp_path / "a.zip", "file", given)
    assert unpack(made, tmp_path / "folder").returncode == 0
    assert stat.S_IMODE((tmp_path / "folder/file").stat().st_mode) == written
