"""Settings: what may be set, where it may be set, and what is wrong with it.

A value comes from, the strongest first: a command line flag (`--instance-type`), the
environment (`TWOFOLD_INSTANCE_TYPE`), the stage's table in pyproject.toml
(`[tool.twofold.stages.prod]`), `[tool.twofold]`, the setting's default. All problems
are reported at once.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar, cast

from deploy.errors import SettingsError
from deploy.setting import REQUIRED, Setting, one_of, optional, text, whole
from deploy.target import ARCHITECTURES, PYTHONS, Target, running_python

T = TypeVar("T")


NAME: Setting[str] = Setting(
    "name",
    text(r"[a-z][a-z0-9-]{0,30}[a-z0-9]", "2 to 32 lower-case letters, digits and dashes"),
    "The service's name: begins the stack's name and the artifact's key; /opt/NAME.",
    REQUIRED,
)
STAGE = Setting(
    "stage",
    text(r"[a-z][a-z0-9]{0,15}", "up to 16 lower-case letters and digits"),
    "Which table under [tool.twofold.stages] lies over [tool.twofold]; ends the stack's name.",
    "dev",
    short="s",
)
REGION = Setting(
    "region",
    optional(text(r"[a-z]{2,5}(-[a-z]+)+-\d", "a region such as eu-central-1")),
    "The AWS region; without it, what the AWS configuration says.",
    None,
)
BUCKET = Setting(
    "bucket",
    # S3 User Guide, "General purpose bucket naming rules".
    optional(
        text(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket name such as my-artifacts")
    ),
    "The S3 bucket that holds the artifacts, in the stack's region.",
    None,
)
PYTHON = Setting(
    "python",
    one_of(tuple(PYTHONS)),
    "The Python minor version of Lambda's runtime, the instance's image and the build.",
    running_python(),
)
ARCHITECTURE = Setting(
    "architecture",
    one_of(ARCHITECTURES),
    "The processor of the function and of the instances.",
    "x86_64",
)
TIMEOUT = Setting(
    "timeout_seconds",
    whole(1, 900),
    "How long one invocation of the function may take.",
    30,
)
GENERAL: tuple[Setting[Any], ...] = (NAME, STAGE, REGION, BUCKET, PYTHON, ARCHITECTURE, TIMEOUT)


@dataclass(frozen=True)
class Settings:
    """Every declared setting's value, read by its Setting: `settings[BUCKET]`."""

    values: Mapping[str, object]

    def __getitem__(self, setting: Setting[T]) -> T:
        return cast(T, self.values[setting.name])

    def needed(self, setting: Setting[T | None]) -> T:
        """The value of an optional setting that this command cannot do without.

        Raises:
            SettingsError: it is not set.
        """
        value = self[setting]
        if value is None:
            raise SettingsError(_not_set(setting))
        return value

    @property
    def name(self) -> str:
        return self[NAME]

    @property
    def stage(self) -> str:
        return self[STAGE]

    @property
    def stack(self) -> str:
        """The stack's name, such as 'hello-dev'."""
        return f"{self.name}-{self.stage}"

    @property
    def target(self) -> Target:
        """What runs on AWS."""
        return Target(self[PYTHON], self[ARCHITECTURE])


def _not_set(setting: Setting[Any]) -> str:
    # No command takes the name as a flag: it belongs to the project.
    how = "Set" if setting is NAME else f"Pass {setting.flag} or set"
    return f"{setting.name} is not set. {how} it under [tool.twofold] in pyproject.toml."


def load(
    root: Path,
    environment: Mapping[str, str],
    flags: Mapping[str, object],
    declared: Iterable[Setting[Any]] = (),
    *,
    others_allowed: bool = False,
) -> Settings:
    """The settings of the project in `root`; see `read`.

    Raises:
        SettingsError: pyproject.toml cannot be read, or has problems.
    """
    table = pyproject(root).get("tool", {}).get("twofold")
    if not isinstance(table, dict):
        raise SettingsError("pyproject.toml has no table [tool.twofold]; add it with a name.")
    return read(table, environment, flags, declared, others_allowed=others_allowed)


