"""`python -m tests.fuzz TARGET --seconds N`: looks for inputs that break what must hold.

atheris (libFuzzer) runs in a process of its own, as it ends its process. What reached new
code is kept as the corpus, from which the next run goes on.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz import TARGETS

ROOT = Path(__file__).parent.parent.parent
INTERRUPTED = 130
LONGEST_INPUT = 4096  # bytes
SECONDS_PER_INPUT = 20
MEGABYTES = 4096


def main(arguments: list[str]) -> int:
    """0 when nothing broke in the time; 1 after printing what did; 130 after Ctrl-C."""
    options = _options(arguments)
    findings = options.corpus / "findings"
    findings.mkdir(parents=True, exist_ok=True)
    known = set(findings.iterdir())
    code, printed = _run(_command(options, findings))
    executions = re.findall(r"^#(\d+)", printed, re.MULTILINE) or ["0"]
    covered = re.findall(r"cov: (\d+)", printed) or ["0"]
    print(f"{options.target}: {executions[-1]} executions, {covered[-1]} edges covered")
    if code in (0, INTERRUPTED):
        return code
    print("\n".join(printed.splitlines()[-40:]))
    for path in sorted(set(findings.iterdir()) - known):
        print(f"broken by {path.read_bytes()!r}, which is:\n{_shown(options.target, path)}")
    return 1


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=_seconds, default=60)
    parser.add_argument("--seed", type=int, default=1, help="of libFuzzer; 0 is another each time")
    parser.add_argument("--corpus", type=Path, help="default: .twofold/fuzz/TARGET")
    options = parser.parse_args(arguments)
    options.corpus = options.corpus or ROOT / ".twofold" / "fuzz" / options.target
    if options.corpus.exists() and not options.corpus.is_dir():
        parser.error(f"--corpus is {options.corpus}, which is a file; expected a folder")
    return options


def _seconds(text: str) -> int:
    """To libFuzzer 0 and less are no limit at all."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 1 on")
    return int(text)


def _command(options: argparse.Namespace, findings: Path) -> list[str]:
    kept = options.corpus / "inputs"
    kept.mkdir(exist_ok=True)
    return [
        *(sys.executable, "-m", "tests.fuzz.child", options.target),
        f"-max_total_time={options.seconds}",
        f"-seed={options.seed}",
        f"-max_len={LONGEST_INPUT}",
        f"-timeout={SECONDS_PER_INPUT}",
        f"-rss_limit_mb={MEGABYTES}",
        f"-artifact_prefix={findings}/",
        str(kept),
    ]


def _run(command: list[str]) -> tuple[int, str]:
    """The exit code, and what was printed; Ctrl-C ends it without a traceback."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        printed: list[str] = []
        try:
            print(f"Fuzzing: {' '.join(command[2:])}", flush=True)
            printed += child.stdout or ()
        except KeyboardInterrupt:
            child.kill()
            return INTERRUPTED, "".join(printed)
    return child.returncode, "".join(printed)


def _shown(target: str, path: Path) -> str:
    return TARGETS[target].shown(path.read_bytes())


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
