"""What one person's records from several backends come to, beside each other.

`lookup.py` finds them; start there.
"""
