"""What stands around each call to a backend: quotas, breakers, tries, and what an answer means.

`gateway/upstream.py` is the sender that puts these together; nothing in here knows a backend.
"""
