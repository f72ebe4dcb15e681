"""The part of JSON Schema that our OpenAPI document uses: what does a value break?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
KNOWN = {
    "$ref", "additionalProperties", "allOf", "anyOf", "const", "description", "enum", "examples", "format", "items",
    "maxLength", "maximum", "minLength", "minimum", "pattern", "properties", "required", "type",
}  # fmt: skip


def breaks(value: Any, schema: dict[str, Any], document: dict[str, Any], path: str = "$") -> Iterator[str]:
    """What in `value` does not agree with `schema`, one sentence each."""
    unknown = schema.keys() - KNOWN
    assert not unknown, f"{path}: this checker does not know {unknown}"
    if "$ref" in schema:
        yield from breaks(value, resolve(schema["$ref"], document), document, path)
    for part in schema.get("allOf", []):
        yield from breaks(value, part, document, path)
    if "anyOf" in schema and all(list(breaks(value, part, document, path)) for part in schema["anyOf"]):
        yield f"{path}: none of the choices fits {value!r}"
    if "type" in schema and not _is(value, schema["type"]):
        yield f"{path}: {value!r} is no {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path}: {value!r} is not in {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{path}: {value!r} is not {schema['const']!r}"
    yield from _limits(value, schema, path)
    if isinstance(value, dict):
        yield from _members(value, schema, document, path)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from breaks(item, schema.get("items", {}), document, f"{path}[{number}]")


def resolve(reference: str, document: dict[str, Any]) -> dict[str, Any]:
    """What a local `$ref` points to. Raises KeyError when there is no such thing."""
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found  # type: ignore[no-any-return]


def _is(value: Any, types: str | list[str]) -> bool:
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names)


def _limits(value: Any, schema: dict[str, Any], path: str) -> Iterator[str]:
    if isinstance(value, str):
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            yield f"{path}: length of {value!r}"
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{path}: {value!r} does not look like {schema['pattern']}"
    elif _is(value, "integer") and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path}: {value} is out of range"


def _members(value: dict[str, Any], schema: dict[str, Any], document: dict[str, Any], path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{path}: {name} is missing"
    for name, item in value.items():
        if name in properties:
            yield from breaks(item, properties[name], document, f"{path}.{name}")
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from breaks(item, schema["additionalProperties"], document, f"{path}.{name}")
