"""The documentation's tables, printed from the code: `python -m gateway.docs` writes them.

With `--check` nothing is written; the exit code says whether they are up to date.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.api.scopes import LEAD_PARTS, NEEDS
from gateway.backends.everbridge.contact import FIELDS as EVERBRIDGE
from gateway.backends.ivvy.company import FIELDS as COMPANY
from gateway.backends.ivvy.contact import FIELDS as IVVY
from gateway.backends.ivvy.lead import FIELDS as LEAD
from gateway.backends.sendgrid.contact import FIELDS as SENDGRID
from gateway.model import Backend, ContactInput, title
from gateway.settings import Settings, variable
from gateway.status.gauges import ROWS as GAUGES
from gateway.telemetry.metrics import Metrics
from gateway.write import SECTIONS, input_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.api.scopes import Need
    from gateway.fields import Field

DOCS = Path(__file__).resolve().parents[1] / "docs"

TABLES: Mapping[Backend, Sequence[Field]] = {
    Backend.IVVY: IVVY,
    Backend.EVERBRIDGE: EVERBRIDGE,
    Backend.SENDGRID: SENDGRID,
}

FIELDS_HEAD = """\
# Which field goes where

For everybody who sends a contact or a lead: where each field of `ContactInput`, `LeadInput` and
`CompanyInput` is stored in each backend, and what is sent there to clear it (`null`). Printed from
the code's field tables by `make docs`; a test fails when it is out of date. The reasons are in the
backends' own pages: [iVvy](backends/ivvy.md), [Everbridge](backends/everbridge.md),
[SendGrid](backends/sendgrid.md). ASSUMED means that the vendor's documentation does not say so.

`–` means that the backend cannot hold the field: nothing is sent there, and the field is reported in
`ignoredFields`. For a field that "cannot be cleared", `null` is CANNOT_CLEAR where the backend is named
in `targets`, and is reported in `ignoredFields` where `targets` is left out. `phoneCountryCode` says how
to read a national phone number and is stored nowhere. EMAIL_PATH and PHONE_PATH are the settings
`GATEWAY_EVERBRIDGE_EMAIL_PATH` and `GATEWAY_EVERBRIDGE_PHONE_PATH`.
"""

LEAD_HEAD = """
## A lead

Only iVvy has leads, so a `null` that cannot be carried out is always CANNOT_CLEAR. A field that a REPLACE
leaves out and iVvy cannot clear is reported in `ignoredFields`. More: [leads](leads.md).
"""

COMPANY_HEAD = """
## A lead's company
"""

SETTINGS_HEAD = """\
# Settings

For whoever runs the gateway. Each setting is read once at start, from the environment, else from
`.env`, else from `gateway.toml` in the working directory (there in small letters without `GATEWAY_`:
`default_country = "GB"`). With a wrong value, or an unknown name in one of the two files, the gateway
does not start and lists everything that is wrong. A backend without credentials is not configured: a
write whose `targets` name it gets NOT_CONFIGURED. Printed from the code by `make docs`.

