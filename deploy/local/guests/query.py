"""The query protocol of CloudFormation, Auto Scaling and EC2: what is asked, how it is answered.

Amazon EC2 and CloudFormation API References, "Making API requests": the action and its
parameters stand in the query string or in a form, the answer is XML; CloudFormation's own
helper scripts ask for JSON instead. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4
from xml.etree import ElementTree as ET

FORM = "application/x-www-form-urlencoded"
CLOUDFORMATION = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
EC2 = "http://ec2.amazonaws.com/doc/2016-11-15/"


@dataclass(frozen=True)
class Query:
    """An action and its parameters, in the order in which they were given."""

    parameters: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The parameter's value, empty without it."""
        return dict(self.parameters).get(name, "")

    @property
    def action(self) -> str:
        return self.get("Action")

    @property
    def wants_json(self) -> bool:
        return self.get("ContentType") == "JSON"

    @property
    def stack(self) -> str:
        """The name of the stack that is asked for, by its name or its ARN; empty for none."""
        return re.sub(r"^arn:.*?:stack/([^/]+)/.*$", r"\1", self.get("StackName"))

    @property
    def is_filtered(self) -> bool:
        return any(key.startswith("Filter.") for key, _ in self.parameters)

    def listed(self, name: str) -> tuple[str, ...]:
        """The values of a list as EC2 numbers it: InstanceId.1, InstanceId.2 ..."""
        numbered = re.compile(rf"{name}\.\d+")
        return tuple(value for key, value in self.parameters if numbered.fullmatch(key))

    def with_list(self, name: str, values: Iterable[str]) -> Query:
        """The same, with these values in place of the list's."""
        numbered = re.compile(rf"{name}\.\d+")
        others = (pair for pair in self.parameters if not numbered.fullmatch(pair[0]))
        items = ((f"{name}.{number}", value) for number, value in enumerate(values, 1))
        return replace(self, parameters=(*others, *items))

    def with_parameter(self, name: str, value: str) -> Query:
        """The same, with this parameter besides."""
        return replace(self, parameters=(*self.parameters, (name, value)))

    def form(self) -> bytes:
        """As the body of a request."""
        return urlencode(self.parameters).encode()


def query_of(encoded: str) -> Query:
    """What a query string or a form asks."""
    return Query(tuple(parse_qsl(encoded, keep_blank_values=True)))


def signed_for(service: str, authorization: bytes) -> bytes:
    """The same Authorization header, as if the request was one to another service."""
    return re.sub(rb"/[^/]+(?=/aws4_request)", b"/" + service.encode(), authorization)


# Answers. Elements stand without their namespace, which the root keeps as xmlns.


def parsed(answer: bytes) -> ET.Element:
    """The root of an answer."""
    root = ET.fromstring(answer)  # noqa: S314  only the embedded AWS's own answers
    namespace = root.tag.partition("}")[0].removeprefix("{") if "}" in root.tag else ""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return _with_namespace(root, namespace)


def answer(action: str, namespace: str = CLOUDFORMATION) -> ET.Element:
    """The root of an answer that holds nothing yet."""
    return _with_namespace(ET.Element(f"{action}Response"), namespace)


def refusal(code: str, message: str, kind: str = "Sender") -> ET.Element:
    """The root of an error of CloudFormation's; `kind` says whose fault it is."""
    root = _with_namespace(ET.Element("ErrorResponse"), CLOUDFORMATION)
    error = ET.SubElement(root, "Error")
    append(error, {"Type": kind, "Code": code, "Message": message})
    append(root, {"RequestId": str(uuid4())})
    return root


def rendered(root: ET.Element) -> bytes:
    """The answer as it goes over the wire."""
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml


def append(parent: ET.Element, texts: Mapping[str, str]) -> None:
    """The parent has an element more for each text."""
    for name, text in texts.items():
        ET.SubElement(parent, name).text = text


def as_json(root: ET.Element) -> bytes:
    """The same as CloudFormation's JSON, for an answer without lists: {"Response": {...}}.

    An error has no root, and a time is a number of seconds.
    """
    content = _members(root)
    return json.dumps(content if root.tag == "ErrorResponse" else {root.tag: content}).encode()


def _members(element: ET.Element) -> dict[str, Any]:
    return {child.tag: _value(child) for child in element}


def _value(element: ET.Element) -> Any:
    if len(element):
        return _members(element)
    if element.tag.endswith("Timestamp"):
        return datetime.fromisoformat(element.text or "").timestamp()
    return element.text


def _with_namespace(root: ET.Element, namespace: str) -> ET.Element:
    if namespace:
        root.set("xmlns", namespace)
    return root
