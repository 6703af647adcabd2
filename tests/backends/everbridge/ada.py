"""Ada as Everbridge holds her, and what every PUT of her says again."""

from __future__ import annotations

from typing import Any

from tests.backends.everbridge.writing import (
    AREA,
    BADGE,
    BERLIN,
    EMPLOYEE,
    LANGUAGES,
    NEWSLETTER,
    SHIFT,
)

ADA: dict[str, Any] = {
    "id": 1300000000000001,
    "organizationId": 1000000000000001,
    "accountId": 0,
    "resourceBundleId": 0,
    "status": "A",
    "createdDate": 1767603600000,
    "lastModifiedDate": 1767690000000,
    "registedEmail": "ada@example.com",
    "externalId": "E-1001",
    "firstName": "Ada",
    "lastName": "Byron",
    "middleInitial": "A",
    "suffix": "PhD",
    "country": "GB",
    "recordTypeId": EMPLOYEE,
    "recordTypeName": "Employee",
    "businessName": "Analytical Engines",
    "vip": True,
    "ssoUserId": "ada.byron",
    "securityPIN": "0815",
    "futureField": {"kept": [1, {"as": None}]},
    "groups": [NEWSLETTER, BERLIN],
    "topics": [1600000000000001, 1600000000000002],
    "contactAttributes": [
        {"orgAttrId": SHIFT, "name": "Shift", "values": ["Night"]},
        {"orgAttrId": BADGE, "name": "Badge number", "values": [16324267]},
        {"orgAttrId": LANGUAGES, "name": "Languages", "values": ["French", "English"]},
        {"orgAttrId": AREA, "name": "Area", "values": [{"points": [1.5]}]},
    ],
}
KEPT: dict[str, Any] = {
    "externalId": "E-1001",
    "firstName": "Ada",
    "lastName": "Byron",
    "middleInitial": "A",
    "suffix": "PhD",
    "country": "GB",
    "recordTypeId": EMPLOYEE,
    "recordTypeName": "Employee",
    "businessName": "Analytical Engines",
    "vip": True,
    "ssoUserId": "ada.byron",
    "securityPIN": "0815",
    "futureField": {"kept": [1, {"as": None}]},
    "topics": [1600000000000001, 1600000000000002],
    "contactAttributes": [
        {"orgAttrId": SHIFT, "name": "Shift", "values": ["Night"]},
        {"orgAttrId": BADGE, "name": "Badge number", "values": ["16324267"]},
        {"orgAttrId": LANGUAGES, "name": "Languages", "values": ["French", "English"]},
        {"orgAttrId": AREA, "name": "Area", "values": [{"points": [1.5]}]},
    ],
}
"""What every PUT of Ada says again."""
