"""What `gateway check`, `gateway keys` and `gateway steps` do; `gateway/__main__.py` reads their options."""
