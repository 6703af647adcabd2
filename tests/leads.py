"""What tests of leads say often: the mutation, a good input, and the simulated iVvy's leads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.lead_links import Links
    from tests.harness import Gateway

UPSERT_LEAD = """
mutation ($input: LeadInput!, $mode: WriteMode! = PATCH, $ifMissing: MissingPolicy! = CREATE,
          $dryRun: Boolean! = false) {
  upsertLead(input: $input, mode: $mode, ifMissing: $ifMissing, dryRun: $dryRun) {
    requestId status
    errors { ...problem }
    results {
      backend outcome id matchedBy changedFields ignoredFields
      errors { ...problem }
      warnings { ...problem }
      calls { method path body statusCode attempts }
    }
    contact { ...related }
    company { ...related }
  }
}
fragment related on RelatedRecord { id outcome matchedBy changedFields ignoredFields }
fragment problem on Problem {
  backend code message field suggestions backendCode backendMessage retryable retryAfterSeconds
}
"""

ADA, MARY = 40001, 40003
ENGINES, HARBOUR = 7001, 7002

NAMES: dict[str, Any] = {
    "name": "Autumn offsite",
    "typeName": "Conference",
    "subtypeName": "One day",
    "stageName": "New",
    "sourceName": "Website",
}
OF_ADA: dict[str, Any] = {
    **NAMES,
    "industryName": "Technology",
    "contact": {"externalId": "E-1001"},
}
"""A lead of a person that iVvy holds."""
OF_HARBOUR: dict[str, Any] = {
    **NAMES,
    "company": {"name": "Harbour Hotels"},
    "contact": {"externalId": "E-1004"},
}
"""A lead of a company, with a person who is there."""


EVE: dict[str, Any] = {"email": "Eve@example.com", "firstName": "Eve", "lastName": "Moore"}
"""A person that iVvy does not hold."""


@dataclass
class LeadAnswer:
    """The answer of one upsertLead, with what tests ask of it."""

    data: dict[str, Any]

    @property
    def status(self) -> str:
        return str(self.data["status"])

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(self.data["errors"])

    @property
    def result(self) -> dict[str, Any]:
        [result] = self.data["results"]
        return dict(result)

    @property
    def outcome(self) -> str:
        return str(self.result["outcome"])

    @property
    def contact(self) -> dict[str, Any]:
        return dict(self.data["contact"])

    @property
    def company(self) -> dict[str, Any]:
        return dict(self.data["company"])

    def told(self) -> dict[str, str]:
        """The code of each problem, by its path."""
        return {".".join(problem["field"]): problem["code"] for problem in self.errors}

    def bodies(self) -> list[Any]:
        return [call["body"] for call in self.result["calls"]]


async def upsert_lead(gateway: Gateway, lead: dict[str, Any], **arguments: Any) -> LeadAnswer:
    """Send upsertLead."""
    data = await gateway.data(UPSERT_LEAD, input=lead, **arguments)
    return LeadAnswer(data["upsertLead"])


def leads(gateway: Gateway, **fields: Any) -> list[dict[str, Any]]:
    """The leads that iVvy holds with these values."""
    return _rows(gateway, "leads", fields)


def companies(gateway: Gateway, **fields: Any) -> list[dict[str, Any]]:
    """The companies that iVvy holds with these values."""
    return _rows(gateway, "companies", fields)


def _rows(gateway: Gateway, table: str, fields: dict[str, Any]) -> list[dict[str, Any]]:
    rows = gateway.sandbox.ivvy.dump()["tables"][table]
    return [row for row in rows if all(row.get(key) == value for key, value in fields.items())]


def lead_writes(gateway: Gateway) -> list[Any]:
    """The bodies of the addOrUpdateLead calls that iVvy received."""
    return [
        call["body"]
        for call in gateway.calls("ivvy", writes=True)
        if call["query"]["action"] == "addOrUpdateLead"
    ]


def change_lead(gateway: Gateway, lead_id: int, **fields: Any) -> None:
    """Change what iVvy holds, behind the gateway's back; `gone=True` removes the lead."""
    state = gateway.sandbox.ivvy.dump()
    rows = state["tables"]["leads"]
    [row] = [row for row in rows if row["id"] == lead_id]
    if fields.pop("gone", False):
        rows.remove(row)
    row.update(fields)
    gateway.sandbox.ivvy.load(state)


LEAD: dict[str, Any] = OF_ADA | {"externalId": "L-1"}
LEAD_CALL = "/api/1.0/contact?action=addOrUpdateLead"


def links_of(gateway: Gateway) -> Links:
    """The gateway's links between externalIds and leads."""
    links: Links = gateway.app.state.account.links
    return links


def later(gateway: Gateway, **by: float) -> None:
    """Let time pass for the links alone."""
    links_of(gateway).clock = lambda: datetime.now(UTC) + timedelta(**by)


def fault(gateway: Gateway, path: str = LEAD_CALL, **what: Any) -> None:
    """Let iVvy fail at one of its calls."""
    gateway.sandbox.faults.add({"backend": "ivvy", "path": path, **what})


async def unanswered(gateway: Gateway, lead: dict[str, Any] = LEAD) -> None:
    """A create that was sent and whose answer is lost; iVvy has made the lead."""
    fault(gateway, drop="after")
    answer = await upsert_lead(gateway, lead)
    assert (answer.status, answer.outcome) == ("UNKNOWN", "UNKNOWN")


async def doubtful(gateway: Gateway, lead: dict[str, Any] = LEAD) -> dict[str, Any]:
    """The problem of a call that cannot tell what an earlier one has made."""
    held = len(leads(gateway))
    answer = await upsert_lead(gateway, lead)
    assert (answer.status, answer.outcome) == ("UNKNOWN", "UNKNOWN")
    assert len(leads(gateway)) == held
    [problem] = answer.errors
    assert (problem["code"], problem["field"]) == ("CONFLICT", ["externalId"])
    return problem


async def refused(gateway: Gateway, lead: dict[str, Any], **how: Any) -> LeadAnswer:
    """The answer to a lead that is refused before anything is sent."""
    answer = await upsert_lead(gateway, lead, **how)
    assert (answer.status, answer.outcome) == ("REJECTED", "REJECTED")
    assert gateway.calls("ivvy", writes=True) == []
    return answer


def without(lead: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in lead.items() if name not in names}
