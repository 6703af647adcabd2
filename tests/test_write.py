"""What an input's absences mean, and how calls and errors are shown."""

from __future__ import annotations

import pytest
from strawberry import ID, Some

from gateway.calls import Answer, Call, FromReply, Reply, Safety, filled, read, shown
from gateway.model import (
    Backend,
    ContactInput,
    EverbridgeContactInput,
    IvvyContactInput,
    SendGridContactInput,
    WriteMode,
)
from gateway.write import CLEARED, ContactWrite, input_name

REPLACE = WriteMode.REPLACE


def test_input_names_are_spelled_as_in_the_schema() -> None:
    assert input_name("groups_name") == "groupsName"
    assert input_name("ivvy.group_ids") == "ivvy.groupIds"
    write = ContactWrite(input=ContactInput(), at=("contact",))
    assert write.field_path("ivvy.group_ids", 2) == ["contact", "ivvy", "groupIds", "2"]


def test_three_states_stay_apart() -> None:
    write = ContactWrite(input=ContactInput(first_name=Some(None), last_name=Some("B")))
    assert write.get("first_name") == Some(None)
    assert write.get("last_name") == Some("B")
    assert write.get("suffix") is None
    assert [write.mentions(name) for name in ("first_name", "last_name", "suffix")] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("section", [None, Some(None), Some(IvvyContactInput())])
def test_a_native_field_of_a_section_that_lacks_it_is_absent(
    section: Some[IvvyContactInput | None] | None,
) -> None:
    write = ContactWrite(input=ContactInput(ivvy=section), mode=REPLACE)
    assert write.get("ivvy.id") is None


def test_a_native_field_is_found_in_its_section() -> None:
    write = ContactWrite(input=ContactInput(ivvy=Some(IvvyContactInput(id=Some(ID("7"))))))
    assert write.given("ivvy.id") == Some("7")


def test_a_replace_clears_what_is_absent_but_keys_statuses_and_consent() -> None:
    write = ContactWrite(
        input=ContactInput(first_name=Some("A")), mode=REPLACE, invalid=frozenset({"suffix"})
    )
    assert write.get("last_name") == CLEARED
    assert write.get("first_name") == Some("A")
    kept = ["external_id", "email", "email_status", "sms_status", "privacy_consent", "suffix"]
    assert [write.get(name) for name in kept] == [None] * 6
    assert write.given("last_name") is None


def test_given_names_are_those_of_the_caller_without_sections() -> None:
    write = ContactWrite(
        input=ContactInput(email=Some("x"), ivvy=Some(None), groups_name=Some(None)),
        invalid=frozenset({"email"}),
    )
    assert write.given_names() == ["email", "groups_name"]


def test_a_section_of_no_target_counts_as_given_where_it_says_anything() -> None:
    given = ContactInput(
        email=Some("x"),
        ivvy=Some(IvvyContactInput(id=Some(ID("7")))),
        everbridge=Some(EverbridgeContactInput(record_type_id=Some(None))),
        sendgrid=Some(SendGridContactInput()),
    )
    for targets, names in (
        (None, ["email"]),
        ([Backend.IVVY], ["email", "everbridge"]),
        ([Backend.EVERBRIDGE, Backend.SENDGRID], ["email", "ivvy"]),
    ):
        assert ContactWrite(input=given, targets=targets).given_names() == names


def reply(body: object) -> Reply:
    return Reply(status=200, headers={}, body=body, text="")


def test_a_reference_to_an_earlier_reply_is_named_until_it_is_filled_in() -> None:
    call = Call(
        method="POST",
        path="/a",
        query=(("q", "x y"),),
        body={
            "ids": [FromReply(call=0, key="id", whole=True)],
            "text": FromReply(call=0, key="id"),
        },
        safety=Safety.ONCE,
    )
    assert shown(call).body == {"ids": ["<id of call 1>"], "text": "<id of call 1>"}  # type: ignore[comparison-overlap]
    assert shown(call).path == "/a?q=x+y"
    assert filled(call, [reply({"id": "7"})]).body == {"ids": [7], "text": "7"}


def test_hidden_parts_of_a_body_are_not_shown_and_are_sent() -> None:
    call = Call(method="POST", path="/a", body={"a": 1, "b": 2}, hidden=frozenset({"b", "c"}))
    assert shown(call).body == {"a": 1, "b": "***"}  # type: ignore[comparison-overlap]
    assert call.content() == b'{"a":1,"b":2}'


def test_a_body_is_json_a_form_or_nothing() -> None:
    assert Call(method="GET", path="/a").content() == b""
    assert Call(method="GET", path="/a").target == "/a"
    assert Call(method="POST", path="/a", form=(("a", "b&c"),)).content() == b"a=b%26c"
    assert Call(method="POST", path="/a", body=[]).content() == b"[]"


def test_an_answer_is_read_as_json_where_it_is_json() -> None:
    good = read(Answer(200, {"x-a": "1"}, b'{"a": 1}', '{"a": 1}'))
    assert (good.body, good.headers["x-a"]) == ({"a": 1}, "1")
    assert read(Answer(204, {}, b"", "")).body is None
    page = read(Answer(200, {}, b"<p>\n  hello</p>", "<p>\n  hello</p>"))
    assert (page.body, page.excerpt) == (None, "<p> hello</p>")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            '{"message": "OK", "code": 7, "page": {"Ada": 1}, "data": [1, 2], "id": 5, "x": null}',
            "{message: OK, code: 7, page: {…}, data: [2], id: …, x: …}",
        ),
        ('[{"firstName": "Ada"}]', "[1]"),
        ('{"message": {"a": "Ada"}, "result": {}}', "{message: {…}, result: {}}"),
        ('{"result": {"firstName": "Ad', "28 characters of JSON"),
        ('"Ada"', '"Ada"'),
    ],
)
def test_json_that_is_no_error_is_shown_without_what_it_holds(text: str, shown: str) -> None:
    assert read(Answer(200, {}, text.encode(), text)).excerpt == shown
    assert read(Answer(400, {}, text.encode(), text)).excerpt == text


def test_a_long_answer_is_shown_by_its_beginning() -> None:
    long = read(Answer(500, {}, b"x" * 400, "x" * 400))
    assert long.excerpt == "x" * 300 + "…"