`gateway dev` has settings of its own and reads only `GATEWAY_DATABASE_URL`. `gateway import --url` reads none;
it takes the caller's key from `GATEWAY_KEY`.
"""


def fields_page() -> str:
    """docs/fields.md."""
    names = [field.name for field in fields(ContactInput) if field.name not in SECTIONS]
    lines = [
        FIELDS_HEAD,
        "## Where it goes\n",
        _row("field", *map(title, Backend)),
        _row(*["---"] * 4),
        *(
            _row(f"`{input_name(name)}`", *(_place(TABLES[backend], name) for backend in Backend))
            for name in names
            if name != "phone_country_code"
        ),
        "\n## What clearing looks like on the wire\n",
        _row("field", *map(title, Backend)),
        _row(*["---"] * 4),
        *(
            _row(
                f"`{input_name(name)}`", *(_clearing(TABLES[backend], name) for backend in Backend)
            )
            for name in names
            if name != "phone_country_code"
        ),
    ]
    for backend in Backend:
        lines += _native(backend)
    for head, rows in ((LEAD_HEAD, LEAD), (COMPANY_HEAD, COMPANY)):
        lines += [head, *_listed(rows)]
    return "\n".join(lines) + "\n"


def _native(backend: Backend) -> list[str]:
    rows = [row for row in TABLES[backend] if "." in row.name]
    return [
        f"\n## {title(backend)}'s own section\n",
        *_listed(rows),
    ]


def _listed(rows: Sequence[Field]) -> list[str]:
    """A table of one backend alone."""
    return [
        _row("field", "where it goes", "clearing"),
        _row(*["---"] * 3),
        *(_row(f"`{input_name(row.name)}`", _with_note(row), row.clear.says) for row in rows),
    ]


def _place(rows: Sequence[Field], name: str) -> str:
    row = _find(rows, name)
    return "–" if row is None else _with_note(row)


def _with_note(row: Field) -> str:
    characters = "character" if row.max_length == 1 else "characters"
    limit = f"at most {row.max_length} {characters}" if row.max_length else ""
    return "; ".join(part for part in (f"`{row.at}`", row.note, limit) if part)


def _clearing(rows: Sequence[Field], name: str) -> str:
    row = _find(rows, name)
    return "–" if row is None else row.clear.says


def _find(rows: Sequence[Field], name: str) -> Field | None:
    return next((row for row in rows if row.name == name), None)


def settings_page() -> str:
    """docs/settings.md."""
    lines = [SETTINGS_HEAD, _row("setting", "default", "meaning"), _row("---", "---", "---")]
    for name, info in Settings.model_fields.items():
        default = _default(info.default)
        lines.append(_row(f"`{variable(name)}`", default, info.description or ""))
    return "\n".join(lines) + "\n"


def callers_page() -> str:
    """docs/callers.md, whose table of scopes alone is printed."""
    head, mark, rest = (DOCS / "callers.md").read_text().partition("<!-- scopes -->\n")
    rows = [
        _row("field", "needs"),
        _row("---", "---"),
        *(_row(f"`{_field(name)}`", _need(need)) for name, need in NEEDS.items()),
    ]
    table = "\n".join(rows) + "\n"
    return head + mark + table + rest[rest.index("<!-- end -->") :]


def _field(name: str) -> str:
    """A field as callers write it: those at the root by their names alone."""
    holder, _, field = name.partition(".")
    if holder == "Subscription":
        return f"subscription {field}"
    return field if holder in {"Query", "Mutation"} else name


def _need(need: Need) -> str:
    if need.for_people is not None:
        return f"`{need.for_people}` for what it holds of people; else their ids alone"
    if not need.one_of:
        return "any caller"
    needed = " or ".join(f"`{scope}`" for scope in need.one_of)
    if need.beside is None:
        return needed
    return f"{needed}; with a {' or a '.join(LEAD_PARTS)} also `{need.beside}`"


def _default(value: object) -> str:
    """A setting's default as it is written in the environment."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, float):
        return f"`{value:g}`"
    return f"`{','.join(value) if isinstance(value, tuple) else value}`"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


METRICS_BEGIN = "<!-- The table is printed from the code: make docs -->\n"
METRICS_END = "<!-- End of the table -->\n"


def operating_page() -> str:
    """docs/operating.md as it is, with its table of metrics printed anew."""
    text = (DOCS / "operating.md").read_text()
    before, _, rest = text.partition(METRICS_BEGIN)
    _, _, after = rest.partition(METRICS_END)
    rows = sorted((*Metrics().rows, *GAUGES), key=lambda row: row.name)
    table = [
        _row("metric", "kind", "labels", "meaning"),
        _row(*["---"] * 4),
        *(
            _row(f"`{row.name}`", row.kind, " ".join(f"`{one}`" for one in row.labels), row.tells)
            for row in rows
        ),
    ]
    return "".join((before, METRICS_BEGIN, "\n".join(table), "\n", METRICS_END, after))


PAGES = {
    "callers.md": callers_page,
    "fields.md": fields_page,
    "operating.md": operating_page,
    "settings.md": settings_page,
}


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check say which are out of date."""
    stale = 0
    for name, page in PAGES.items():
        path = DOCS / name
        text = page()
        if "--check" not in arguments:
            path.write_text(text)
        elif not path.is_file() or path.read_text() != text:
            sys.stderr.write(f"docs/{name} is out of date: run make docs\n")
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
