"""Everbridge's PATCH dialect: like JSON Patch, but array elements are addressed by key.

`/paths/pathId:241901148045316/value` and `/groups/value:1200000000000001` are paths of it (contract:
everbridge section 3.3). Pure: a document in, the same document changed, or EverbridgeError 400.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Never

from gateway.sandbox.everbridge.errors import patch_failed, type_mismatch
from gateway.sandbox.everbridge.fields import SERVER_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gateway.sandbox.everbridge.values import JsonObject

_OPERATIONS = ("add", "replace", "remove")

_KEYS = {
    "contactAttributes": ("orgAttrId", "name"),
    "paths": ("pathId", "prompt"),
    "quietTimeFrames": ("name",),
    "address": ("locationName",),
}
"""What addresses an element of an array of objects; arrays of plain values are addressed by value.

ASSUMED: quiet times are addressed inside their path, by name.
"""

_LISTS = (*_KEYS, "groups", "topics", "values")

_END = ("-", "~")
"""Both spellings of the place after the last element are in the vendor's pages."""

_NO_SUCH_ITEM = "No such item in target array!"
_NO_SUCH_FIELD = "No such field in target object!"


def apply(
    document: JsonObject, operations: Sequence[Any], group_id: Callable[[object], int]
) -> None:
    """Change `document` by the operations, in order.

    `group_id` gives the id for a group's name. The caller throws the document away when this
    raises, so that all operations count or none (ASSUMED).
    """
    for raw in operations:
        operation = _read(raw, group_id)
        if operation.tokens[0] == "recordTypeName":
            document.pop("recordTypeId", None)  # beside the id the name would be ignored
        _apply_one(document, operation)


@dataclass(frozen=True, kw_only=True)
class _Operation:
    op: str
    tokens: list[str]
    value: Any
    raw: object

    def fail(self, reason: str, target: str) -> Never:
        raise patch_failed(reason, target, self.raw)


def _read(raw: object, group_id: Callable[[object], int]) -> _Operation:
    if not isinstance(raw, dict) or not isinstance(raw.get("path"), str):
        raise type_mismatch()
    operation = _Operation(
        op=raw.get("op", ""),
        tokens=[_unescaped(token) for token in raw["path"].removeprefix("/").split("/")],
        value=raw.get("value"),
        raw=raw,
    )
    if operation.op not in _OPERATIONS:
        operation.fail("Operation is not supported!", str(operation.op))
    if operation.tokens[0] in (*SERVER_FIELDS, ""):
        operation.fail(_NO_SUCH_FIELD, operation.tokens[0])
    if operation.tokens[0] == "groupsName":
        return _by_group_id(operation, group_id)
    return operation


def _unescaped(token: str) -> str:
    """ASSUMED: RFC 6901 escapes; a lone `~` is the end of an array."""
    return token if token in _END else token.replace("~1", "/").replace("~0", "~")


def _by_group_id(operation: _Operation, group_id: Callable[[object], int]) -> _Operation:
    """The same operation on `groups`, because memberships are kept by id."""
    tokens = ["groups"]
    value = operation.value
    for token in operation.tokens[1:]:
        named = token.startswith("value:")
        tokens.append(f"value:{group_id(token.removeprefix('value:'))}" if named else token)
    if isinstance(value, list):
        value = [group_id(name) for name in value]
    elif value is not None:
        value = group_id(value)
    return _Operation(op=operation.op, tokens=tokens, value=value, raw=operation.raw)


def _apply_one(document: JsonObject, operation: _Operation) -> None:
    """Walk to the container of the last token and change it there."""
    container: Any = document
    name = ""
    for token in operation.tokens[:-1]:
        if isinstance(container, list):
            container = container[_index(container, name, token, operation)]
            if not isinstance(container, dict):
                operation.fail(_NO_SUCH_FIELD, token)
            continue
        if token in _LISTS and container.get(token) is None:
            container[token] = []
        if not isinstance(container.get(token), dict | list):
            operation.fail(_NO_SUCH_FIELD, token)
        container, name = container[token], token
    if isinstance(container, list):
        _change_element(container, name, operation)
    else:
        _change_field(container, operation)


def _change_field(container: JsonObject, operation: _Operation) -> None:
    """ASSUMED: replace may also set a field without value; removing such a field fails."""
    field = operation.tokens[-1]
    if operation.op != "remove":
        container[field] = operation.value
    elif container.get(field) is None:
        operation.fail(_NO_SUCH_FIELD, field)
    else:
        del container[field]


def _change_element(elements: list[Any], name: str, operation: _Operation) -> None:
    token = operation.tokens[-1]
    if operation.op == "add":
        _add_element(elements, name, token, operation)
        return
    index = _index(elements, name, token, operation)
    if operation.op == "remove":
        del elements[index]
    elif isinstance(elements[index], dict):
        elements[index] = _object_with_key(token, operation)
    else:
        elements[index] = operation.value


def _add_element(elements: list[Any], name: str, token: str, operation: _Operation) -> None:
    """Append; ASSUMED: adding under a key that is there replaces that element."""
    if token in _END:
        elements.append(operation.value)
        return
    found = _found(elements, name, token, operation)
    if name in _KEYS:
        element: Any = _object_with_key(token, operation)
    else:
        element = token.removeprefix("value:")
    if found is None:
        elements.append(element)
    else:
        elements[found] = element


def _object_with_key(token: str, operation: _Operation) -> JsonObject:
    """The operation's value, with the key of its path when it does not repeat it."""
    if not isinstance(operation.value, dict):
        operation.fail("Value is not an object!", token)
    key, _, named = token.partition(":")
    return {key: named, **operation.value}


def _index(elements: list[Any], name: str, token: str, operation: _Operation) -> int:
    found = _found(elements, name, token, operation)
    if found is None:
        operation.fail(_NO_SUCH_ITEM, token)
    return found


def _found(elements: list[Any], name: str, token: str, operation: _Operation) -> int | None:
    """Where the element stands that `token` (`key:text`) addresses."""
    key, _, named = token.partition(":")
    if key not in _KEYS.get(name, ("value",)):
        operation.fail(_NO_SUCH_ITEM, token)
    for index, element in enumerate(elements):
        value = element.get(key) if isinstance(element, dict) else element
        if str(value) == named:
            return index
    return None
