"""The lessons' texts in English."""

from __future__ import annotations

TEXTS = {
    "neuron.title": "One neuron: a weighted sum and a threshold",
    "neuron.remark": "It fires when $w_1 x_1 + w_2 x_2 \\geq \\theta$: on one side of a line. "
    "McCulloch and Pitts, 1943.",
    "neuron.rule": "The neuron fires when {w1:g}·x₁ + {w2:g}·x₂ reaches {threshold:g}.",
    "neuron.fires": "  x = ({a}, {b}): the sum is {total:g}, at least {threshold:g}: it fires, 1",
    "neuron.rests": "  x = ({a}, {b}): the sum is {total:g}, below {threshold:g}: it rests, 0",
    "neuron.is_gate": "So it is the gate {gate}.",
    "neuron.no_gate": "That is none of the gates that have a name here (AND, OR, NAND, NOR).",
    "neuron.count": "Of the 16 functions of two inputs, one neuron can be {possible}; "
    "not XOR, and not its opposite.",
    "neuron.xor": "XOR would need θ > 0, w₁ ≥ θ, w₂ ≥ θ, and yet w₁ + w₂ < θ. "
    "Three neurons in two levels can: (a OR b) AND (a NAND b).",
    "neuron.silent": "rests",
    "neuron.active": "fires",
    "neuron.inputs": "inputs",
    "neuron.no_line": "no line parts them",
}
