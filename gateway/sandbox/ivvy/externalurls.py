"""External URLs of contacts and companies: entries keyed by `ref` (contract: section 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gateway.sandbox.ivvy.errors import RefusedError
from gateway.sandbox.ivvy.parameters import objects

if TYPE_CHECKING:
    from gateway.sandbox.ivvy.store import Row, Store

MOST: Final = 3


def entries(value: Any) -> list[Row]:
    """Read the array: every element has a ref, and a url that is https or null."""
    given = objects(value)
    for entry in given:
        ref, url, label = entry.get("ref"), entry.get("url"), entry.get("label")
        if not isinstance(ref, str) or not ref:
            raise ValueError("Each external URL needs a ref")
        if url is not None and not (isinstance(url, str) and url.startswith("https://")):
            raise ValueError("Each url must be a https link")
        if label is not None and not isinstance(label, str):
            raise ValueError("Each label must be a string")
    return given


def laid_over(store: Store, stored: list[Row], given: list[Row] | None) -> list[Row]:
    """Give the entries after a write; raises RefusedError when more than three would remain.

    Null removes all, an entry with a null url removes the one with its ref. ASSUMED: entries that
    a sent list leaves out stay (switch `external_urls_on_update`), and the limit counts what
    remains (switch `external_urls_limit`). ASSUMED: a label is cleared like any text (switches `text_clear`, `null_scalar`).
    """
    if given is None:
        return []
    merges = store.switches["external_urls_on_update"] == "merge"
    kept: dict[str, Row] = {entry["ref"]: entry for entry in stored} if merges else {}
    for entry in given:
        ref = entry["ref"]
        if "url" in entry and entry["url"] is None:
            kept.pop(ref, None)
            continue
        blank: Row = {"ref": ref, "url": None, "label": None}
        sent: Row = {key: entry[key] for key in ("url", "label") if key in entry}
        rule = store.switches["null_scalar" if entry.get("label") is None else "text_clear"]
        if not sent.get("label") and rule != "clear":
            sent.pop("label", None)
        kept[ref] = {**kept.get(ref, blank), **sent}
    counted = given if store.switches["external_urls_limit"] == "sent" else []
    if max(len(kept), len(counted)) > MOST:
        raise RefusedError(f"At most {MOST} external URLs are allowed")
    return list(kept.values())
