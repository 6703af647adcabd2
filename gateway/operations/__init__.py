"""Calls that are remembered: repeated keys, durable delivery, and the order of writes to a record.

Start with `contact_calls.py`, which every upsertContact goes through.
"""
