"""Promises of the documentation that the code keeps."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.docs import PAGES, TABLES
from gateway.model import Backend, ContactInput
from gateway.results import Outcome, ProblemCode, UpsertStatus
from gateway.settings import Settings, variable
from gateway.write import SECTIONS, input_name

if TYPE_CHECKING:
    from enum import Enum

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run: make docs"


def test_every_setting_is_documented() -> None:
    text = (DOCS / "settings.md").read_text()
    assert [name for name in Settings.model_fields if variable(name) not in text] == []
    assert [name for name, info in Settings.model_fields.items() if not info.description] == []


def test_every_row_of_a_field_table_names_an_input_field() -> None:
    known = {field.name for field in fields(ContactInput)}
    for backend in Backend:
        section = SECTIONS[list(Backend).index(backend)]
        native = {
            f"{section}.{field.name}"
            for field in fields(
                {
                    Backend.IVVY: _native("IvvyContactInput"),
                    Backend.EVERBRIDGE: _native("EverbridgeContactInput"),
                    Backend.SENDGRID: _native("SendGridContactInput"),
                }[backend]
            )
        }
        names = {row.name for row in TABLES[backend]}
        assert names <= known | native
        assert native <= names, f"{backend.value}'s own fields without a row"
        assert len(names) == len(TABLES[backend]), "a field has two rows"


def test_every_unified_field_is_held_somewhere() -> None:
    held = {row.name for rows in TABLES.values() for row in rows}
    unified = {field.name for field in fields(ContactInput)} - set(SECTIONS)
    assert unified - held == {"phone_country_code"}


def test_the_fields_page_names_every_field() -> None:
    text = (DOCS / "fields.md").read_text()
    unified = {field.name for field in fields(ContactInput)} - set(SECTIONS)
    assert [name for name in unified if f"`{input_name(name)}`" not in text] == []


def _native(name: str) -> type:
    import gateway.model

    found: type = getattr(gateway.model, name)
    return found


@pytest.mark.parametrize("words", [Outcome, UpsertStatus, ProblemCode])
def test_every_word_of_a_receipt_is_explained(words: type[Enum]) -> None:
    explained = re.findall(r"^\| ([A-Z_, ]+) \|", (DOCS / "concepts.md").read_text(), re.MULTILINE)
    known = {word for cell in explained for word in cell.split(", ")}
    assert [word.name for word in words if word.name not in known] == []


@pytest.mark.parametrize("name", ["add_groups_name", "remove_groups_name"])
def test_null_changes_nothing_in_groups_to_join_and_to_leave(name: str) -> None:
    told = {row.clear.says for rows in TABLES.values() for row in rows if row.name == name}
    assert told == {"null changes nothing"}
