"""The benchmark's work in small: what it counts is held here, times never are."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.work import ALL, FINDS_AND_WRITES, MODES, contact
from gateway.api import documents
from gateway.entries import CatalogName
from tests.harness import is_write

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.work import Mode
    from tests.harness import Gateway

LISTS = ("getSubscriptionGroupList", "getCustomFieldDefinition")
PAGES = {"ivvy names": 2, "everbridge names": 5, "sendgrid names": 3}
"""As NAMES of the benchmark, but that the sandbox has a second page of groups and of lists."""
CONTACTS = (7, 8, 9)


def counted(gateway: Gateway) -> Counter[str]:
    """What the backends were asked since this was asked before, as the benchmark's upstream counts."""
    kinds = Counter(f"{call['backend']} {purpose(call)}" for call in gateway.recorded())
    gateway.sandbox.calls.clear()
    return kinds


def purpose(call: dict[str, Any]) -> str:
    if is_write(call):
        return "write"
    found = call["query"].get("action") == "getContactList" or "externalIds" in call["query"]
    return "find" if found else "names"


@pytest.fixture
async def stored(gateway: Gateway) -> Gateway:
    """A gateway whose backends hold the benchmark's contacts, and which knows the names."""
    for number in CONTACTS:
        answer = await gateway.upsert({**contact(number), "lastName": "Before"}, targets=ALL)
        assert answer.outcomes() == {"IVVY": "CREATED", "EVERBRIDGE": "CREATED"} | {
            "SENDGRID": "ACCEPTED"
        }
    counted(gateway)
    return gateway


async def send(gateway: Gateway, mode: Mode, number: int) -> None:
    request = mode.request(contact(number))
    data = await gateway.data(request["query"], **request.get("variables", {}))
    outcomes = {one["backend"]: one["outcome"] for one in data["upsertContact"]["results"]}
    told = {"IVVY": "UPDATED", "EVERBRIDGE": "UPDATED", "SENDGRID": "ACCEPTED"}
    assert outcomes == {target: told[target] for target in mode.targets}


@pytest.mark.parametrize(
    "mode", [mode for mode in MODES if not mode.cold], ids=lambda one: one.name
)
async def test_a_mutation_makes_the_finds_and_writes_and_asks_no_names_again(
    stored: Gateway, mode: Mode
) -> None:
    for number in CONTACTS:
        await send(stored, mode, number)
        assert counted(stored) == FINDS_AND_WRITES[mode.targets]


async def test_names_that_are_not_kept_cost_one_read_of_each_list(stored: Gateway) -> None:
    [cold] = [mode for mode in MODES if mode.cold]
    for number in CONTACTS:
        for adapter in stored.app.state.account.adapters.values():
            for name in filter(adapter.catalogs.holds, CatalogName):
                adapter.catalogs.expire(name)
        await send(stored, cold, number)
        assert counted(stored) == FINDS_AND_WRITES[ALL] | PAGES


@pytest.mark.parametrize(
    "mode", [mode for mode in MODES if not mode.cold], ids=lambda one: one.name
)
async def test_a_document_is_parsed_and_validated_once_whatever_its_values(
    stored: Gateway, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def noted(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **named: Any) -> Any:
            done.append(name)
            return real(*arguments, **named)

        return run

    for name in ("parse", "validate"):
        monkeypatch.setattr(documents, name, noted(name, getattr(documents, name)))
    await send(stored, mode, CONTACTS[0])
    done.clear()
    for number in CONTACTS[1:]:
        await send(stored, mode, number)
    assert done == []
