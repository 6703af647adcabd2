"""Operations that are run again and again, made ready once.

graphql-core walks the document anew for each request: it coerces variables and literals by the
schema, Strawberry converts them into inputs, and each field of each result is resolved, checked and
completed. Here an operation is made ready when its document is first seen: readers for its arguments,
a call of each resolver, writers for its results. A request then only runs these.

Right values and good results are all that is known here. Everything else is graphql-core's: an
operation that is not handled, a request whose variables it may refuse, a result that it may complain
of. That is what makes both ways equal by construction; a test holds them against each other.
"""

from __future__ import annotations

from gateway.api.prepared.operation import Call, PreparedOperation, Preparer
from gateway.api.prepared.running import Running

__all__ = ["Call", "PreparedOperation", "Preparer", "Running"]
