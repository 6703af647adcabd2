"""Twilio SendGrid's Marketing Contacts API v3, simulated with state and jobs that take time.

Start at `simulation.SendGrid`. State is in `store`, what a job does to it in `jobs` and `merge`,
what an upsert is refused for in `upsert`, and HTTP in `app` and the `*_calls` modules.
"""

from gateway.sandbox.sendgrid.simulation import API_KEY, RESTRICTED_API_KEY, SendGrid

__all__ = ["API_KEY", "RESTRICTED_API_KEY", "SendGrid"]
