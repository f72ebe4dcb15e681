"""Which parameters a call may have: those that the official package's types know, and no other."""

from __future__ import annotations

import sys
import types
import typing
from functools import cache
from typing import Any, Literal, NotRequired, Required, get_args, get_origin

from stripe import RequestOptions
from typing_extensions import get_type_hints, is_typeddict

from tests.stripe_fake.account import Refused


def check(params: dict[str, Any], known: type) -> dict[str, Any]:
    """`params` with numbers and switches made such, if `known`, one of `stripe.params`, allows them. Raises Refused."""
    return _object(params, known, "")


def _object(params: Any, known: type, path: str) -> dict[str, Any]:
    if not isinstance(params, dict):
        raise Refused(f"Invalid object: {path}", param=path)
    fields = _fields(known)
    for name in params:
        if name not in fields:
            full = _join(path, name)
            raise Refused(f"Received unknown parameter: {full}", code="parameter_unknown", param=full)
    for name, (_, is_required) in fields.items():
        if is_required and name not in params:
            full = _join(path, name)
            raise Refused(f"Missing required param: {full}.", code="parameter_missing", param=full)
    return {name: _value(value, fields[name][0], _join(path, name)) for name, value in params.items()}


def _value(value: Any, hint: Any, path: str) -> Any:
    origin = get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _one_of(value, get_args(hint), path)
    if is_typeddict(hint):
        return _object(value, hint, path)
    if origin is list:
        if not isinstance(value, list):
            raise Refused("Invalid array", param=path)
        return [_value(part, get_args(hint)[0], _join(path, str(n))) for n, part in enumerate(value)]
    if origin is dict:
        if not isinstance(value, dict) or not all(isinstance(part, str) for part in value.values()):
            raise Refused("Invalid hash", param=path)
        return value
    return _plain(value, hint, path)


def _one_of(value: Any, hints: tuple[Any, ...], path: str) -> Any:
    refusal = Refused(f"Invalid value for {path}", param=path)
    for hint in hints:
        try:
            return _value(value, hint, path)
        except Refused as error:
            # What is wrong inside an object says more than that no other form fits either.
            refusal = error if is_typeddict(hint) else refusal
    raise refusal


def _plain(value: Any, hint: Any, path: str) -> Any:
    if not isinstance(value, str):
        raise Refused(f"Invalid string: {path}", param=path)
    if hint is bool:
        if value not in ("true", "false"):
            raise Refused(f"Invalid boolean: {value}", param=path)
        return value == "true"
    if hint is int:
        if not value.removeprefix("-").isdecimal():
            raise Refused(f"Invalid integer: {value}", code="parameter_invalid_integer", param=path)
        return int(value)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise Refused(f"Invalid {path}: must be one of {get_args(hint)}", param=path)
        return value
    if hint is str:
        return value
    raise Refused(f"Invalid value for {path}", param=path)


@cache
def _fields(known: type) -> dict[str, tuple[Any, bool]]:
    """Name → (type, whether it must be there) of a typed dictionary, without the client's own options."""
    own = {
        name: hint
        for name, hint in known.__annotations__.items()
        if name not in RequestOptions.__annotations__ or known.__mro__[0] is RequestOptions
    }
    holder = type("Holder", (), {"__annotations__": own, "__module__": known.__module__})
    hints = get_type_hints(holder, vars(sys.modules[known.__module__]), include_extras=True)
    fields = {}
    for name, hint in hints.items():
        origin = get_origin(hint)
        inner = get_args(hint)[0] if origin in (NotRequired, Required) else hint
        fields[name] = (inner, origin is not NotRequired)
    return fields


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name
