"""Turns the fleet's metadata (JSON on standard input) into one line: bucket, key, sha256, build ID.

Exits with 1 and the reason on standard error when a part is missing or malformed.
"""

import json
import re
import sys

PATTERNS = {
    "Bucket": r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    "Key": r"[A-Za-z0-9!_.*'()/-]+",
    "Sha256": r"[0-9a-f]{64}",
    "BuildId": r"[A-Za-z0-9_.:+-]+",
}


def fields(text: str) -> list[str]:
    """The pointer's four parts, each in the form that its name promises.

    Raises:
        ValueError: no JSON, no release in it, or a part in another form.
    """
    metadata = json.loads(text)
    release = metadata.get("Release") if isinstance(metadata, dict) else None
    if not isinstance(release, dict):
        raise ValueError(f"expected metadata with a 'Release'; got {text.strip()[:200]!r}")
    for name, pattern in PATTERNS.items():
        value = release.get(name)
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"Release.{name} is {value!r}; expected {pattern}")
    return [release[name] for name in PATTERNS]


if __name__ == "__main__":
    try:
        sys.stdout.write("\t".join(fields(sys.stdin.read())) + "\n")
    except ValueError as problem:
        sys.exit(str(problem))
