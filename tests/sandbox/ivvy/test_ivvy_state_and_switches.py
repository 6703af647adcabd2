"""The simulated backend as the sandbox holds it: state, switches, seed data, README."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gateway.sandbox.ivvy
from gateway.sandbox.ivvy import Ivvy
from gateway.sandbox.ivvy.calls import NAMESPACES
from gateway.sandbox.ivvy.switches import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from gateway.sandbox.backend import SimulatedBackend
    from gateway.sandbox.clock import ManualClock

    Ask = Callable[..., Awaitable[Any]]

README = Path(gateway.sandbox.ivvy.__file__).with_name("README.md")
ADA = 40001


def test_it_is_a_simulated_backend(clock: ManualClock) -> None:
    backend: SimulatedBackend = Ivvy(clock)
    assert backend.name == "ivvy"


async def test_state_survives_a_dump_through_json(ask: Ask, ivvy: Ivvy, clock: ManualClock) -> None:
    await ask("contact/addOrUpdateContact", id=ADA, externalId="E-5")
    state = json.loads(json.dumps(ivvy.dump()))
    other = Ivvy(clock)
    other.load(state)
    assert other.dump() == ivvy.dump() == state


async def test_loaded_state_is_found_through_its_indexes(ask: Ask, ivvy: Ivvy) -> None:
    state = ivvy.dump()
    await ask("contact/addOrUpdateContact", id=ADA, externalId="E-5")
    ivvy.load(state)
    wanted = {"externalId": "E-1001"}
    rows = (await ask("contact/getContactList", filter=wanted))["results"]
    assert [row["id"] for row in rows] == [ADA]
    assert (await ask("contact/getContactList", filter={"externalId": "E-5"}))["results"] == []


async def test_running_batch_goes_on_after_a_load(ask: Ask, ivvy: Ivvy, clock: ManualClock) -> None:
    phone = {"namespace": "contact", "action": "addOrUpdateContact"}
    jobs = [{**phone, "params": {"id": ADA, "phone": "1"}}]
    key = {"async": (await ask("batch/run", jobs=jobs))["asyncId"]}
    ivvy.load(json.loads(json.dumps(ivvy.dump())))
    clock.advance(2)
    assert len((await ask("batch/results", **key))["results"]) == 1


async def test_reset_restores_seed_data_and_switches(ask: Ask, ivvy: Ivvy) -> None:
    fresh, switches = deepcopy(ivvy.dump()), ivvy.switches
    ivvy.switches["write_answer"] = "success"
    ivvy.switches["group_refuses"].append(ADA)
    await ask("contact/addOrUpdateContact", id=ADA, phone="1", companies=[])
    ivvy.reset()
    assert ivvy.dump() == fresh
    assert ivvy.switches is switches
    assert ivvy.switches == {row.name: row.default for row in SWITCHES.values()}


def test_seed_ids_are_not_given_again(ivvy: Ivvy) -> None:
    for rows in ivvy.dump()["tables"].values():
        ids = [row["id"] for row in rows]
        assert len(ids) == len(set(ids))


def test_seed_has_the_named_people_companies_and_groups(ivvy: Ivvy) -> None:
    tables = ivvy.dump()["tables"]
    people = {row["externalId"]: row["email"] for row in tables["contacts"]}
    assert people["E-1001"] == "ada@example.com"
    assert people["E-2001"] == people["E-2002"] == "office@example.com"
    assert not {"E-1003", "E-1005"} & people.keys()
    names = [row["businessName"] for row in tables["companies"]]
    assert names.count("Twin Peaks Catering") == 2
    assert {"Analytical Engines", "Harbour Hotels", "Company 001", "Company 130"} <= set(names)


@pytest.mark.parametrize("row", SWITCHES.values(), ids=SWITCHES)
def test_switch_takes_its_values_and_no_others(ivvy: Ivvy, row: Any) -> None:
    values: dict[type, Any] = {bool: True, int: 7, float: 2, list: [1]}
    good = row.choices if isinstance(row.choices, tuple) else (values[row.choices],)
    for value in good:
        ivvy.switches[row.name] = value
        assert ivvy.switches[row.name] == value
    for bad in ("nonsense", None, *(() if row.choices is bool else (True,))):
        with pytest.raises(ValueError, match=row.name):
            ivvy.switches[row.name] = bad


def test_unknown_switch_is_refused(ivvy: Ivvy) -> None:
    with pytest.raises(KeyError, match="has no switch 'typo'"):
        ivvy.switches.update(typo=1)


def test_readme_has_every_switch_with_its_values(ivvy: Ivvy) -> None:
    text = README.read_text("utf-8")
    for row in SWITCHES.values():
        choices = ", ".join(row.choices) if isinstance(row.choices, tuple) else row.choices.__name__
        line = f"| `{row.name}` | `{json.dumps(row.default)}` | {choices} | {row.meaning} |"
        assert line in text, line
    assert text.count("\n| `") == len(ivvy.switches)


def test_readme_names_every_action() -> None:
    text = README.read_text("utf-8")
    for namespace, actions in NAMESPACES.items():
        assert f"`{namespace}`" in text
        for action in actions:
            assert f" {action}" in text.replace("\n", " "), action
