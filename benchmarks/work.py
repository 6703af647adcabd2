"""The work that is measured: one mutation, the lists of names behind it, and its four modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTACTS = 4096
"""Different contacts that requests go round; enough that no two at once are the same."""

QUERY = """
mutation Upsert($input: ContactInput!, $targets: [Backend!]) {
  upsertContact(input: $input, targets: $targets) {
    status
    results { backend outcome id errors { code message field } }
    errors { backend code message field }
  }
}
"""

LITERAL_QUERY = """
mutation Upsert {
  upsertContact(
    input: {
      externalId: "%(externalId)s", email: "%(email)s", firstName: "%(firstName)s",
      lastName: "%(lastName)s", recordTypeName: "Employee", addGroupsName: ["Newsletter"],
      customFields: [{ name: "Shift", values: ["Night"] }]
    }
    targets: [%(targets)s]
  ) {
    status
    results { backend outcome id errors { code message field } }
    errors { backend code message field }
  }
}
"""

ONE, ALL = ("SENDGRID",), ("IVVY", "EVERBRIDGE", "SENDGRID")

FINDS_AND_WRITES = {
    ONE: {"sendgrid write": 1},
    ALL: {
        "ivvy find": 1,
        "ivvy write": 1,
        "everbridge find": 1,
        "everbridge write": 1,
        "sendgrid write": 1,
    },
}
"""The calls of one mutation, whoever makes it; those for names come on top."""

NAMES = {"ivvy names": 2, "everbridge names": 4, "sendgrid names": 2}
"""The calls for the names of one mutation to all targets, where nothing is kept between requests."""


@dataclass(frozen=True, kw_only=True)
class Mode:
    """One way in which the work is asked for."""

    name: str
    title: str
    targets: tuple[str, ...]
    cold: bool = False
    """Whether the lists of names are read for each request."""
    literals: bool = False
    """Whether the contact stands in the text of the query, which is another for each request."""

    def bodies(self) -> Iterator[bytes]:
        """The request bodies, one for each contact."""
        for number in range(1, CONTACTS + 1):
            yield orjson.dumps(self.request(contact(number)))

    def request(self, given: dict[str, Any]) -> dict[str, Any]:
        """The GraphQL request that writes one contact."""
        if self.literals:
            return {"query": LITERAL_QUERY % {**given, "targets": ", ".join(self.targets)}}
        return {"query": QUERY, "variables": {"input": given, "targets": self.targets}}


MODES = (
    Mode(name="one", title="One target (SendGrid), names cached", targets=ONE),
    Mode(name="all", title="All three targets, names cached", targets=ALL),
    Mode(name="cold", title="All three targets, no names cached", targets=ALL, cold=True),
    Mode(
        name="literals",
        title="All three targets, names cached, values in the query's text",
        targets=ALL,
        literals=True,
    ),
)


def contact(number: int) -> dict[str, Any]:
    """The input of one contact."""
    return {
        "externalId": f"E-{number}",
        "email": f"e{number}@example.com",
        "firstName": "Hedy",
        "lastName": f"Kiesler {number}",
        "recordTypeName": "Employee",
        "addGroupsName": ["Newsletter"],
        "customFields": [{"name": "Shift", "values": ["Night"]}],
    }


def _numbered(first: str, others: str, count: int) -> list[tuple[int, str]]:
    return [(1, first), *((number, f"{others} {number}") for number in range(2, count + 1))]


def lists(size: int = 40) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The vendors' rows, with so many groups in each.

    The contacts are in iVvy's and not yet in the others' newsletter group.
    """
    return {
        "ivvy": {
            "getSubscriptionGroupList": [
                {"id": 300 + number, "groupName": name, "memberCount": number}
                for number, name in _numbered("Newsletter", "Region", size)
            ],
            "getCustomFieldDefinition": [
                {
                    "fieldId": 500 + number,
                    "fieldType": 2 if number == 1 else 1,
                    "displayName": name,
                    "isRequired": False,
                    "isActive": True,
                    "sortOrder": number,
                    "selectValues": {"1": "Day", "2": "Night"} if number == 1 else None,
                }
                for number, name in _numbered("Shift", "Field", 10)
            ],
        },
        "everbridge": {
            "groups": [
                {"id": 1200000000000000 + number, "name": name, "status": "A", "parentId": -1}
                for number, name in _numbered("Newsletter", "Region", size)
            ],
            "recordTypes": [
                {"id": 1100000000000001, "name": "Employee", "status": "A"},
                {"id": 1100000000000002, "name": "Resident", "status": "A"},
            ],
            "contactPaths": [
                {
                    "pathId": 241901148045316,
                    "prompt": "Work Email",
                    "pathType": "EMAIL",
                    "formatFlag": "E",
                    "status": "A",
                },
                {
                    "pathId": 241901148045319,
                    "prompt": "Mobile Phone",
                    "pathType": "PHONE",
                    "formatFlag": "P",
                    "status": "A",
                },
            ],
            "contactAttributes": [
                {
                    "id": 1400000000000000 + number,
                    "name": name,
                    "dataType": "STRING",
                    "displayFormat": "F",
                    "status": "A",
                }
                for number, name in _numbered("Shift", "Attribute", 10)
            ],
        },
        "sendgrid": {
            "lists": [
                {
                    "id": f"0e020309-86fd-50cc-bfa5-{number:012d}",
                    "name": name,
                    "contact_count": number,
                }
                for number, name in _numbered("Newsletter", "Region", size)
            ],
            "field_definitions": [
                {"id": f"e{number}_T", "name": name, "field_type": "Text"}
                for number, name in _numbered("Shift", "Field", 10)
            ],
        },
    }


LISTS = lists()
