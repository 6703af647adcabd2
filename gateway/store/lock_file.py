"""The lock file beside an SQLite database: one serving process for each file."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gateway.store.errors import StoreInUseError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def lock_file(database: Path) -> Iterator[None]:
    """Hold the lock of a database file.

    Raises StoreInUseError when another process, or another store of this one, has it, and
    StoreUnavailableError when there is no place for it. The operating system lets go of it when the process ends, however it ends. The file itself
    stays: removing it would let two processes lock two files of the same name.
    """
    path = database.with_name(database.name + ".lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StoreUnavailableError(f"{path} cannot be made: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            raise StoreInUseError(
                f"Another gateway (process {holder or 'unknown'}) works with {database}: an SQLite "
                "file serves one process. Stop the other one, or share a PostgreSQL by setting "
                "GATEWAY_DATABASE_URL."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)
