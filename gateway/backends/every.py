"""The only list of backends in the code; the enum `Backend` names them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.backends.everbridge.connect import connect as connect_everbridge
from gateway.backends.ivvy.connect import connect as connect_ivvy
from gateway.backends.sendgrid.connect import connect as connect_sendgrid
from gateway.model import Backend

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.backends.adapter import Adapter
    from gateway.sending.quota import NewWindow
    from gateway.sending.transport import Client
    from gateway.settings import Settings

ADAPTERS: dict[Backend, Callable[[Settings, Client, NewWindow], Adapter | None]] = {
    Backend.IVVY: connect_ivvy,
    Backend.EVERBRIDGE: connect_everbridge,
    Backend.SENDGRID: connect_sendgrid,
}
"""How each backend's adapter is made from the settings, with what makes its quotas; None where it is
not configured."""
