"""The mutation by which a person settles a step."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from gateway.api.context import Info
from gateway.api.operation_types import OperationStep
from gateway.api.refusals import told
from gateway.callers.audit import settled
from gateway.operations.acceptance import result_of
from gateway.operations.settling import NotSettledError, Resolution
from gateway.results import Problem

StepResolution = strawberry.enum(
    Resolution, name="StepResolution", description="A person's decision about a step."
)


@strawberry.type(description="What became of a step after a person's decision.")
class ResolveStepPayload:
    """What became of a step that a person has settled."""

    step: OperationStep | None = strawberry.field(
        description="The step as it is now; null where the decision could not be carried out."
    )
    errors: list[Problem] = strawberry.field(description="Why that was not possible.")


async def resolve_one_step(
    info: Info,
    step_id: Annotated[ID, strawberry.argument(description="The step's id.")],
    as_: Annotated[Resolution, strawberry.argument(name="as", description="The decision.")],
    record_id: Annotated[
        ID | None,
        strawberry.argument(description="The backend's id of the record, for WRITTEN."),
    ] = strawberry.UNSET,
) -> ResolveStepPayload | None:
    """Settle a step."""
    context = info.context
    settling = context.account.settling
    try:
        step = await told(settling.settle(str(step_id), as_, str(record_id) if record_id else None))
    except NotSettledError as error:
        return ResolveStepPayload(step=None, errors=[error.problem])
    settled(context.caller, context.request_id, str(step_id), as_.value, result_of(step))
    return ResolveStepPayload(step=OperationStep.of(step), errors=[])
