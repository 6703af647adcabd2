"""Which stored record a write means, and what speaks against a match."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest
from strawberry import ID, Some

from gateway.backends.adapter import Found, Key, KeyKind, Stored
from gateway.errors import NotWrittenError, RefusedError
from gateway.matching import borrowed_key, keys_of, match, sorted_by_value
from gateway.model import Backend, ContactInput, IvvyContactInput
from gateway.results import ProblemCode
from gateway.write import ContactWrite

IVVY, EVERBRIDGE, SENDGRID = Backend.IVVY, Backend.EVERBRIDGE, Backend.SENDGRID
KINDS = list(KeyKind)
NATIVE, EXTERNAL, EMAIL = KINDS


def stored(record_id: str, external_id: str | None = None, email: str | None = None) -> Stored:
    return Stored(id=record_id, external_id=external_id, email=email, raw={}, read_at=0.0)


def write(**values: Any) -> ContactWrite:
    native = values.pop("id", None)
    if native is not None:
        values["ivvy"] = Some(IvvyContactInput(id=Some(ID(native))))
    given = {
        name: value if isinstance(value, Some) else Some(value) for name, value in values.items()
    }
    return ContactWrite(input=ContactInput(**given), email=given.get("email"))


@dataclass
class Held:
    """Records to look up, and what was asked."""

    rows: list[Stored]
    asked: list[KeyKind] = field(default_factory=list)

    async def look_up(self, key: Key) -> list[Stored]:
        self.asked.append(key.kind)
        match key.kind:
            case KeyKind.NATIVE_ID:
                return [row for row in self.rows if row.id == key.value]
            case KeyKind.EXTERNAL_ID:
                return [row for row in self.rows if row.external_id == key.value]
            case KeyKind.EMAIL:
                held = [row for row in self.rows if row.email]
                return [row for row in held if str(row.email).lower() == key.value.lower()]


async def matched(wanted: ContactWrite, *rows: Stored) -> tuple[Found, list[KeyKind]]:
    held = Held(list(rows))
    before = time.monotonic()
    found = await match(IVVY, keys_of(wanted, "ivvy.id", KINDS, {}), held.look_up)
    assert before <= found.looked_at <= time.monotonic()
    return found, held.asked


async def refused(wanted: ContactWrite, *rows: Stored) -> tuple[ProblemCode, list[str], str]:
    with pytest.raises(RefusedError) as raised:
        await matched(wanted, *rows)
    problem = raised.value.problem
    assert problem.backend is IVVY
    return problem.code, problem.field, problem.message


def test_keys_are_tried_in_order_and_carry_their_place() -> None:
    keys = keys_of(write(email="a@example.com", external_id="E", id="7"), "ivvy.id", KINDS, {})
    assert [(key.kind, key.value, key.source, key.path) for key in keys] == [
        (NATIVE, "7", "ivvy.id", ("ivvy", "id")),
        (EXTERNAL, "E", "externalId", ("externalId",)),
        (EMAIL, "a@example.com", "email", ("email",)),
    ]


def test_a_key_that_the_input_lacks_comes_from_the_first_sibling_that_has_it() -> None:
    siblings = {
        SENDGRID: Found(stored=stored("3", "E-3", "third@example.com")),
        EVERBRIDGE: Found(stored=stored("2", "E-2")),
        IVVY: Found(stored=None),
    }
    keys = keys_of(write(first_name="A"), "everbridge.id", KINDS, siblings)
    assert [(key.value, key.source, key.path) for key in keys] == [
        ("E-2", "EVERBRIDGE.externalId", ()),
        ("third@example.com", "SENDGRID.email", ()),
    ]


def test_a_key_is_borrowed_where_the_input_has_none_or_says_null() -> None:
    siblings = {IVVY: Found(stored=stored("1", "E-1", "a@example.com"))}
    [key] = keys_of(write(external_id="E"), "sendgrid.id", [EXTERNAL, EMAIL], siblings)
    assert key.value == "E"
    assert borrowed_key(write(external_id=Some("E")), EXTERNAL, siblings) is None
    [cleared] = keys_of(write(external_id=Some(None)), "sendgrid.id", [EXTERNAL], siblings)
    assert (cleared.value, cleared.source) == ("E-1", "IVVY.externalId")
    assert borrowed_key(write(), NATIVE, siblings) is None
    assert keys_of(write(), "ivvy.id", KINDS, {}) == []
    unread = ContactWrite(input=ContactInput(), invalid=frozenset({"email"}))
    assert borrowed_key(unread, EMAIL, siblings) is None


async def test_the_first_key_that_hits_decides() -> None:
    found, asked = await matched(
        write(external_id="E", email="a@example.com"), stored("1", "E", "other@example.com")
    )
    assert found.stored is not None
    assert (found.stored.id, found.matched_by, asked) == ("1", "externalId", [EXTERNAL])
    assert [key.kind for key in found.asked_by] == [EXTERNAL, EMAIL]


async def test_a_record_is_found_by_email_whatever_its_case() -> None:
    found, asked = await matched(
        write(external_id="E", email="Ada@example.com"), stored("1", None, "ada@EXAMPLE.com")
    )
    assert (found.matched_by, asked) == ("email", [EXTERNAL, EMAIL])


async def test_nothing_is_found_where_no_key_hits() -> None:
    found, asked = await matched(write(external_id="E", email="a@example.com"))
    assert (found.stored, found.looked, found.keyless) == (None, True, False)
    assert asked == [EXTERNAL, EMAIL]


async def test_an_id_that_does_not_exist_is_not_found() -> None:
    code, path, message = await refused(write(id="7", external_id="E"), stored("1", "E"))
    assert (code, path) == (ProblemCode.NOT_FOUND, ["ivvy", "id"])
    assert "'7'" in message


async def test_several_records_of_one_key_are_a_conflict_with_their_ids() -> None:
    code, path, message = await refused(
        write(email="a@example.com"),
        stored("1", None, "a@example.com"),
        stored("2", None, "a@example.com"),
    )
    assert (code, path) == (ProblemCode.CONFLICT, ["email"])
    assert "1, 2" in message
    _, _, further = await refused(
        write(external_id="E-3", email="a@example.com"),
        stored("1", None, "a@example.com"),
        stored("2", None, "a@example.com"),
    )
    assert further.startswith(message)
    assert "'E-3'" in further


async def test_an_id_and_an_external_id_of_two_records_are_a_conflict() -> None:
    code, path, message = await refused(
        write(id="1", external_id="E-2"), stored("1", "E-1"), stored("2", "E-2")
    )
    assert (code, path) == (ProblemCode.CONFLICT, ["externalId"])
    assert "record 1" in message
    assert "record 2" in message


async def test_an_id_with_a_new_external_id_is_that_record() -> None:
    found, asked = await matched(write(id="1", external_id="E-9"), stored("1", "E-1"))
    assert found.matched_by == "ivvy.id"
    assert asked == [NATIVE, EXTERNAL]


async def test_the_external_id_that_a_record_holds_is_not_looked_up_again() -> None:
    _found, asked = await matched(write(id="1", external_id="E-1"), stored("1", "E-1"))
    assert asked == [NATIVE]


async def test_a_record_of_that_email_with_another_external_id_is_never_taken() -> None:
    code, path, message = await refused(
        write(external_id="E-2", email="a@example.com"), stored("1", "E-1", "a@example.com")
    )
    assert (code, path) == (ProblemCode.CONFLICT, ["externalId"])
    assert "another externalId than externalId 'E-2': a shared mailbox" in message
    assert "E-1" not in message


async def test_what_a_sibling_has_told_is_not_said_in_a_conflict() -> None:
    sibling = Found(stored=stored("9", "E-9", "a@example.com"))
    keys = keys_of(write(first_name="A"), "ivvy.id", KINDS, {Backend.EVERBRIDGE: sibling})
    for rows in (
        [stored("1", "E-1", "a@example.com")],
        [stored("1", None, "a@example.com"), stored("2", None, "a@example.com")],
    ):
        with pytest.raises(RefusedError) as raised:
            await match(IVVY, keys, Held(rows).look_up)
        message = raised.value.problem.message
        assert "EVERBRIDGE.externalId" in message
        for text in ("a@example.com", "E-1", "E-9"):
            assert text not in message


@pytest.mark.parametrize(
    ("key", "row"),
    [
        (Key(kind=NATIVE, value="1", source="ivvy.id"), stored("2")),
        (Key(kind=EXTERNAL, value="E", source="externalId"), stored("2", "E-2")),
        (
            Key(kind=EMAIL, value="a@example.com", source="email"),
            stored("2", None, "aa@example.com"),
        ),
        (Key(kind=EMAIL, value="a@example.com", source="email"), stored("2")),
    ],
)
async def test_a_row_that_does_not_fit_its_key_is_a_fault_of_the_backend(
    key: Key, row: Stored
) -> None:
    async def everything(_key: Key) -> list[Stored]:
        return [row]

    with pytest.raises(NotWrittenError) as raised:
        await match(IVVY, [key], everything)
    assert raised.value.problem.code is ProblemCode.BACKEND_ERROR
    assert raised.value.problem.retryable


async def test_a_record_whose_external_id_differs_in_case_is_another_record() -> None:
    async def everything(_key: Key) -> list[Stored]:
        return [stored("2", "e-1"), stored("1", "E-1")]

    found = await match(IVVY, [Key(kind=EXTERNAL, value="E-1", source="externalId")], everything)
    assert found.stored is not None
    assert found.stored.id == "1"


def test_one_answer_about_many_values_is_sorted_by_them() -> None:
    rows = [stored("1", "A"), stored("2", "b"), stored("3", "A")]
    found = sorted_by_value(IVVY, EXTERNAL, ["A", "B", "C"], rows)
    assert {value: [row.id for row in held] for value, held in found.items()} == {
        "A": ["1", "3"],
        "B": [],
        "C": [],
    }
    ada = stored("1", None, "Ada@example.com")
    found = sorted_by_value(IVVY, EMAIL, ["ada@example.com", "ADA@example.com"], [ada])
    assert found == {"ada@example.com": [ada], "ADA@example.com": [ada]}


@pytest.mark.parametrize("row", [stored("9", "Z"), stored("9")])
def test_a_row_that_nobody_asked_for_is_a_fault_of_the_backend(row: Stored) -> None:
    with pytest.raises(NotWrittenError):
        sorted_by_value(IVVY, EXTERNAL, ["A"], [row])
    with pytest.raises(NotWrittenError):
        sorted_by_value(IVVY, NATIVE, ["1"], [row])
