"""Definitions of custom fields (contract: sendgrid section 9)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from starlette.responses import Response

from gateway.sandbox.sendgrid import views
from gateway.sandbox.sendgrid.asked import answer
from gateway.sandbox.sendgrid.errors import refused
from gateway.sandbox.sendgrid.store import RESERVED_FIELDS

if TYPE_CHECKING:
    from gateway.sandbox.sendgrid.asked import Asked
    from gateway.sandbox.sendgrid.store import CustomField

MAX_FIELDS = 500
FIELD_TYPES = ("Text", "Number", "Date")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")


def get_fields(asked: Asked) -> Response:
    """Give all custom and reserved fields in one answer."""
    custom = [views.custom_field(one, asked.base) for one in asked.store.fields.values()]
    return answer(
        {
            "custom_fields": custom,
            "reserved_fields": views.reserved_fields(),
            "_metadata": {"self": f"{asked.base}/field_definitions"},
        }
    )


def post_field(asked: Asked) -> Response:
    """Define a field: 200. PUT contacts knows it a little later."""
    name = _checked_name(asked)
    field_type = asked.member("field_type")
    if field_type not in FIELD_TYPES:
        raise refused(400, f"field_type must be one of {', '.join(FIELD_TYPES)}", "field_type")
    if len(asked.store.fields) >= MAX_FIELDS:
        raise refused(400, f"no more than {MAX_FIELDS} custom fields are allowed")
    wait = timedelta(seconds=float(asked.switches["field_ready_seconds"]))
    made = asked.store.make_field(name, field_type, asked.now + wait)
    return answer(views.custom_field(made, asked.base))


def _checked_name(asked: Asked, own_id: str | None = None) -> str:
    name = asked.member("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        message = "name must have 1 to 100 letters, digits or underscores and start with no digit"
        raise refused(400, message, "name")
    others = (one.name for one in asked.store.fields.values() if one.id != own_id)
    if name.lower() in {other.lower() for other in (*others, *RESERVED_FIELDS)}:
        raise refused(400, f"field name '{name}' is already in use", "name")
    return name


def patch_field(asked: Asked) -> Response:
    """Rename a field; its type cannot change."""
    found = _known(asked)
    found.name = _checked_name(asked, found.id)
    return answer(views.custom_field(found, asked.base))


def delete_field(asked: Asked) -> Response:
    """Delete a field and its values: 204."""
    asked.store.remove_field(_known(asked).id)
    return Response(status_code=204)


def _known(asked: Asked) -> CustomField:
    found = asked.store.fields.get(asked.part("id"))
    if found is None:
        raise refused(404, "field definition not found")
    return found
