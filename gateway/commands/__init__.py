"""What `gateway check`, `gateway keys` and `gateway steps` do; `gateway/__main__.py` joins them to the program."""
