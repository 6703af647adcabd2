"""The running gateway: `server.py` serves the app and ends in order, `workers.py` keeps several."""
