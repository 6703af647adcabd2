"""What can be changed about the simulated SendGrid while it runs, and what it starts with.

The defaults are the contract's section 11 where it gives one; everything here is ASSUMED unless a
line says where it was seen.
"""

from __future__ import annotations

from typing import Any

DEFAULTS: dict[str, Any] = {
    # Jobs: a queued write shows after `apply_seconds` (seen: 30 to 33 s) and ends after
    # `finish_seconds`, both counted from its acceptance.
    "apply_seconds": 30.0,
    "finish_seconds": 45.0,
    # "observed": upsert_contacts, as recorded live; "documented": upsert.
    "job_type_form": "observed",
    # Counters that are zero are left out of `results`, as recorded live.
    "sparse_results": True,
    # A job with errors gives the address of a file of them.
    "errors_url": True,
    # What a job with errors ends as: "documented" (errored or failed), or "completed" with a count of them.
    "errors_end_as": "documented",
    # How a refused PUT names the culprits: "all", the "first" one, or "none" of them.
    "blame": "all",
    # Answer to a list id on PUT that is a UUID but unknown: "404", "400" or "ignored".
    "unknown_list": "404",
    # A contact with an `id` of the sender's making is accepted and never appears (seen once).
    "own_id_swallows_contact": True,
    # "" clears a Text custom field, so that it is absent when read; False stores "".
    "empty_text_clears_custom_field": True,
    # Keys of `custom_fields` when contacts are read: "name" (the vendor's samples) or "id".
    "custom_fields_keyed_by": "name",
    # Contacts that the plan allows; 0 is no limit. Creating beyond it fails in the job.
    "contact_limit": 0,
    # Seconds in which PUT does not know a new custom field yet (a client waits 5 s).
    "field_ready_seconds": 5.0,
    # False: removing from a list is accepted and changes nothing (seen once).
    "list_removal_works": True,
    # False: the job of a removal from a list cannot be asked after (its page names other jobs only).
    "removal_jobs_known": True,
    # Contacts still show a list that was deleted.
    "deleted_lists_linger": False,
    # List names must be unique, ignoring case; unknown for the real one.
    "unique_list_names": False,
    # Added to `_metadata.count` of GET lists, which was seen one too high.
    "list_count_excess": 1,
    # Longest address that the search by e-mails takes, by its schema.
    "search_email_max": 100,
    # Calls per endpoint and UTC minute, for every endpoint; 0 is the documented 600 and 200.
    "rate_limit": 0,
    # X-RateLimit-Reset as "seconds" left (recorded live) or as "epoch" (documented).
    "rate_limit_reset": "seconds",
    # Largest body, and its refusal: 413 with "html" (seen), or 400 with "json".
    "max_body_bytes": 6_000_000,
    "too_large_form": "html",
    # A request without an Accept header gets 406.
    "require_accept": False,
    # Every call gets 403, as in the block that follows many bad requests.
    "blocked": False,
}
