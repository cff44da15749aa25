"""How a machine learns, in code to be read in one sitting.

Read in this order; each file needs only those before it, and numpy:

1. `neuron`: a threshold, the gates it can be, the one it cannot, and the rule that trains it.
2. `points`: toy data in the plane to learn from.
3. `mlp`: neurons in levels; the passes forward and backward, written out.
4. `autodiff`: the chain rule as a machine, so that nobody has to write the backward pass.
5. `approximation`: why one hidden level is enough for any function, and what depth buys.

`lessons` turns each into a command of `belamy learn`: what is said, in the languages of `texts`,
and what is shown, drawn by `drawings`.
"""

from __future__ import annotations
