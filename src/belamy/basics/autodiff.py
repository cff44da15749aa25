"""Reverse-mode automatic differentiation: numbers that remember how they were computed.

`mlp.backward` was worked out by hand for one kind of network. Here every operation notes its
inputs and its derivative with respect to each; the rest is one walk backwards through the notes,
the same for every expression:

    x, y = Value(2.0), Value(3.0)
    z = x * y + x.exp()
    z.backward()           # x.gradient is y + eˣ, y.gradient is x

Source: Linnainmaa's master's thesis, 1970; operations on objects as in Karpathy's micrograd, 2020.
**Differs:** an operation notes derivatives, not functions; the walk does not call itself.
"""

from __future__ import annotations

import math
from typing import TypeAlias

__all__ = ["Value"]

Number: TypeAlias = "Value | float"


class Value:
    """A number, what it was made from, and, after `backward`, how the result depends on it.

    Args:
        data: the number itself.
        parents: (input, ∂self/∂input) for each input of the operation that made it.
    """

    def __init__(self, data: float, parents: tuple[tuple[Value, float], ...] = ()) -> None:
        self.data = data
        self.parents = parents
        self.gradient = 0.0

    def __repr__(self) -> str:
        return f"Value({self.data:g}, gradient={self.gradient:g})"

    def __add__(self, other: Number) -> Value:
        other = _value(other)
        return Value(self.data + other.data, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Number) -> Value:
        other = _value(other)
        return Value(self.data * other.data, ((self, other.data), (other, self.data)))

    def __pow__(self, exponent: float) -> Value:
        derivative = exponent * self.data ** (exponent - 1)
        return Value(self.data**exponent, ((self, derivative),))

    def exp(self) -> Value:
        """eˣ."""
        result = math.exp(self.data)
        return Value(result, ((self, result),))

    def log(self) -> Value:
        """The natural logarithm."""
        return Value(math.log(self.data), ((self, 1 / self.data),))

    def tanh(self) -> Value:
        """The hyperbolic tangent."""
        result = math.tanh(self.data)
        return Value(result, ((self, 1 - result**2),))

    def sigmoid(self) -> Value:
        """1 / (1 + e⁻ˣ)."""
        result = 0.5 * (1 + math.tanh(self.data / 2))
        return Value(result, ((self, result * (1 - result)),))

    def relu(self) -> Value:
        """The number, or 0 if it is below."""
        return Value(max(self.data, 0.0), ((self, float(self.data > 0)),))

    def __abs__(self) -> Value:
        sign = float(self.data > 0) - float(self.data < 0)
        return Value(abs(self.data), ((self, sign),))

    def __neg__(self) -> Value:
        return self * -1.0

    def __sub__(self, other: Number) -> Value:
        return self + -_value(other)

    def __truediv__(self, other: Number) -> Value:
        return self * _value(other) ** -1.0

    def __rsub__(self, other: float) -> Value:
        return _value(other) - self

    def __rtruediv__(self, other: float) -> Value:
        return _value(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def backward(self) -> None:
        """Set the `gradient` of everything that this number was made from: ∂self/∂it.

        Each number passes its gradient on once all that was made from it has passed on theirs.
        """
        order = _topological_order(self)
        for value in order:
            value.gradient = 0.0
        self.gradient = 1.0
        for value in reversed(order):
            for parent, local in value.parents:
                parent.gradient += value.gradient * local


def _value(number: Number) -> Value:
    return number if isinstance(number, Value) else Value(float(number))


def _topological_order(result: Value) -> list[Value]:
    """All that `result` was made from, each after its own parents.

    It keeps a list of its own instead of calling itself: a sum of a million terms is a chain a
    million long, and Python's stack ends at a thousand.
    """
    order: list[Value] = []
    seen: set[int] = set()
    waiting = [(result, False)]
    while waiting:
        value, parents_done = waiting.pop()
        if parents_done:
            order.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            waiting.append((value, True))
            waiting.extend((parent, False) for parent, _ in value.parents)
    return order
