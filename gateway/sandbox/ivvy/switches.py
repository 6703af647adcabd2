"""What iVvy's documents leave open, one row for each, with the value that the sandbox takes.

Each row stands for an ASSUMED or rare behaviour; tests turn them to see that the gateway holds
either way. The README's table is compared with this one by a test.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One open question: `choices` lists the values, or is the type that a value must have."""

    name: str
    default: Any
    choices: tuple[str, ...] | type
    meaning: str

    def complaint(self, value: Any) -> str | None:
        """Say why `value` does not fit, or None."""
        if isinstance(self.choices, tuple):
            return None if value in self.choices else f"must be one of {', '.join(self.choices)}"
        wanted = (int, float) if self.choices is float else self.choices
        fits = isinstance(value, wanted) and (self.choices is bool or not isinstance(value, bool))
        return None if fits else f"must be a {self.choices.__name__}"


def _rows(*rows: tuple[str, Any, tuple[str, ...] | type, str]) -> tuple[Switch, ...]:
    return tuple(
        Switch(name=name, default=default, choices=choices, meaning=meaning)
        for name, default, choices, meaning in rows
    )


_TRANSPORT = _rows(
    ("date_window_seconds", 300.0, float, "how far IVVY-Date may be from the server's time"),
    ("clock_skew_seconds", 0.0, float, "added to the server's time"),
    ("requests_per_second", 0, int, "quota of a key, answered with 429; 0 is none"),
    ("retry_after_seconds", 0, int, "Retry-After sent with a 429; 0 sends none"),
    ("http_status", "code", ("code", "ok"), "HTTP status of an error object: errorCode, or 200"),
    ("codes_as_strings", False, bool, "errorCode and specificCode as text"),
    ("ids_as_strings", False, bool, "ids in answers as text, as older answers have them"),
)
_LISTS = _rows(
    ("ignore_filters", False, bool, "list calls ignore `filter` and give every row"),
    (
        "filterable",
        "row",
        ("row", "documented"),
        "fields that a filter may name: all of an item, or those the vendor's pages show",
    ),
    (
        "unknown_filter",
        "ignore",
        ("ignore", "error", "none"),
        "a filter on another field: ignored, refused with 400, or matching no row",
    ),
    (
        "match_case",
        "ignore",
        ("ignore", "exact"),
        "how filters and updateIfExists compare text",
    ),
    ("page_cap", 100, int, "the largest perPage with an effect"),
    ("default_per_page", 100, int, "page size when perPage is absent"),
    ("list_order", "id", ("id", "id_desc", "modified"), "order of lists"),
    ("meta_omits", [], list, "keys left out of a list's `meta`"),
)
_WRITES = _rows(
    (
        "write_answer",
        "bare",
        ("bare", "success"),
        "answer where the sample has only an id: {id}, or {success, id}",
    ),
    (
        "business_errors",
        "success_false",
        ("success_false", "error_object"),
        "how contact and company rules fail",
    ),
    ("text_clear", "clear", ("clear", "keep"), 'what "" does to a stored text'),
    (
        "clear_required",
        "clear",
        ("clear", "refuse"),
        'what "" does on update to a text that a create requires',
    ),
    ("null_scalar", "keep", ("keep", "clear", "error"), "what null does to a stored scalar"),
    ("groups_empty", "clear", ("clear", "keep"), "what groups: [] does"),
    ("groups_null", "keep", ("keep", "clear", "error"), "what groups: null does"),
    ("companies_null", "keep", ("keep", "clear", "error"), "what companies: null does"),
    ("companies_on_update", "replace", ("replace", "merge"), "a sent list of companies"),
    ("custom_fields_on_update", "merge", ("merge", "replace"), "a sent list of custom fields"),
    ("external_urls_on_update", "merge", ("merge", "replace"), "a sent list of external URLs"),
    (
        "external_urls_limit",
        "kept",
        ("kept", "sent"),
        "whether the limit of three counts what remains, or the entries sent too",
    ),
    ("custom_null", "clear", ("clear", "keep", "error"), "what a custom field's null does"),
    ("custom_date_only", "refuse", ("refuse", "accept"), "a date field's value without a time"),
    ("custom_inactive", "refuse", ("refuse", "accept"), "writing an inactive custom field"),
    ("custom_file", "refuse", ("refuse", "accept"), "writing a file field"),
    ("custom_fields_read", "all", ("all", "set_only"), "whether empty custom fields are read"),
    ("custom_fields_required", [], list, "fieldIds that a new contact or company must carry"),
    (
        "duplicate_contact",
        "refuse",
        ("refuse", "create", "update"),
        "a create without updateIfExists whose names and e-mail exist",
    ),
    ("duplicate_company", "create", ("create", "refuse"), "the same for a company's name"),
    (
        "several_matches",
        "first",
        ("first", "last", "refuse"),
        "updateIfExists with several matches, by id",
    ),
    ("privacy_consent_false", "keep", ("keep", "clear"), "what privacyConsent: false does"),
    ("group_refuses", [], list, "contact ids that group add and remove answer with status false"),
)
_LEADS = _rows(
    ("stages_apply_to", True, bool, "whether the stage list carries applyTo"),
    (
        "lead_contact_key",
        "both",
        ("both", "companyLeadContactId", "contactId"),
        "where a company's lead takes its person from",
    ),
    (
        "lead_contact_alone",
        "to_contact",
        ("to_contact", "keep_company"),
        "contactId or contact alone on the update of a company's lead",
    ),
    ("industry_for_company_leads", False, bool, "whether a company's lead needs industryId too"),
    ("owner_change", "allow", ("allow", "ignore", "refuse"), "privilege to change the owner"),
    ("lead_fields_required", [], list, "fieldIds that a new lead must carry"),
    ("lead_phone_as_number", False, bool, "a lead's contact phone as a number, as the sample"),
)
_BATCH = _rows(
    ("batch_seconds", 1.0, float, "how long a batch takes"),
    ("batch_on_failure", "continue", ("continue", "stop"), "what a failed job does to the rest"),
    ("batch_callback_required", False, bool, "whether batch run demands callbackUrl"),
    ("batch_order", "jobs", ("jobs", "reverse"), "order in which jobs run and results are listed"),
    ("batch_omits", [], list, "positions of jobs, from 0, that run and are missing in the results"),
    (
        "batch_request_echo",
        "whole",
        ("whole", "reduced", "job"),
        "a result's `request` as it was sent, without nulls and with numbers as text, or as the job",
    ),
)

SWITCHES: Mapping[str, Switch] = {
    row.name: row for row in (*_TRANSPORT, *_LISTS, *_WRITES, *_LEADS, *_BATCH)
}


class Switches(dict[str, Any]):
    """The values now in force; an unknown name is a KeyError, a value that does not fit a ValueError."""

    def __init__(self) -> None:
        super().__init__()
        self.restore()

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in SWITCHES:
            raise KeyError(f"iVvy has no switch {name!r}; it has {', '.join(sorted(SWITCHES))}")
        complaint = SWITCHES[name].complaint(value)
        if complaint:
            raise ValueError(f"switch {name}: {value!r} {complaint}")
        super().__setitem__(name, value)

    def update(self, *others: Any, **named: Any) -> None:
        """Set several, each checked; takes what `dict` takes."""
        for name, value in dict(*others, **named).items():
            self[name] = value

    def restore(self) -> None:
        """Every switch to its default."""
        for row in SWITCHES.values():
            self[row.name] = list(row.default) if isinstance(row.default, list) else row.default
