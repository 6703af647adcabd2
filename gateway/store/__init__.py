"""What the gateway keeps: lead links, leases, idempotency keys, and durable operations.

Start with `opening.py`; `database.py` is the seam between the two databases and all the rest.
"""

from gateway.store.errors import (
    KeyLostError,
    NewerDatabaseError,
    StoreError,
    StoreInUseError,
    StoreUnavailableError,
)
from gateway.store.opening import Store, open_store

__all__ = [
    "KeyLostError",
    "NewerDatabaseError",
    "Store",
    "StoreError",
    "StoreInUseError",
    "StoreUnavailableError",
    "open_store",
]
