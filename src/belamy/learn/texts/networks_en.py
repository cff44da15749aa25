"""The texts of the lessons on networks that see and networks that paint, in English."""

from __future__ import annotations

TEXTS = {
    "gan.title": "A generator and a discriminator learn from each other",
    "gan.remark": "Loss {loss}, step {step}. {covered} of 8 clouds covered, {good:.0%} good "
    "points.",
    "gan.comparison": "One game, several losses",
    "gan.after": "From the same first weights; after step {step}. Above: clouds covered, good "
    "points.",
    "gan.begin": "Points on a ring of 8 clouds are the real ones (seed {seed}). A generator, "
    "the forger, turns noise into points; a discriminator says which are real. Each learns from "
    "the other.",
    "gan.loss_minimax": "minimax: min over G, max over D of E[log D(x)] + E[log(1 − D(G(z)))], "
    "the formula that signs Edmond de Belamy. Where D is sure, G has no gradient left to follow.",
    "gan.loss_non-saturating": "non-saturating: G maximises E[log D(G(z))] instead: strong "
    "gradients where D is sure; but it may run to whichever cloud pays at the moment.",
    "gan.loss_least-squares": "least-squares: D should say 1 to real and 0 to fake, G wants 1 "
    "for its own; errors count squared.",
    "gan.loss_hinge": "hinge: D cares only for points that it does not yet tell apart by a "
    "margin of 1.",
    "gan.loss_wasserstein": "wasserstein: D rises from fake to real, its gradient at most 1 long; "
    "G climbs it.",
    "gan.loss_relativistic": "relativistic: D says how much more real a real point is than a "
    "fake one; a cloud left out costs G at once.",
    "gan.penalty": "The gradients of D are penalised with weight {penalty:g}, so that its field "
    "stays smooth and the two settle.",
    "gan.no_penalty": "The gradients of D are not penalised (--penalty 0.1 would).",
    "gan.step": "  step {step:>6}: losses D {discriminator:6.3f}, G {generator:6.3f}; "
    "{covered} of 8 clouds, {good:4.0%} good",
    "gan.measured": "{covered} of 8 clouds, {good:.0%} of the points within 3σ of one.",
    "gan.lost": "The discriminator has won, and the generator has learned nothing: no gradient "
    "is left to follow.",
    "gan.collapsed": "Clouds are missing: the generator has collapsed on the others.",
    "gan.covers": "No cloud is left out.",
    "gan.discriminator": "Discriminator: how real is it?",
    "gan.generator": "Generator: where is it pulled?",
    "gan.real": "real",
    "gan.fake": "fake",
    "gan.latents": "the noise, by direction",
    "gan.silence": "no pull left",
    "gan.losses": "Two losses against each other",
    "gan.by_discriminator": "discriminator",
    "gan.by_generator": "generator",
    "gan.clouds": "Clouds covered, good points",
    "gan.steps": "steps",
    "cnn.title": "LeNet-5 reads a digit",
    "cnn.remark": "It has seen {seen} digits that belamy drew, and names {accuracy:.1%} of "
    "{count} new ones rightly. LeCun et al., 1998.",
    "cnn.begin": "A convolution: each neuron sees a window of 5 × 5 pixels, and all neurons of "
    "a map share one set of weights.",
    "cnn.wiring": "  LeNet-5's first layer, 6 maps of 28 × 28, on 32 × 32 pixels, connected "
    "{name}: {connections} connections, {weights} weights",
    "cnn.wired_fully": "to every pixel",
    "cnn.wired_locally": "to near pixels alone",
    "cnn.wired_convolution": "to near pixels, with shared weights",
    "cnn.data": "It learns from {count} digits drawn here: strokes of a hand, and fonts, all "
    "distorted (seed {seed}).",
    "cnn.network": "The network: {weights} weights (the paper's 60,000, and an output layer of "
    "850).",
    "cnn.step": "  {seen:>6} digits seen: loss {loss:.3f}; {accuracy:.1%} of the new ones right",
    "cnn.reads": "{name}: it is a {digit} ({sure:.0%}), or a {second} ({less:.0%})",
    "cnn.layer_input": "the picture",
    "cnn.layer_c1": "C1: six patterns of 5 × 5,\nand where each of them is",
    "cnn.layer_s2": "S2: the same,\ncoarser",
    "cnn.layer_c3": "C3: sixteen patterns\nof patterns",
    "cnn.layer_s4": "S4: coarser\nagain",
    "cnn.layer_c5": "C5: 120\nneurons",
    "cnn.layer_f6": "F6:\n84",
    "cnn.answer": "what it says",
    "cnn.learning": "Right on new digits",
    "cnn.seen": "digits seen",
    "complexity.title": "How large is a network?",
    "complexity.remark": "On a scale where each line means a thousand times more; at the end, "
    "the human cortex.",
    "complexity.header": "{name:<24}{layers:>8}{neurons:>16}{connections:>18}{weights:>14}"
    "{products:>20}",
    "complexity.columns": "network|layers|neurons|connections|weights|multiply-adds",
    "complexity.cortex": "human cortex",
    "complexity.source": "Human cortex: {source}.",
    "complexity.neuron": "A neuron is counted here where a layer with weights puts out a "
    "number: a map of 55 × 55 positions is 3,025 of them. Layers are counted along the longest "
    "chain.",
    "complexity.pools": "With what pools put out, which some count too: {counts}.",
    "complexity.about_alexnet": "alexnet (2012) is the network that won, in two towers that "
    "meet only where a layer says so: 650,000 neurons, 60 million weights, says the paper. "
    "alexnet is the later one that everyone downloads, in one tower and narrower at first.",
    "complexity.about_vgg16": 'VGG-16\'s "15 million neurons" count what its pools put out; '
    "without, there are 13.6 million.",
    "complexity.uncounted": "{name} has weights in modules that are neither convolutions nor "
    "layers of neurons; their connections are not counted.",
    "complexity.bar_neurons": "neurons",
    "complexity.bar_connections": "connections (cortex: synapses)",
    "complexity.bar_weights": "weights",
    "complexity.layers": "{layers} layers",
    "classifier.title": "Which is it, and which pixels decide?",
    "classifier.remark": "The error goes back through every layer to the picture: bright is "
    "where a change would change it.",
    "classifier.begin": "{network} was trained on other things; all of its layers stay as they "
    "are, and a new last one learns {classes} ({weights} weights, seed {seed}).",
    "classifier.data": "It learns from {count} pictures of {data}.",
    "classifier.step": "  epoch {epoch:3}: loss {loss:.3f}, on {held} pictures never seen "
    "{other:.3f}; {accuracy:.1%} right",
    "classifier.sums": "One picture: it should be {target}; the output is {output:.3f}, the "
    "error |output − target| = {error:.3f}. Going back, each layer's outputs get their share of "
    "it:",
    "classifier.layer": "  {name:<10} {size:>16}  mean gradient {gradient:.2e}",
    "classifier.losses": "Loss; {accuracy:.0%} right",
    "classifier.forward": "forward: what each layer sees",
    "classifier.back": "back: each layer's share of the error",
    "classifier.learned": "learned from",
    "classifier.other": "never seen",
    "classifier.epochs": "epochs",
}
