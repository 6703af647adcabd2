"""What can go wrong with the store itself.

    GatewayError
    └── StoreError                  the root of these
        ├── StoreUnavailableError   not reachable, full or broken; nothing is known to be stored
        │   └── StoreUntouchedError surely nothing was stored
        ├── StoreInUseError         another process serves on the same SQLite file
        ├── NewerDatabaseError      made by a newer gateway than this one
        └── KeyLostError            the idempotency key of a submission was taken over

A conflict between two callers is no error: each operation's result says who was first.
"""

from __future__ import annotations

from gateway.errors import GatewayError


class StoreError(GatewayError):
    """The root of the store's errors."""


class StoreUnavailableError(StoreError):
    """The database cannot be reached or used now.

    A transaction that ends with this error may or may not have been stored: a connection can break
    while its commit is under way.
    """


class StoreUntouchedError(StoreUnavailableError):
    """The same, where it is sure that nothing of the transaction was stored."""


class StoreInUseError(StoreError):
    """Another process holds the database file."""


class NewerDatabaseError(StoreError):
    """The database's schema is newer than this code; nothing was changed in it."""


class KeyLostError(StoreError):
    """Another request has taken the idempotency key over; nothing of this one was stored."""
