"""HTTP/1.1 to the backends: connections that are kept, on httptools' parser.

`network.py` is what the sender sends by; `pool.py` keeps one backend's connections, each of which is a
`connection.py`. Of our own because no client library was found that costs little and sends a request
only once (docs/decisions/0018-connections-of-our-own.md). Nothing in here knows a backend.
"""
