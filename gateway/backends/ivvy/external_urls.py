"""iVvy's external URLs: at most three links, keyed by `ref` (contract: ivvy section 5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.fields import Laid
    from gateway.model import ExternalUrlInput
    from gateway.write import ContactWrite

MOST = 3

Link = dict[str, Any]


def needs_stored_urls(write: ContactWrite) -> bool:
    """Whether the links that iVvy holds must be known, which it shows only singly."""
    wish = write.get("external_urls")
    return wish is not None and (wish.value is None or bool(wish.value) or write.replaces)


def lay_external_urls(
    laid: Laid, write: ContactWrite, stored: Mapping[str, Any] | None, text_clear: str | None
) -> None:
    """Add the links to `laid`, as far as something changes; `text_clear` clears a label.

    Null removes all; an entry with a null url removes the one with its ref: both nulls are sent as
    they are, because iVvy tells them from an absent key. In a REPLACE the given links are all.
    """
    wish = write.get("external_urls")
    if wish is None:
        return
    before = _by_ref((stored.get("externalUrls") if stored else None) or [])
    after = {} if write.replaces or wish.value is None else dict(before)
    for _, item in write.sound("external_urls", "ref"):
        _lay(after, before, item, whole=write.replaces)
    if after == before:
        return
    if len(after) > MOST:
        laid.problems.append(_too_many(write, len(after)))
    laid.values["externalUrls"] = _sent(before, after, text_clear)
    laid.changed.append("externalUrls")


def _lay(
    after: dict[str, Link], before: Mapping[str, Link], item: ExternalUrlInput, *, whole: bool
) -> None:
    """Lay one entry of the input over the links.

    `whole` drops what the entry leaves out, but not its url: without one iVvy removes the link.
    """
    if item.url is not None and item.url.value is None:
        after.pop(item.ref, None)
        return
    stored = before.get(item.ref, {})
    link = {key: value for key, value in stored.items() if key == "url" or not whole}
    for key, given in (("url", item.url), ("label", item.label)):
        if given is not None and given.value is not None:
            link[key] = given.value
        elif given is not None:
            link.pop(key, None)
    after[item.ref] = link


def _by_ref(rows: Sequence[Mapping[str, Any]]) -> dict[str, Link]:
    """The links by their ref, without their empty parts."""
    return {
        str(row["ref"]): {key: row[key] for key in ("url", "label") if row.get(key)} for row in rows
    }


def _sent(
    before: Mapping[str, Link], after: Mapping[str, Link], text_clear: str | None
) -> list[Link] | None:
    """The array that turns `before` into `after`; None where nothing remains.

    Links that stay are repeated as long as the array has room for them, so that nothing is lost
    should iVvy replace the array. What has no room goes in two calls (`in_turns`). ASSUMED of a
    contact inside a lead, which has one call: entries are merged by ref, and removals do not count.
    """
    if not after:
        return None
    removed = [{"ref": ref, "url": None} for ref in before if ref not in after]
    changed: list[Link] = []
    kept: list[Link] = []
    for ref, link in after.items():
        stored = before.get(ref)
        # ASSUMED: a label is cleared like any text; null is documented for a url alone.
        parts: Link = {
            key: link.get(key, text_clear)
            for key in ("url", "label")
            if key in {*link, *(stored or {})}
        }
        (kept if link == stored else changed).append({"ref": ref, **parts})
    sent = removed + changed
    return sent + kept if len(sent) + len(kept) <= MOST else sent


def in_turns(
    parameters: dict[str, Any], stored: Mapping[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The parameters, and what follows them where an array of three has no room for all the links.

    Then the first call removes links, and the second one sets all that remain. What stays is in both:
    should iVvy replace the array, nothing is lost where the second one fails.
    """
    links: list[Link] = parameters.get("externalUrls") or []
    held = _by_ref((stored.get("externalUrls") if stored else None) or [])
    removed = [link for link in links if link.get("url", "") is None]
    given = [link for link in links if link not in removed]
    kept = _besides(held, links)
    if not removed or len(links) + len(kept) <= MOST:
        return parameters, None
    return (
        {**parameters, "externalUrls": removed + _besides(held, removed)},
        {"id": parameters["id"], "externalUrls": given + kept},
    )


def _besides(held: Mapping[str, Link], links: Sequence[Link]) -> list[Link]:
    """The stored links that an array does not name."""
    named = {link["ref"] for link in links}
    return [{"ref": ref, **link} for ref, link in held.items() if ref not in named]


def _too_many(write: ContactWrite, count: int) -> Problem:
    return Problem(
        backend=Backend.IVVY,
        code=ProblemCode.TOO_MANY,
        message=(
            f"The contact would have {count} externalUrls, and iVvy keeps {MOST}: remove some with "
            "a null url, or give fewer."
        ),
        field=write.field_path("external_urls"),
    )