def pyproject(root: Path) -> dict[str, Any]:
    """What stands in the project's pyproject.toml.

    Raises:
        SettingsError: it is missing, cannot be read, or is not TOML.
    """
    path = root / "pyproject.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing; run twofold in a Twofold project.") from None
    except OSError as error:
        raise SettingsError(f"Cannot read {path}: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"pyproject.toml is not valid TOML: {error}.") from None


def read(
    table: Mapping[str, Any],
    environment: Mapping[str, str],
    flags: Mapping[str, object],
    declared: Iterable[Setting[Any]] = (),
    *,
    others_allowed: bool = False,
) -> Settings:
    """The values of the general settings and the declared ones.

    Args:
        table: [tool.twofold] with its `stages`.
        environment: of the process; only TWOFOLD_* names of settings are looked at.
        flags: name of a setting -> what the command line gave; None means not given.
        declared: the settings of the topology's decorators.
        others_allowed: keys that no setting declares are left alone, for a command
            that does not load the topology.

    Raises:
        SettingsError: a line for each problem, all of them.
    """
    known = {setting.name: setting for setting in (*GENERAL, *declared)}
    stages = _stages(table)
    stage = flags.get("stage") or environment.get(STAGE.variable) or table.get("stage", "dev")
    layers = {
        "in pyproject.toml": {key: table[key] for key in table if key != "stages"},
        f"in stage {stage!r} of pyproject.toml": stages.get(str(stage), {}),
        "in the environment": _from_environment(environment, known.values()),
        "on the command line": {key: flags[key] for key in flags if flags[key] is not None},
    }
    problems = [] if str(stage) in stages else [_unknown_stage(stage, stages)]
    if not others_allowed:
        problems += _unknown_settings(layers, known)
    values: dict[str, object] = {}
    for setting in known.values():
        try:
            values[setting.name] = _value(setting, layers)
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(MappingProxyType(values))


def _stages(table: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    stages = table.get("stages", {})
    if not isinstance(stages, dict) or not all(isinstance(one, dict) for one in stages.values()):
        raise SettingsError(
            f"stages is {stages!r} in pyproject.toml; "
            "expected tables such as [tool.twofold.stages.dev]."
        )
    for name, one in stages.items():
        if STAGE.name in one:
            raise SettingsError(
                f"[tool.twofold.stages.{name}] in pyproject.toml sets stage, which its own name "
                "is already. Delete the line."
            )
    return stages


def _from_environment(
    environment: Mapping[str, str], settings: Iterable[Setting[Any]]
) -> dict[str, Any]:
    return {s.name: environment[s.variable] for s in settings if s.variable in environment}


def _value(setting: Setting[Any], layers: Mapping[str, Mapping[str, Any]]) -> object:
    for where, layer in reversed(list(layers.items())):
        if setting.name in layer:
            raw = layer[setting.name]
            try:
                return setting.parse(raw)
            except ValueError as expected:
                raise ValueError(
                    f"{setting.name} is {raw!r} {where}; expected {expected}."
                ) from None
    if setting.default is REQUIRED:
        raise ValueError(_not_set(setting))
    return setting.default


def _unknown_stage(stage: object, stages: Iterable[str]) -> str:
    known = ", ".join(stages) or "none"
    return (
        f"Stage {stage!r} is unknown; pyproject.toml has {known}. "
        f"Pass --stage or add [tool.twofold.stages.{stage}]."
    )


def _unknown_settings(
    layers: Mapping[str, Mapping[str, Any]], known: Mapping[str, Setting[Any]]
) -> list[str]:
    return [
        f"{key} {where} is no setting; {_guess(key, known)}"
        for where, layer in layers.items()
        for key in layer
        if key not in known
    ]


def _guess(key: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(key, list(known), n=1)
    return f"did you mean {near[0]}?" if near else "twofold provision --help lists what there is."
