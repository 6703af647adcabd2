"""The three backends, simulated with state: for `gateway dev`, tests and benchmarks.

Nothing here imports the rest of `gateway`, so that the two cannot be wrong in the same way.
"""
