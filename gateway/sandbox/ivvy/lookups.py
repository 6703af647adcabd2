"""The lists that a lead's ids come from, and the writes that some of them have (contract: 6.3)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import filters
from gateway.sandbox.ivvy.contacts import written
from gateway.sandbox.ivvy.errors import ApiError
from gateway.sandbox.ivvy.paging import page
from gateway.sandbox.ivvy.parameters import Parameter, number, one_of, read, text, whole_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gateway.sandbox.ivvy.store import Row, Store

Action = Callable[["Store", "Mapping[str, Any]"], Any]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A list call: its table and the keys of its item."""

    table: str
    keys: tuple[str, ...]
    dates: tuple[str, ...] = ()
    special: Mapping[str, filters.Special] | None = None

    def __call__(self, store: Store, params: Mapping[str, Any]) -> Row:
        """Answer the call."""
        filterable = filters.Filterable(
            fields=frozenset(self.keys) | frozenset(self.dates), special=self.special or {}
        )
        return page(store, self.table, params, lambda row: self.view(store, row), filterable)

    def view(self, store: Store, row: Row) -> Row:
        """Give the item of a row; times carry the suffix ` UTC`."""
        item = {key: row[key] for key in self.keys}
        item.update({key: row[key] and f"{row[key]} UTC" for key in self.dates})
        if self.table == "leadStages" and store.switches["stages_apply_to"]:
            # ASSUMED: shown. The sample lacks it, the vendor's C# client has it.
            item["applyTo"] = row["applyTo"]
        return item


_CHANGED: Final = ("createdDate", "modifiedDate")
_USER_KEYS: Final = (
    *("id", "salutation", "firstName", "middleName", "lastName", "email", "phone"),
    *("phoneMobile", "currentStatus", "userType", "groupId"),
)
_USERS: Final = Listed(
    table="users",
    keys=_USER_KEYS,
    dates=("lastLoginDate", *_CHANGED),
    special={"venueId": filters.holds_id("venueIds")},
)


def get_user_list(store: Store, params: Mapping[str, Any]) -> Row:
    """Answer getUserList; `venueId` may stand in the filter or, as the C# client sends it, outside."""
    if "venueId" in params:
        chosen = params.get("filter") or {}
        params = {**params, "filter": {"venueId": params["venueId"], **chosen}}
    return _USERS(store, params)


@dataclass(frozen=True, kw_only=True)
class Written:
    """A lookup's write: the codes are the vendor's for not found, not editable and invalid data."""

    table: str
    parameters: tuple[Parameter, ...]
    not_found: int
    invalid: int
    not_editable: int = 0

    def __call__(self, store: Store, params: Mapping[str, Any]) -> Row:
        """Answer the call: `{success, id}`. ASSUMED: a missing required key is the generic 23017."""
        creating = params.get("id") is None
        given = read(params, self.parameters, store.switches, creating=creating)
        label = self.parameters[1].name
        if given.get(label) == "":
            raise ApiError(400, self.invalid, "The details are invalid", [f"{label} is empty"])
        if creating:
            return written(store.add(self.table, {**_BLANKS[self.table], **given})["id"])
        stored = store.get(self.table, given["id"])
        if stored is None:
            raise ApiError(400, self.not_found, "The record does not exist")
        if self.not_editable and not stored["isEditable"]:
            raise ApiError(400, self.not_editable, "The record cannot be edited")
        return written(store.put(self.table, {**stored, **given})["id"])


_BLANKS: Final[Mapping[str, Row]] = {
    # None of the write calls sets sub types or reasons.
    "leadTypes": {"subtypes": []},
    "leadStages": {"reasons": [], "colour": None, "isEditable": True},
    "leadSources": {
        **dict.fromkeys(("description", "cost", "colour", "defaultType")),
        "isReferral": 0,
        "isEditable": True,
    },
    "leadQualities": {"showOnDash": 0},
    "leadChannels": {"isEditable": True},
}
_ID: Final = Parameter(name="id", convert=whole_number)
_FLAG: Final = one_of(0, 1)


def _named(name: str) -> Parameter:
    return Parameter(name=name, convert=text, required="create")


CRM: Final[Mapping[str, Action]] = {
    "getLeadTypeList": Listed(table="leadTypes", keys=("id", "type", "subtypes")),
    "getLeadStageList": Listed(table="leadStages", keys=("id", "name", "reasons")),
    "getLeadSourceList": Listed(
        table="leadSources",
        keys=("id", "name", "description", "cost", "isReferral", "defaultType"),
    ),
    "getLeadQualityList": Listed(table="leadQualities", keys=("id", "label", "showOnDash")),
    "getLeadChannelList": Listed(table="leadChannels", keys=("id", "name")),
    "addOrUpdateLeadType": Written(
        table="leadTypes", parameters=(_ID, _named("type")), not_found=24381, invalid=24383
    ),
    "addOrUpdateLeadStage": Written(
        table="leadStages",
        parameters=(
            _ID,
            _named("name"),
            Parameter(name="colour", convert=text),
            Parameter(name="applyTo", convert=one_of(1, 2), required="create"),
        ),
        not_found=24320,
        not_editable=24321,
        invalid=24323,
    ),
    "addOrUpdateLeadSource": Written(
        table="leadSources",
        parameters=(
            _ID,
            _named("name"),
            Parameter(name="cost", convert=number),
            Parameter(name="colour", convert=text),
            Parameter(name="isReferral", convert=_FLAG),
            Parameter(name="description", convert=text),
        ),
        not_found=24325,
        not_editable=24326,
        invalid=24328,
    ),
    "addOrUpdateLeadQuality": Written(
        table="leadQualities",
        parameters=(_ID, _named("label"), Parameter(name="showOnDash", convert=_FLAG)),
        not_found=24304,
        invalid=24306,
    ),
    "addOrUpdateLeadChannel": Written(
        table="leadChannels",
        parameters=(_ID, _named("name")),
        not_found=24376,
        not_editable=24377,
        invalid=24379,
    ),
}
ACCOUNT: Final[Mapping[str, Action]] = {
    "getIndustryList": Listed(table="industries", keys=("id", "name"), dates=_CHANGED),
    "getUserList": get_user_list,
}
