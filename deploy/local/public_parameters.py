"""Public SSM parameters for the embedded AWS, which lets nobody put one, as AWS does.

They reach it as state that it finds when it starts: ministack's own file format, version 2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from deploy.target import PYTHONS

FILE = "ssm.json"
_FORMAT = 2
_IMAGE = "ami-00000000000000000"
_SEPARATOR = "\x00"


def images() -> dict[str, str]:
    """The parameter of each image that a stack may name; no image stands behind them."""
    return {
        name: _IMAGE for version in PYTHONS.values() for name in version.image_parameters.values()
    }


def state(parameters: Mapping[str, str], account: str, region: str) -> str:
    """What FILE in the state folder holds, so that the parameters are there from the start."""
    stored = {
        _SEPARATOR.join((account, region, repr(name))): _parameter(name, value, region)
        for name, value in parameters.items()
    }
    scoped = {"__account_region_scoped__": True, "data": stored}
    return json.dumps({"__ministack_format__": _FORMAT, "payload": {"parameters": scoped}})


def _parameter(name: str, value: str, region: str) -> dict[str, object]:
    return {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": 0,
        "ARN": f"arn:aws:ssm:{region}::parameter{name}",
        "DataType": "text",
    }
