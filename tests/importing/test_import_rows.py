"""Files of contacts become inputs, and what is wrong with a row is told beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.schema import schema
from gateway.importing.rows import ImportRefusedError, Table, read_table

CONTACT: Any = schema._schema.type_map["ContactInput"]


def table(text: str | bytes, name: str = "people.csv", null: str = "null") -> Table:
    content = text if isinstance(text, bytes) else text.encode()
    return read_table(Path(name), content, CONTACT, null)


def inputs(text: str | bytes, name: str = "people.csv") -> list[dict[str, Any] | None]:
    found = table(text, name)
    assert [row.problems for row in found.rows] == [[]] * len(found.rows)
    return [row.input for row in found.rows]


def problems(text: str, name: str = "people.csv") -> list[list[str]]:
    return [row.problems for row in table(text, name).rows]


def refused(text: str | bytes) -> list[str]:
    with pytest.raises(ImportRefusedError) as refusal:
        table(text)
    return refusal.value.problems


def test_a_cell_sets_an_empty_one_keeps_and_null_clears() -> None:
    assert inputs("externalId,email,phone,firstName\nE-1,a@example.com,,null\n") == [
        {"externalId": "E-1", "email": "a@example.com", "firstName": None}
    ]


def test_another_word_can_clear() -> None:
    found = table("externalId,lastName,phone\nE-1,null,NONE\n", null="NONE")
    assert found.rows[0].input == {"externalId": "E-1", "lastName": "null", "phone": None}


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_excels_files_are_read_as_they_are(mark: str, between: str) -> None:
    text = f'{mark}externalId{between}lastName\r\nE-1{between}"Ada{between} ""of"" Kent"\r\n'
    assert inputs(text) == [{"externalId": "E-1", "lastName": f'Ada{between} "of" Kent'}]


def test_lists_groups_and_custom_fields_have_columns() -> None:
    text = (
        "groupsName,alternateEmails,customFields.Shift,customFields.Dietary.needs,companiesName\n"
        "Newsletter|VIP,a@example.com,Day,Vegan|No nuts,null\n"
    )
    assert inputs(text) == [
        {
            "groupsName": ["Newsletter", "VIP"],
            "alternateEmails": ["a@example.com"],
            "customFields": [
                {"name": "Shift", "values": ["Day"]},
                {"name": "Dietary.needs", "values": ["Vegan", "No nuts"]},
            ],
            "companiesName": None,
        }
    ]


def test_addresses_and_paths_have_places_and_keep_their_order() -> None:
    text = (
        "addresses.1.city,addresses.0.city,addresses.0.latitude,paths.0.prompt,paths.0.value\n"
        "Leeds,York,53.96,Work Email,a@example.com\n,,,,\n,York,,,\n"
    )
    assert inputs(text) == [
        {
            "addresses": [{"city": "York", "latitude": 53.96}, {"city": "Leeds"}],
            "paths": [{"prompt": "Work Email", "value": "a@example.com"}],
        },
        {"addresses": [{"city": "York"}]},
    ]


def test_links_and_native_sections_have_columns() -> None:
    text = (
        "externalUrls.cv,externalUrls.cv.label,ivvy.id,ivvy.groupIds,ivvy.updateIfExists,"
        "everbridge.attributes.77,sendgrid.emailChange\n"
        "https://example.com/cv,CV,12,1|2,false,Day,CREATE_NEW\n"
    )
    assert inputs(text) == [
        {
            "externalUrls": [{"ref": "cv", "url": "https://example.com/cv", "label": "CV"}],
            "ivvy": {"id": "12", "groupIds": ["1", "2"], "updateIfExists": False},
            "everbridge": {"attributes": [{"id": "77", "values": ["Day"]}]},
            "sendgrid": {"emailChange": "CREATE_NEW"},
        }
    ]


def test_a_row_says_all_that_is_wrong_with_it_and_where_it_stands() -> None:
    found = table(
        "externalId,emailStatus,privacyConsent,addresses.0.latitude\n"
        "E-1,SUBSCRIBED,true,1.5\n\n"
        'E-2,maybe,perhaps,"north, or so"\n'
        "E-3,SUBSCRIBED,true,1.5,more\n"
    )
    assert [row.line for row in found.rows] == [2, 4, 5]
    assert found.rows[0].problems == []
    assert found.rows[1].problems == [
        "emailStatus: 'maybe' is none of SUBSCRIBED, UNSUBSCRIBED, BOUNCED, NO_MARKETING.",
        "privacyConsent: 'perhaps' is neither true nor false.",
        "addresses.0.latitude: 'north, or so' is no number that fits.",
    ]
    assert found.rows[2].problems == ["The row has 5 cells, and the header has 4."]
    assert [row.input is None for row in found.rows] == [False, True, True]


def test_null_clears_a_custom_field_whose_values_cannot_be_null() -> None:
    assert inputs(
        "customFields.Shift,everbridge.attributes.77,externalUrls.cv\nnull,null,null\n"
    ) == [
        {
            "customFields": [{"name": "Shift", "values": []}],
            "everbridge": {"attributes": [{"id": "77", "values": []}]},
            "externalUrls": [{"ref": "cv", "url": None}],
        }
    ]


def test_empty_cells_behind_the_last_column_say_nothing() -> None:
    assert inputs("externalId;lastName\r\nE-1;Ada;;\r\nE-2;Grace; ;\r\n") == [
        {"externalId": "E-1", "lastName": "Ada"},
        {"externalId": "E-2", "lastName": "Grace"},
    ]


def test_lines_may_end_in_a_carriage_return_alone() -> None:
    assert inputs('externalId,lastName\rE-1,"Ada;;;"\r') == [
        {"externalId": "E-1", "lastName": "Ada;;;"}
    ]


@pytest.mark.parametrize("name", ["EMAIL", "E-Mail", "First Name", "LASTNAME", "external_id"])
def test_a_column_in_other_case_or_with_spaces_is_known_again(name: str) -> None:
    meant = {"EMAIL": "email", "E-Mail": "email", "First Name": "firstName"}
    meant |= {"LASTNAME": "lastName", "external_id": "externalId"}
    assert refused(f"{name}\nx\n") == [
        f"The column {name!r} is no field of a contact. Did you mean {meant[name]!r}?"
    ]


def test_a_path_without_its_value_is_told() -> None:
    assert "required field 'value'" in problems("paths.0.prompt\nWork Email\n")[0][0]


@pytest.mark.parametrize(
    ("header", "says"),
    [
        (
            "externalID",
            "The column 'externalID' is no field of a contact. Did you mean 'externalId'",
        ),
        ("email,email", "The column 'email' stands 2 times."),
        ("addresses.city", "needs a place in its list: addresses.0.city"),
        ("ivvy", "has fields of its own: name one of them, such as ivvy.id"),
        ("customFields", "such as customFields.Shift"),
        ("addresses", "such as addresses.0.locationName"),
        ("paths.0.quietTimeFrames", "a list within a list, which a table cannot hold"),
        ("paths.0.quietTimeFrames.0.days", "send such contacts as JSON Lines"),
        ("addresses.0.town", "The column 'addresses.0.town' is no field of a contact."),
        (",,", "The first line has no column names."),
        ("", "The first line has no column names."),
    ],
)
def test_a_wrong_header_is_refused_with_what_would_work(header: str, says: str) -> None:
    assert any(says in problem for problem in refused(f"{header}\nx,y\n"))


def test_a_file_in_another_encoding_is_refused_with_the_line() -> None:
    [problem] = refused(b"externalId,lastName\nE-1,Ada\nE-2,M\xfcller\n")
    assert problem.startswith("Line 3 is not in UTF-8.")


def test_an_unclosed_quote_is_refused() -> None:
    [problem] = refused('externalId,lastName\nE-1,"Ada\n')
    assert "cannot be read" in problem


def test_an_id_of_more_digits_than_json_holds_is_told() -> None:
    [found] = problems('{"externalId": 12345678901234567890123}', "people.jsonl")
    assert found == [
        "externalId: ID cannot represent a number of so many digits: give it as a string."
    ]


def test_json_lines_hold_whole_inputs() -> None:
    text = (
        '{"externalId": "E-1", "phone": null, "groupsName": []}\n\n'
        '{"email": 3}\n[1]\n{"externalID": "E-2"}\n{"a":\n'
    )
    found = table(text, "people.jsonl")
    assert found.header is None
    assert [row.line for row in found.rows] == [1, 3, 4, 5, 6]
    assert found.rows[0].input == {"externalId": "E-1", "phone": None, "groupsName": []}
    assert found.rows[1].problems == ["email: String cannot represent a non string value: 3."]
    assert found.rows[2].problems == ["A line must hold one JSON object, the contact."]
    assert "unknown field 'externalID'" in found.rows[3].problems[0]
    assert found.rows[4].problems[0].startswith("This is no JSON")


@given(st.text(max_size=60), st.text(max_size=60))
def test_whatever_stands_in_a_file_is_read_or_told(header: str, row: str) -> None:
    for name in ("people.csv", "people.jsonl"):
        try:
            found = table(f"externalId,{header}\n{row}\n".encode("utf-8", "replace"), name)
        except ImportRefusedError as refusal:
            told = bool(refusal.problems)
        else:
            told = all(bool(each.problems) != (each.input is not None) for each in found.rows)
        assert told
