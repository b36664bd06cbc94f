"""What the desk's `calculate` understands: numbers, the four operations, signs and brackets, in decimals."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation

from core.errors import InvalidInput

_OPERATIONS: dict[type[ast.operator], Callable[[Decimal, Decimal], Decimal]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_LONGEST = 200


def calculate(expression: str) -> Decimal:
    """The value, rounded to cents. Raises `InvalidInput` for anything that is not such an expression."""
    if len(expression) > _LONGEST:
        raise InvalidInput(f"an expression has at most {_LONGEST} characters", param="expression")
    try:
        value = _value(ast.parse(expression.strip(), mode="eval").body, expression)
        return value.quantize(Decimal("0.01"))
    except SyntaxError as error:
        raise InvalidInput(f"not an expression: {expression}", param="expression") from error
    except (DivisionByZero, InvalidOperation) as error:
        raise InvalidInput(f"{expression} has no value", param="expression") from error


def _value(node: ast.expr, expression: str) -> Decimal:
    match node:
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float()):
            # From the text as written: a float would bring its own digits along.
            return Decimal(ast.get_source_segment(expression.strip(), node) or "")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, expression)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATIONS:
            return _OPERATIONS[type(op)](_value(left, expression), _value(right, expression))
    raise InvalidInput(f"only + - * / and brackets are understood: {expression}", param="expression")
