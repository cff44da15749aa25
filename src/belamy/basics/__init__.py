"""How a machine learns, in code to be read in one sitting.

Read in this order; each file needs only those before it, and numpy:

1. `neuron`: a threshold, the gates it can be, the one it cannot, and the rule that trains it.
2. `points`: toy data in the plane to learn from.
3. `mlp`: neurons in layers; the passes forward and backward, written out.
4. `autodiff`: the chain rule as a machine, so that nobody has to write the backward pass.
5. `approximation`: why one hidden layer is enough for any function, and what depth buys.

`conv`, `digits`, `strokes` and `lenet` go on to LeNet-5, which reads digits that are drawn here;
`complexity` counts what is in a network, and `worked` takes one step of learning number by number.

`belamy.learn` makes lessons of them: what is said, in its languages, and what is drawn.
"""

from __future__ import annotations
