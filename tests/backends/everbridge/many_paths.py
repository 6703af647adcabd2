"""Ada with three delivery paths, and what a write makes of them."""

from __future__ import annotations

from typing import Any

from gateway.model import WriteMode
from tests.backends.everbridge.writing import (
    BUSINESS,
    EMPLOYEE,
    MOBILE,
    WORK_EMAIL,
    contact,
    plan,
    sent,
)

NIGHT = {"name": "Night", "days": [2, 3], "fromHour": 22, "fromMin": 0, "toHour": 6, "toMin": 30}
MOBILE_PATH: dict[str, Any] = {
    "pathId": MOBILE,
    "value": "7700900101",
    "countryCode": "GB",
    "waitTime": 2,
    "skipValidation": True,
    "future": {"a": 1},
    "quietTimeFrames": [{**NIGHT, "colour": "blue"}],
}
MAIL_PATH: dict[str, Any] = {"pathId": WORK_EMAIL, "value": "Ada@example.com", "waitTime": 1}
DESK_PATH: dict[str, Any] = {
    "pathId": BUSINESS,
    "prompt": "Business Phone",
    "value": "3023125101",
    "countryCode": "DE",
    "phoneExt": "123",
}
ADA: dict[str, Any] = {
    "id": 1300000000000001,
    "externalId": "E-1001",
    "firstName": "Ada",
    "lastName": "Byron",
    "recordTypeId": EMPLOYEE,
    "timezoneId": "Europe/London",
    "paths": [MOBILE_PATH, MAIL_PATH, DESK_PATH],
}


def paths_after(raw: dict[str, Any] = ADA, mode: WriteMode = WriteMode.PATCH, **fields: Any) -> Any:
    """The `paths` of the PUT."""
    return sent(plan(contact(**fields), raw, mode=mode))["paths"]
