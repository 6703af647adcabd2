"""The backends: one folder each, all with the same files and the same functions.

`ADAPTERS` is the only list of backends in the code; the enum `Backend` names them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.backends.everbridge import connect as everbridge
from gateway.backends.ivvy import connect as ivvy
from gateway.backends.sendgrid import connect as sendgrid
from gateway.model import Backend

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from gateway.backends.adapter import Adapter
    from gateway.settings import Settings

ADAPTERS: dict[Backend, Callable[[Settings, httpx.AsyncClient], Adapter | None]] = {
    Backend.IVVY: ivvy.connect,
    Backend.EVERBRIDGE: everbridge.connect,
    Backend.SENDGRID: sendgrid.connect,
}
"""How each backend's adapter is made from the settings; None where it is not configured."""
