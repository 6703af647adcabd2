"""One writer at a time for a record: start with `locks.py`; `record_leases.py` does it over processes."""
