"""The runtime client's folder: what is in it, and what is not."""

from pathlib import Path, PurePath

from deploy.local.runtime_client import link_into, top_levels


def test_it_holds_the_client_and_what_it_requires_and_nothing_else(tmp_path: Path) -> None:
    link_into(tmp_path / "runtime")
    names = {path.name.split(".")[0] for path in (tmp_path / "runtime").iterdir()}
    assert names == {"awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py"}


def test_every_link_leads_somewhere(tmp_path: Path) -> None:
    link_into(tmp_path / "runtime")
    assert all(path.exists() for path in (tmp_path / "runtime").iterdir())


def test_scripts_and_descriptions_are_no_packages() -> None:
    files = ("a/__init__.py", "a/b.py", "c.so", "a-1.dist-info/RECORD", "../bin/a", "x.pth")
    assert top_levels(map(PurePath, (*files, "__pycache__/c.pyc"))) == {"a", "c.so"}
