"""A frozen network that answers with the activations asked for, by name, and stops there.

**The protocol of a network.** A network is an `nn.Module` that is a chain: its method

    def stages(self) -> list[tuple[str, nn.Module]]

gives (stage name, module) in order, each module taking the output of the one before and nothing
else, so that the first k stages are the network truncated after the k-th. And:

- its input is a *normalised* picture (N, 3, H, W); the mean and standard deviation belong to the
  weights (they stand in the file's metadata) and `Backbone` applies them;
- a stage name is what a person types: `relu4_1`, `fire9`, `layer3.2`; a name that begins with an
  underscore (`_flatten`, `_dropout`) is run but is not a layer; a classifier's last stage is
  called `logits` and gives (N, classes);
- every sub-module of a stage is a layer too, by its dotted path (`fire9.squeeze`), so a module
  that is called twice in one pass should be two modules; no ReLU works in place;
- `build(**arguments)` must work under `torch.device("meta")`, and whatever a forward pass needs
  is a parameter or a persistent buffer, since all of it comes from the weights' file; stages that
  hold parameters are registered on the network under the names that the file uses;
- one row in `belamy.networks.NETWORKS`: name → `Architecture(build, aliases)`.

`belamy.networks.weights.save_weights(path, state, network=…, arguments=…, mean=…, std=…,
classes=…, trained_on=…)` writes a file that says all this by itself, and `load_backbone(path)`
reads it.
"""

from __future__ import annotations
