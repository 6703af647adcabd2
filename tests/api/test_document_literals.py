"""Documents that differ in literals alone are parsed and validated once, where that is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from graphql import validate

from gateway.api.literals import outline_of

if TYPE_CHECKING:
    from tests.harness import Gateway

UPSERT = """
mutation {
  upsertContact(
    input: {externalId: %s, firstName: "Ada", lastName: "L", email: "lit@example.com",
            addresses: [{line1: "1 Road", latitude: %s, longitude: 3}]}
    dryRun: true
  ) { status }
}
"""


@pytest.fixture
def validated(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were validated."""
    seen: list[str] = []

    def seen_validate(schema: Any, document: Any, *more: Any, **named: Any) -> Any:
        seen.append(document.loc.source.body)
        return validate(schema, document, *more, **named)

    monkeypatch.setattr("gateway.api.documents.validate", seen_validate)
    return seen


async def test_texts_with_other_strings_and_numbers_are_validated_once(
    gateway: Gateway, validated: list[str]
) -> None:
    for external_id, latitude in [('"l-1"', "51.5"), ('"l-\\"2\\u00e9\\""', "-0.5"), ("7", "1e1")]:
        await gateway.data(UPSERT % (external_id, latitude))
    assert len(validated) == 2, validated  # an id that is a string, and one that is not


async def test_each_text_is_answered_by_its_own_literals(gateway: Gateway) -> None:
    query = '{ customFields(backend: IVVY) { id } contact(by: {externalId: "%s"}) { externalId } }'
    for number in range(1001, 1004):
        data = await gateway.data(query % f"E-{number}")
        assert data["contact"] == {"externalId": f"E-{number}"}


async def test_errors_are_located_in_the_text_that_was_sent(gateway: Gateway) -> None:
    query = '{ a: contact(by: {email: "%s"}) { email } b: contact(by: {email: "none"}) { email } }'
    for email in ("x", "a longer one"):
        answer = await gateway.ask(query % email)
        columns = {error["path"][0]: error["locations"][0] for error in answer["errors"]}
        text = query % email
        assert columns["a"] == {"line": 1, "column": text.index("a:") + 1}
        assert columns["b"] == {"line": 1, "column": text.index("b:") + 1}


async def test_a_number_that_is_no_int_is_told_after_one_that_is(gateway: Gateway) -> None:
    query = "{ companies(first: %s) { edges { cursor } } }"
    assert "errors" not in await gateway.ask(query % 1)
    for number in ("2147483648", "9" * 40):
        answer = await gateway.ask(query % number)
        assert "32-bit" in answer["errors"][0]["message"]
        assert "data" not in answer, "it is for validation to say so"
    assert "errors" not in await gateway.ask(query % "2")


@pytest.mark.parametrize(
    "texts",
    [
        # The same name in the answer must have the same arguments.
        [
            "{ lead(by: {ivvyId: 1}) { id } lead(by: {ivvyId: 1}) { name } }",
            "{ lead(by: {ivvyId: 1}) { id } lead(by: {ivvyId: 2}) { name } }",
        ],
        # Defaults of variables belong to the operation.
        [
            "query ($n: Int = 1) { companies(first: $n) { edges { cursor } } }",
            "query ($n: Int = 2) { companies(first: $n) { edges { cursor } } }",
        ],
        # A single value in the place of a list.
        [
            'mutation { upsertContact(dryRun: true, input: {groupsName: "A"}) { status } }',
            'mutation { upsertContact(dryRun: true, input: {groupsName: "B"}) { status } }',
        ],
        # An id is a string or an integer.
        ['{ lead(by: {ivvyId: "1"}) { id } }', "{ lead(by: {ivvyId: 1}) { id } }"],
        ['{ lead(by: {ivvyId: "1"}) { id } } # "1"', '{ lead(by: {ivvyId: "1"}) { id } } # "2"'],
        ['{ lead(by: {ivvyId: """1"""}) { id } }', '{ lead(by: {ivvyId: """2"""}) { id } }'],
        ['{ lead(by: {ivvyId: "\\u{31}"}) { id } }', '{ lead(by: {ivvyId: "\\u{32}"}) { id } }'],
        ["{ groups(backend: IVVY) { id } }", "{ groups(backend: SENDGRID) { id } }"],
    ],
)
async def test_texts_that_differ_in_more_are_validated_each(
    gateway: Gateway, validated: list[str], texts: list[str]
) -> None:
    for text in texts:
        await gateway.ask(text)
    assert validated == texts


async def test_without_prepared_operations_nothing_is_lifted(
    gateway: Gateway, validated: list[str]
) -> None:
    gateway.app.state.account.settings.prepared_operations = False
    for number in (1, 2):
        await gateway.ask(f"{{ companies(first: {number}) {{ edges {{ cursor }} }} }}")
    assert len(validated) == 2


def test_quotes_that_never_close_are_looked_at_once() -> None:
    # Looked through from each quote again, these would take hours.
    assert outline_of('{ a(b: "' + '\\"' * 500_000) is None
    assert outline_of('{ a(b: "' + '\\x"' * 500_000) is None
    assert outline_of("{ a(b: " + "1." * 500_000) is None


def test_outlines_keep_all_but_the_literals() -> None:
    outline = outline_of('{ a(b: "x\\n", c: -1, d: 1.5e3, e1: [7]) { f2 } }')
    assert outline is not None
    assert outline.shape == ("{ a(b: ", ", c: ", ", d: ", ", e1: [", "]) { f2 } }", "sifi")
    assert outline.values == ["x\n", "-1", "1.5e3", "7"]
