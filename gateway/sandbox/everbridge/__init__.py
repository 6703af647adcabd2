"""Everbridge's contacts API, simulated: `Everbridge` holds state, rules and the two apps."""

from gateway.sandbox.everbridge.simulation import Everbridge

__all__ = ["Everbridge"]
