"""What a GraphQL request asks the shop for, and what each asked field was answered with.

Reads one operation or a batch of them, with arguments as variables or written into the query. Only the root fields are
walked, and the work is bounded by tokens. Import this module late: the library is large, and a shop without GraphQL
front end never needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
from graphql import (
    BooleanValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    VariableNode,
    parse,
)

from bridge.tracking.bodies import Odd

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from graphql import DocumentNode, SelectionSetNode, ValueNode

TOKENS_MOST = 4000
"""Ten times what a front end's longest mutation has."""
BATCH_MOST = 20
FRAGMENTS_DEEP = 8


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """A root field that the shop carried out.

    ``arguments`` are plain values, ``answer`` is what the answer holds for the field, never None. ``names`` gives the
    field of the shop's schema -> the names that the answer has for it, for fields right below this one.
    """

    name: str
    arguments: Mapping[str, Any]
    answer: Any
    names: Mapping[str, tuple[str, ...]]

    def told(self, field: str) -> Any:
        """Return what the answer holds for a field right below this one; None when it was not asked for."""
        if not isinstance(self.answer, dict):
            return None
        return next((self.answer[name] for name in self.names.get(field, ()) if name in self.answer), None)


class _Question(msgspec.Struct):
    query: str
    variables: dict[str, Any] | None = None
    operation: str | None = msgspec.field(default=None, name="operationName")


class _Error(msgspec.Struct):
    path: list[str | int] | None = None


class _Answer(msgspec.Struct):
    data: dict[str, Any] | None = None
    errors: list[_Error] | None = None


_questions = msgspec.json.Decoder(_Question | list[_Question])
_answers = msgspec.json.Decoder(_Answer | list[_Answer])


def calls(request_body: bytes, response_body: bytes, wanted: Collection[str]) -> Iterator[Call]:
    """Yield the wanted root fields that were carried out: answered, not null, and named by no error.

    Raises ``ValueError`` or ``msgspec.DecodeError`` for what is not GraphQL over JSON.
    """
    questions, answers = _questions.decode(request_body), _answers.decode(response_body)
    if isinstance(questions, list) != isinstance(answers, list):
        raise Odd("batch answered as one")
    asked = questions if isinstance(questions, list) else [questions]
    told = answers if isinstance(answers, list) else [answers]
    if len(asked) != len(told) or len(asked) > BATCH_MOST:
        raise Odd("batch of another length")
    for question, answer in zip(asked, told, strict=True):
        if any(name in question.query for name in wanted):
            yield from _carried_out(question, answer, wanted)


def _carried_out(question: _Question, answer: _Answer, wanted: Collection[str]) -> Iterator[Call]:
    document = _parsed(question.query)
    operation = _operation(document, question.operation)
    variables = _variables(operation, question.variables or {})
    faults = answer.errors or []
    if any(not fault.path for fault in faults):
        return
    failed = {fault.path[0] for fault in faults if fault.path}
    for field in _fields(document, operation.selection_set):
        key = field.alias.value if field.alias else field.name.value
        told = (answer.data or {}).get(key)
        if field.name.value in wanted and told is not None and key not in failed:
            arguments = {given.name.value: _value(given.value, variables) for given in field.arguments or ()}
            yield Call(field.name.value, arguments, told, _names(document, field))


def _parsed(query: str) -> DocumentNode:
    try:
        return parse(query, no_location=True, max_tokens=TOKENS_MOST)
    except (GraphQLError, RecursionError) as error:
        raise Odd(f"no query ({type(error).__name__})") from None


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    found = [part for part in document.definitions if isinstance(part, OperationDefinitionNode)]
    if name:
        found = [part for part in found if part.name and part.name.value == name]
    if len(found) != 1:
        raise Odd("no operation, or several")
    return found[0]


def _variables(operation: OperationDefinitionNode, given: Mapping[str, Any]) -> dict[str, Any]:
    defaults = {
        part.variable.name.value: _value(part.default_value, {})
        for part in operation.variable_definitions or ()
        if part.default_value is not None
    }
    return {**defaults, **given}


def _fields(document: DocumentNode, selections: SelectionSetNode | None, depth: int = 0) -> Iterator[FieldNode]:
    """Yield the fields of a selection, those of its fragments too."""
    if selections is None or depth > FRAGMENTS_DEEP:
        return
    for part in selections.selections:
        if isinstance(part, FieldNode):
            yield part
        elif isinstance(part, InlineFragmentNode):
            yield from _fields(document, part.selection_set, depth + 1)
        elif isinstance(part, FragmentSpreadNode):
            for whole in document.definitions:
                if isinstance(whole, FragmentDefinitionNode) and whole.name.value == part.name.value:
                    yield from _fields(document, whole.selection_set, depth + 1)
                    break


def _names(document: DocumentNode, field: FieldNode) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for inner in _fields(document, field.selection_set):
        name = inner.alias.value if inner.alias else inner.name.value
        found[inner.name.value] = (*found.get(inner.name.value, ()), name)
    return found


def _value(node: ValueNode, variables: Mapping[str, Any]) -> Any:
    """Return an argument as a plain value; numbers and enumerations as the text that they are written in."""
    if isinstance(node, VariableNode):
        return variables.get(node.name.value)
    if isinstance(node, ObjectValueNode):
        return {field.name.value: _value(field.value, variables) for field in node.fields}
    if isinstance(node, ListValueNode):
        return [_value(value, variables) for value in node.values]
    if isinstance(node, NullValueNode):
        return None
    if isinstance(node, BooleanValueNode):
        return bool(node.value)
    return getattr(node, "value", None)
