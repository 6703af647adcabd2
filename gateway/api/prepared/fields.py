"""An operation's own fields: what each is called with, and how its resolver is called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

from graphql import is_required_argument
from strawberry.extensions.field_extension import FieldExtension, build_field_extension_resolvers
from strawberry.types.field import StrawberryField

from gateway.api.prepared.inputs import ABSENT, Inputs, Reader
from gateway.api.prepared.outputs import Writer, partial_writer_of, strawberry_field
from gateway.api.prepared.refusals import NotHandledError, UnfitError
from gateway.api.prepared.values import Slots, Source, Variables, source_of
from gateway.api.scopes import NeedsScope

if TYPE_CHECKING:
    from graphql import GraphQLField
    from graphql.execution.collect_fields import FieldDetailsList
    from strawberry.schema.schema_converter import GraphQLCoreConverter

    from gateway.api.prepared.selections import Selections

Arguments = dict[str, Any]

Resolver = Callable[[Any, Arguments], Any]
"""Called with Strawberry's Info and the arguments; the result is awaited."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Argument:
    """One argument of a resolver."""

    name: str
    """As Python has it."""
    source: Source | None
    """Absent where the document does not give the argument."""
    read: Reader
    default: Any
    """ABSENT where the resolver's own default holds."""
    required: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One field at the root of an operation."""

    name: str
    """In the answer."""
    definition: GraphQLField
    made_by: StrawberryField
    arguments: Sequence[Argument]
    resolve: Resolver
    write: Writer | None
    """Absent where graphql-core has to complete what the resolver gives."""
    left: Sequence[str]
    """Fields of the result, by their names in the answer, that graphql-core has to execute."""

    def read(self, variables: Variables, literals: Sequence[Any]) -> Arguments:
        """The arguments; raises UnfitError or the like where graphql-core has something to say."""
        values: Arguments = {}
        for argument in self.arguments:
            source = argument.source
            given = ABSENT if source is None else source(variables, literals)
            value = argument.default if given is ABSENT else argument.read(given)
            if value is not ABSENT:
                values[argument.name] = value
            elif argument.required:
                raise UnfitError
        return values


def field_of(
    name: str,
    definition: GraphQLField,
    details: FieldDetailsList,
    selections: Selections,
    inputs: Inputs,
    converter: GraphQLCoreConverter,
    slots: Slots,
) -> Field:
    """A field, ready to be called; raises NotHandledError where it cannot be made so."""
    made_by = strawberry_field(definition)
    if not made_by.is_async or converter.exception_handlers:
        raise NotHandledError(f"{name}, whose resolver is not async")
    write: Writer | None
    try:
        write, left = partial_writer_of(definition.type, details, selections)
    except NotHandledError:
        write, left = None, ()
    return Field(
        name=name,
        definition=definition,
        made_by=made_by,
        arguments=_arguments(made_by, definition, details, inputs, converter, slots),
        resolve=_resolver(made_by),
        write=write,
        left=left,
    )


def _arguments(
    made_by: StrawberryField,
    definition: GraphQLField,
    details: FieldDetailsList,
    inputs: Inputs,
    converter: GraphQLCoreConverter,
    slots: Slots,
) -> list[Argument]:
    nodes = {argument.name.value: argument.value for argument in details[0].node.arguments or ()}
    arguments = []
    for wanted in made_by.arguments:
        name = converter.config.name_converter.from_argument(wanted)
        described, node = definition.args[name], nodes.get(name)
        if described.out_name is not None:
            raise NotHandledError(f"the argument {name}")
        arguments.append(
            Argument(
                name=wanted.python_name,
                source=None if node is None else source_of(node, described.type, slots),
                read=inputs.reader(described.type, wanted.type),
                default=inputs.default(described, wanted.type),
                required=is_required_argument(described),
            )
        )
    return arguments


def _resolver(field: StrawberryField) -> Resolver:
    """What calls the resolver as Strawberry does, extensions and permissions of the field around it."""
    resolver = field.base_resolver
    if resolver is None or resolver.parent_parameter or resolver.root_parameter:
        raise NotHandledError(f"{field.python_name}, whose resolver looks at its parent")
    if type(field).get_result is not StrawberryField.get_result:
        raise NotHandledError(f"{field.python_name}, which calls its resolver in a way of its own")
    positional = [None] if resolver.self_parameter else []
    info_name = resolver.info_parameter.name if resolver.info_parameter else None
    function: Any = resolver.wrapped_func

    def call(info: Any, arguments: Arguments) -> Any:
        if info_name is not None:
            # Another dictionary: the operation has that one and is known to the info, and all that
            # the request has made would be kept until the garbage collector comes.
            arguments = {**arguments, info_name: info}
        return function(*positional, **arguments)

    needs = [extension for extension in field.extensions if type(extension) is NeedsScope]
    if len(needs) == len(field.extensions):
        return _needing(needs, call) if needs else call
    if info_name not in {None, "info"}:
        raise NotHandledError(f"{field.python_name}, whose extensions would not know its info")
    return _extended(field, call)


def _needing(needs: list[NeedsScope], call: Resolver) -> Resolver:
    """The resolver behind what is looked at before it; there is nothing to do after it."""

    def call_needing(info: Any, arguments: Arguments) -> Any:
        caller = info.context.caller
        for need in needs:
            need.check(caller, arguments)
        return call(info, arguments)

    return call_needing


def _extended(field: StrawberryField, call: Resolver) -> Resolver:
    """The resolver within the field's extensions, whatever these do."""
    if any(
        type(extension).map_arguments is not FieldExtension.map_arguments
        for extension in field.extensions
    ):
        raise NotHandledError(f"{field.python_name}, whose extensions change its arguments")
    extensions = build_field_extension_resolvers(field)

    def innermost(_source: Any, info: Any, **arguments: Any) -> Any:
        return call(info, arguments)

    def call_extended(info: Any, arguments: Arguments) -> Any:
        chain: Callable[..., Any] = reduce(
            lambda inner, outer: partial(outer, inner), extensions, innermost
        )
        return chain(None, info, **arguments)

    return call_extended
