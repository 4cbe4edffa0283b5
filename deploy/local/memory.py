"""How much memory a process holds, on Linux and on macOS."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path


def resident_kb(pid: int) -> int:
    """Kilobytes of memory that the process holds now; 0 when it has gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return _from_ps(pid)
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) if found else 0


def _from_ps(pid: int) -> int:
    try:
        shown = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
    except FileNotFoundError:
        return 0
    return int(shown) if shown.isdigit() else 0
