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
    "perceptron.title": "The perceptron learns from its mistakes",
    "perceptron.remark": "Whenever $y\\,(w \\cdot x + b) \\leq 0$: add $y\\,x$ to the weights and "
    "$y$ to the bias. Rosenblatt, 1958.",
    "perceptron.points": "{count} points of two classes ({points}, seed {seed}); their labels y are "
    "−1 and +1.",
    "perceptron.rule": "A point on the wrong side pulls the line: w becomes w + y·x, "
    "b becomes b + y.",
    "perceptron.mistakes": "Mistakes in each sweep over the points: {counts}.",
    "perceptron.done": "After {mistakes} mistakes every point is on its side, and nothing changes "
    "any more. With the margin {gamma:.3f} of this line, Novikoff (1962) allows at most {bound}.",
    "perceptron.never": "After {sweeps} sweeps {wrong} of {count} points are still wrong. If no "
    "line can part the points, it goes on for ever: that takes more than one neuron.",
    "perceptron.counts": "{mistakes} mistakes",
    "perceptron.sweep": "sweep over all points",
    "mlp.title": "A network learns where to draw the border",
    "mlp.remark": "Epoch {epoch}: {right:.0%} of the points that it has never seen are named "
    "rightly.",
    "mlp.network": "A network {sizes}: {weights} weights and biases, drawn at random.",
    "mlp.points": "It learns from {count} points ({points}, seed {seed}) and is judged by as many "
    "others.",
    "mlp.epoch": "  epoch {epoch:4}: loss {loss:.3f}, on the others {other:.3f}; "
    "{right:.0%} of them right",
    "mlp.losses": "Loss",
    "mlp.learned": "learned from",
    "mlp.other": "held out",
    "mlp.epochs": "epochs",
    "backprop.title": "Back-propagation: one step, number by number",
    "backprop.remark": "The error goes back along the connections, and tells each weight its part "
    "in it. Rumelhart, Hinton, Williams, 1986.",
    "backprop.begin": "A network 2-2-1 of sigmoids, σ(z) = 1 / (1 + e⁻ᶻ); weights of seed {seed}. "
    "It is given x = ({x1:g}, {x2:g}), and t = {wanted:g} is wanted.",
    "backprop.forward": "1. Forward: every neuron adds up what comes in, times its weights.",
    "backprop.error": "2. Error: E = {formula} = {error}",
    "backprop.backward": "3. Backward: the chain rule, from the output to the inputs; "
    "σ′ = σ (1 − σ).",
    "backprop.first": "  and every weight of the first level: ∂E/∂wᵢⱼ = ∂E/∂zⱼ · xᵢ",
    "backprop.update": "4. New weights: each goes downhill, w − {rate:g} · ∂E/∂w.",
    "backprop.better": "Again with the new weights: y = {y}. The error has fallen from {old} to "
    "{new}.",
    "backprop.worse": "Again with the new weights: y = {y}. The error went from {old} to {new}: "
    "the step was too long; try a smaller --rate.",
    "backprop.stage_forward": "1  forward:\nfrom inputs to output",
    "backprop.stage_error": "2  error:\noutput against wanted",
    "backprop.stage_backward": "3  backward:\n∂ of every weight",
    "backprop.stage_update": "4  new weights:\na step downhill",
    "backprop.wanted": "wanted",
    "backprop.then": "then {error}",
}
