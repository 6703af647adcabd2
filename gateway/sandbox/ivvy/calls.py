"""Every namespace and action of the simulated iVvy, and what each one answers without HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy import batch, companies, contacts, groups, leads, lookups, notes
from gateway.sandbox.ivvy.errors import (
    BUSINESS_RULE,
    UNKNOWN_CALL,
    AnswerError,
    ApiError,
    RefusedError,
)

if TYPE_CHECKING:
    from gateway.sandbox.ivvy.store import Store

Action = Callable[["Store", Mapping[str, Any]], Any]


def _ping(store: Store, _params: Mapping[str, Any]) -> dict[str, str]:
    return {"ack": store.stamp()}


NAMESPACES: Final[Mapping[str, Mapping[str, Action]]] = {
    "test": {"ping": _ping},
    "contact": {
        "addOrUpdateContact": contacts.add_or_update_contact,
        "getContact": contacts.get_contact,
        "getContactList": contacts.get_contact_list,
        "getCustomFieldDefinition": contacts.get_custom_field_definition,
        "getCompanyCustomFieldDefinition": companies.get_company_custom_field_definition,
        "getSubscriptionGroupList": groups.get_subscription_group_list,
        "addContactsToSubscriptionGroup": groups.add_contacts,
        "removeContactsFromSubscriptionGroup": groups.remove_contacts,
        "addOrUpdateCompany": companies.add_or_update_company,
        "getCompany": companies.get_company,
        "getCompanyList": companies.get_company_list,
        "addOrUpdateLead": leads.add_or_update_lead,
        **notes.CONTACT_NAMESPACE,
    },
    "crm": {"getLeadList": leads.get_lead_list, **lookups.CRM, **notes.CRM},
    "account": lookups.ACCOUNT,
    "batch": batch.BATCH,
}


def find(namespace: str, action: str) -> Action:
    """Give the action; raises ApiError 404 where there is none."""
    try:
        return NAMESPACES[namespace][action]
    except KeyError:
        raise ApiError(404, UNKNOWN_CALL, f"There is no {namespace}/{action}") from None


def perform(store: Store, action: Action, params: Mapping[str, Any]) -> tuple[int, Any]:
    """Do one call, whole or not at all; gives the error code (200 for none) and the JSON answer."""
    try:
        with store.all_or_nothing():
            return 200, action(store, params)
    except AnswerError as error:
        return answer(store, error)


def answer(store: Store, error: AnswerError) -> tuple[int, dict[str, Any]]:
    """Give the error code and the JSON of a failure, by the channel that it takes."""
    if isinstance(error, RefusedError) and store.switches["business_errors"] == "error_object":
        error = ApiError(400, BUSINESS_RULE, error.message)
    if isinstance(error, ApiError):
        body = error.to_json(codes_as_strings=store.switches["codes_as_strings"])
        return error.error_code, body
    return 200, {"success": False, "message": error.message}


def settle_batches(store: Store) -> None:
    """Run the batch jobs that are due. ASSUMED: a batch cannot hold calls of `batch`."""

    def job(namespace: str, name: str, params: Mapping[str, Any]) -> Any:
        if namespace == "batch":
            nested = ApiError(400, batch.BAD_FORMAT, "A batch cannot hold batch calls")
            return answer(store, nested)[1]
        try:
            action = find(namespace, name)
        except ApiError as error:
            return answer(store, error)[1]
        return perform(store, action, params)[1]

    batch.settle(store, job)
