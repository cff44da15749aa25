// A small network, forward: what each of its neurons says of every point of the plane.

export const ACTIVATIONS = {
  tanh: Math.tanh,
  relu: (z) => Math.max(0, z),
  sigmoid: (z) => 1 / (1 + Math.exp(-z)),
  linear: (z) => z,
};

/** A random generator with a seed: the same drawing each time. */
export function random(seed) {
  let state = seed >>> 0 || 1;
  const uniform = () => {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0;
    state ^= state >>> 13;
    return (state >>> 0) / 4294967296;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform() + 1e-9)) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

/** Untrained layers, as the worker's begin: small random weights. */
export function untrained(hidden, seed = 1) {
  const { normal } = random(seed);
  const sizes = [2, ...hidden, 1];
  return sizes.slice(1).map((neurons, at) => ({
    weights: Array.from({ length: sizes[at] }, () => Array.from({ length: neurons }, () => normal() / Math.sqrt(sizes[at]))),
    biases: Array.from({ length: neurons }, () => 0),
  }));
}

/** Every neuron's value on a grid of side × side points of [−reach, reach]²; rows go down. */
export function planes(layers, activation, side, reach) {
  const act = ACTIVATIONS[activation] ?? Math.tanh;
  const count = side * side;
  let signal = [new Float32Array(count), new Float32Array(count)];
  for (let at = 0; at < count; at++) {
    signal[0][at] = reach * ((2 * ((at % side) + 0.5)) / side - 1);
    signal[1][at] = -reach * ((2 * (Math.floor(at / side) + 0.5)) / side - 1);
  }
  const all = [signal];
  layers.forEach(({ weights, biases }, depth) => {
    const last = depth === layers.length - 1;
    signal = biases.map((bias, neuron) => {
      const sums = new Float32Array(count).fill(bias);
      weights.forEach((row, input) => {
        const weight = row[neuron];
        const from = all[depth][input];
        for (let at = 0; at < count; at++) sums[at] += weight * from[at];
      });
      if (last) for (let at = 0; at < count; at++) sums[at] = 2 / (1 + Math.exp(-sums[at])) - 1;
      else for (let at = 0; at < count; at++) sums[at] = act(sums[at]);
      return sums;
    });
    all.push(signal);
  });
  return all;
}

/** Toy data as the worker makes it, to look at before the first step: [x, y, label]. */
export function points(name, count, noise, seed = 3) {
  const { uniform, normal } = random(seed);
  const one = {
    moons(label) {
      const angle = Math.PI * uniform();
      const turn = 1 - 2 * label;
      return [(turn * Math.cos(angle) + label - 0.5) / 1.5, (turn * Math.sin(angle) + 0.5 * label - 0.25) / 1.5];
    },
    circles(label) {
      const angle = 2 * Math.PI * uniform();
      const radius = label ? 0.4 : 0.9;
      return [radius * Math.cos(angle), radius * Math.sin(angle)];
    },
    spirals(label) {
      const along = Math.sqrt(0.01 + 0.99 * uniform());
      const angle = 3 * Math.PI * along + Math.PI * label;
      return [along * Math.cos(angle), along * Math.sin(angle)];
    },
    xor(label) {
      const side = uniform() < 0.5 ? -1 : 1;
      return [side * (0.08 + 0.87 * uniform()), side * (1 - 2 * label) * (0.08 + 0.87 * uniform())];
    },
    blobs(label) {
      const far = 0.25 + (2 * label - 1) * (0.06 + 0.6 * uniform());
      const along = 1.6 * uniform() - 0.8;
      return [0.6 * far - 0.8 * along, 0.8 * far + 0.6 * along];
    },
  }[name] ?? (() => [0, 0]);
  return Array.from({ length: count }, (_, at) => {
    const [x, y] = one(at % 2);
    return [x + noise * normal(), y + noise * normal(), at % 2];
  });
}
