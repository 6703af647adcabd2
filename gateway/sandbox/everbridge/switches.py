"""The table of switches: vendor behaviour that is rare, assumed or disputed, changeable at run time."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Switch:
    """One switch: its name, what it is at the start, and what it does."""

    name: str
    default: Any
    meaning: str


SWITCHES = (
    Switch(
        name="attribute_as_collection",
        default=False,
        meaning="GET one contact attribute answers as a Collection of one, as the vendor's example does.",
    ),
    Switch(
        name="bare_contact",
        default=False,
        meaning="GET one contact answers the contact itself, without `message` and `result`.",
    ),
    Switch(
        name="batch_atomic",
        default=False,
        meaning="A batch of which one row fails stores none (ASSUMED default: the good rows).",
    ),
    Switch(
        name="batch_code",
        default=0,
        meaning="Above 0: every batch answer carries this code, whatever became of the rows.",
    ),
    Switch(
        name="batch_limit",
        default=1000,
        meaning="ASSUMED: more rows than this in one batch call are refused with 400.",
    ),
    Switch(
        name="batch_names_failed_rows",
        default=True,
        meaning="A batch answer's `data` has one text for each failed row; false: code alone.",
    ),
    Switch(
        name="batch_skips",
        default=[],
        meaning="externalIds whose rows fail in every batch; single calls take them.",
    ),
    Switch(
        name="batch_strict",
        default=False,
        meaning="Rows need all that the batch schema demands: recordTypeId, and in each path waitTime, "
        "skipValidation, pathEnable, and countryCode unless it is an e-mail address or an app's.",
    ),
    Switch(
        name="body_status_401_in_404",
        default=False,
        meaning="A 404 says status 401 in its body, as List Groups documents.",
    ),
    Switch(
        name="empty_data",
        default=False,
        meaning="A page without rows carries `data: []` instead of no `data`.",
    ),
    Switch(
        name="ignore_filters",
        default=False,
        meaning="List and query ignore contactIds and externalIds, and so find every contact.",
    ),
    Switch(
        name="keep_absent_paths",
        default=False,
        meaning="A PUT or POST without `paths` keeps them (ASSUMED default: it removes them).",
    ),
    Switch(
        name="numbers_as_numbers",
        default=True,
        meaning="NUMBER attributes are read as JSON numbers; false: as the text that was written.",
    ),
    Switch(
        name="reads_per_second",
        default=0,
        meaning="Above 0: more GET and DELETE calls than this within one second get 429.",
    ),
    Switch(
        name="refuses",
        default=[],
        meaning="externalIds of contacts that no call may write: 400, singly and in batches.",
    ),
    Switch(
        name="reject_duplicate_locations",
        default=True,
        meaning="Two addresses of one locationName in a contact are refused with 400.",
    ),
    Switch(
        name="reject_duplicate_paths",
        default=False,
        meaning="One pathId twice in a contact is refused with 400 (ASSUMED default: accepted).",
    ),
    Switch(
        name="revoke_tokens",
        default=False,
        meaning="Set to true: every token given so far is void; turns itself off at the next call.",
    ),
    Switch(
        name="search_lag_seconds",
        default=0,
        meaning="List and query show a new contact only so long after it was made.",
    ),
    Switch(
        name="service_token_patch",
        default=True,
        meaning="false: PATCH answers 403 to client-credentials tokens, as before release 26.0.",
    ),
    Switch(
        name="token_lifetime_seconds",
        default=28800,
        meaning="Life of tokens given from now on, by the sandbox's clock.",
    ),
    Switch(
        name="writes_per_second",
        default=0,
        meaning="Above 0: more POST, PUT and PATCH calls than this within one second get 429.",
    ),
)


def defaults() -> dict[str, Any]:
    """Every switch as it is at the start."""
    return {switch.name: deepcopy(switch.default) for switch in SWITCHES}
