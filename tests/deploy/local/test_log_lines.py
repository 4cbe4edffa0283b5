"""New lines of growing files, each once and whole."""

from pathlib import Path

from deploy.local.log_lines import LogLines


def test_only_what_is_new_comes(tmp_path: Path) -> None:
    log, lines = tmp_path / "a.log", LogLines()
    log.write_text("one\n")
    assert lines.new([log]) == [(log, "one")]
    log.write_text("one\ntwo\nthree\n")
    assert lines.new([log]) == [(log, "two"), (log, "three")]
    assert lines.new([log]) == []


def test_a_line_comes_when_it_is_complete(tmp_path: Path) -> None:
    log, lines = tmp_path / "a.log", LogLines()
    log.write_text("one\nhal")
    assert lines.new([log]) == [(log, "one")]
    log.write_text("one\nhalf\n")
    assert lines.new([log]) == [(log, "half")]


def test_a_rotated_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    log, lines = tmp_path / "a.log", LogLines()
    log.write_text("a long line\n")
    lines.new([log])
    log.write_text("new\n")
    assert lines.new([log]) == [(log, "new")]


def test_bytes_that_are_no_utf8_do_not_stop_it(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes(b"\xff\n")
    assert LogLines().new([log]) == [(log, "\ufffd")]


def test_a_file_that_was_rotated_away_has_no_lines(tmp_path: Path) -> None:
    log, gone, lines = tmp_path / "b.log", tmp_path / "a.log", LogLines()
    log.write_text("one\n")
    assert lines.new([gone, log]) == [(log, "one")]


def test_a_file_that_comes_back_is_read_from_its_beginning(tmp_path: Path) -> None:
    log, lines = tmp_path / "a.log", LogLines()
    log.write_text("one\n")
    lines.new([log])
    log.unlink()
    lines.new([log])
    log.write_text("one more\n")
    assert lines.new([log]) == [(log, "one more")]
