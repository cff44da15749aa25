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
    "Three neurons in two layers can: (a OR b) AND (a NAND b).",
    "neuron.silent": "rests",
    "neuron.active": "fires",
    "neuron.no_line": "no line parts them",
    "perceptron.title": "The perceptron learns from its mistakes",
    "perceptron.remark": "Whenever $y\\,(w \\cdot x + b) \\leq 0$: add $y\\,x$ to the weights and "
    "$y$ to the bias. Rosenblatt, 1958.",
    "perceptron.points": "{count} points of two classes ({points}, seed {seed}); their labels y "
    "are −1 and +1.",
    "perceptron.rule": "A point on the wrong side pulls the line: w becomes w + y·x, "
    "b becomes b + y.",
    "perceptron.mistakes": "Mistakes in each sweep over the points: {counts}.",
    "perceptron.done": "After {mistakes} mistakes every point is on its side, and nothing changes "
    "any more.",
    "perceptron.bound": "The widest margin that a line can leave here is γ = {gamma:.3f}. Novikoff "
    "(1962): so there are at most (R/γ)² = {bound} mistakes, in whatever order the points come.",
    "perceptron.never": "After {sweeps} sweeps {wrong} of {count} points are still wrong. If no "
    "line can part the points, it goes on for ever: that takes more than one neuron.",
    "perceptron.counts": "{mistakes} mistakes",
    "perceptron.seen": "points looked at",
    "mlp.title": "A network learns where to draw the border",
    "mlp.remark": "Epoch {epoch}: it names {right} of the {count} points rightly that it has never "
    "seen.",
    "mlp.network": "A network {sizes}: {weights} weights and biases, drawn at random.",
    "mlp.points": "It learns from {count} points ({points}, seed {seed}) and is judged by as many "
    "others.",
    "mlp.epoch": "  epoch {epoch:4}: loss {loss:.3f}, on the others {other:.3f}; "
    "{right} of {count} right",
    "mlp.losses": "Loss",
    "mlp.learned": "learned from",
    "mlp.other": "held out",
    "mlp.epochs": "epochs",
    "backprop.title": "Back-propagation: one step, number by number",
    "backprop.remark": "The error goes back along the connections and tells each weight its "
    "share. Rumelhart and others, 1986.",
    "backprop.begin": "A network 2-2-1 of sigmoids, σ(z) = 1 / (1 + e⁻ᶻ); weights of seed {seed}. "
    "It is given x = ({x1:g}, {x2:g}), and t = {target:g} is the target.",
    "backprop.forward": "1. Forward: every neuron adds up what comes in, times its weights.",
    "backprop.error": "2. Error: E = {formula} = {error}",
    "backprop.backward": "3. Backward: the chain rule, from the output to the inputs; "
    "σ′ = σ (1 − σ).",
    "backprop.first": "  and every weight of the first layer: ∂E/∂wᵢⱼ = ∂E/∂zⱼ · xᵢ",
    "backprop.update": "4. New weights: each goes downhill, w − {rate:g} · ∂E/∂w.",
    "backprop.better": "Again with the new weights: y = {y}. The error has fallen from {old} to "
    "{new}.",
    "backprop.worse": "Again with the new weights: y = {y}. The error went from {old} to {new}: "
    "the step was too long; try a smaller --learning-rate.",
    "backprop.stage_forward": "1  forward:\nfrom inputs to output",
    "backprop.stage_error": "2  error:\noutput against target",
    "backprop.stage_backward": "3  backward:\n∂ of every weight",
    "backprop.stage_update": "4  new weights:\na step downhill",
    "backprop.target": "target",
    "backprop.then": "then {error}",
    "approximation.title": "One hidden layer can imitate any continuous function",
    "approximation.remark": "$|f(x) - \\hat f(x)| < \\varepsilon$ everywhere on [0, 1], if it has "
    "neurons enough. Cybenko; Hornik, Stinchcombe, White, 1989.",
    "approximation.begin": "A hidden layer imitates the function {function} on [0, 1]: once built "
    "of steps, without training; once trained (seed {seed}).",
    "approximation.width": "  {width:3} neurons: error at most {built:.3f} built of steps "
    "(the theorem promises {bound:.3f}), {trained:.4f} trained",
    "approximation.end": "The more neurons, the smaller the error. The theorem says that weights "
    "exist; it does not say that training finds them.",
    "approximation.neurons": "neurons: {width}",
    "approximation.built": "built of steps",
    "approximation.trained": "trained",
    "approximation.error": "Largest error",
    "approximation.of_neurons": "neurons",
    "depth.title": "A deep network folds, and gains by folding",
    "depth.remark": "Each layer of 2 neurons folds [0, 1] in half: $T(x) = 2\\,relu(x) - "
    "4\\,relu(x - 1/2)$. Telgarsky, 2015.",
    "depth.begin": "A layer of 2 neurons (ReLU) folds [0, 1] in half. Folded again and again, it "
    "becomes a sawtooth.",
    "depth.layer": "  layers {layer:2}: {neurons:2} neurons make {pieces:4} straight pieces; one "
    "hidden layer takes at least {needed:4}",
    "depth.end": "With one hidden layer, n neurons bend a line n times at most, into n + 1 pieces: "
    "so it takes at least 2ᵏ − 1. The deep network takes 2k.",
    "depth.network": "{layers} layers, {neurons} neurons: {pieces} pieces",
    "depth.flat": "as many in one layer",
    "depth.count": "Neurons needed",
    "depth.pieces": "straight pieces of the sawtooth",
    "depth.deep": "deep, 2k",
    "depth.shallow": "one layer, $2^k - 1$ at least",
}
