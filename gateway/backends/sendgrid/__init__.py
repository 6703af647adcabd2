"""Twilio SendGrid marketing contacts: asynchronous upserts, one job each."""
