// Which options a room shows first, and how. All others of the engine come by themselves, folded.

const hasPicture = (room) => Boolean(room.inputs.picture);
const edits = (room) => room.tab !== "neighbours";
const noise = (room) => !hasPicture(room);
const strength = { name: "strength", kind: "slider", min: 0, max: 1, step: 0.01, digits: 2, usual: 1, live: true };
const colours = { name: "keep_colors", kind: "choice", values: [false, true], usual: false };
const seed = { name: "seed", kind: "seed", usual: 0 };
const upscale = { name: "upscale", kind: "slider", min: 1, max: 16, step: 1, usual: 3, whole: true, always: true };
const signed = [
  { name: "sign", kind: "switch", usual: false },
  { name: "frame", kind: "switch", usual: false },
];
const daring = { name: "truncation", kind: "slider", min: 0, max: 2, step: 0.05, digits: 2, usual: 0.8 };
const pixels = (usual) => ({ name: "size", kind: "pixels", low: 128, high: 2048, usual });

/** The long side that a dream has by itself. */
function dreamSide(room) {
  const picture = room.inputs.picture;
  return picture ? Math.min(1024, Math.max(picture.width, picture.height)) : 384;
}

const ownSide = (room) => {
  const picture = room.inputs.picture;
  return picture ? Math.max(picture.width, picture.height) : 512;
};

/** Of translations: the picture's own, up to what takes seconds; impressionism shows its brush on small ones. */
const translatedSide = (room) => Math.min(room.options?.network === "impressionism" ? 384 : 576, ownSide(room));

const FILM_SIDE = 384; // pixels; larger ones take minutes

/** Rows of each engine; `hidden` are set elsewhere on the page, or have no meaning in a browser. */
export const SPECS = {
  dream: {
    rows: [
      { ...strength, when: hasPicture },
      { name: "octaves", kind: "slider", min: 1, max: 8, step: 1, usual: 4, whole: true, when: hasPicture },
      { name: "steps", kind: "slider", min: 1, max: 60, step: 1, usual: 10, whole: true, when: hasPicture },
      { name: "steps", kind: "slider", min: 16, max: 512, step: 8, usual: 256, whole: true, when: noise },
      { ...colours, when: hasPicture },
      seed,
      pixels(dreamSide),
    ],
    fine: {
      octave_scale: { kind: "slider", min: 1.1, max: 2, step: 0.05, digits: 2, usual: 1.4, when: hasPicture },
      step_size: { kind: "slider", min: 0.1, max: 8, step: 0.1, digits: 1, usual: 1.5, when: hasPicture },
      jitter: { kind: "slider", min: 0, max: 64, step: 1, usual: 32, whole: true, when: hasPicture },
      model: { kind: "model", of: "backbone", usual: "iris" },
    },
    required: { model: "iris" },
    hidden: ["layer", "mask", "guide", "image"],
  },
  any_style: {
    rows: [
      { ...strength, live: false },
      { name: "patches", kind: "slider", min: 0, max: 1, step: 0.05, digits: 2, usual: 0.6 },
      { name: "style_scale", kind: "slider", min: 0.25, max: 2, step: 0.05, digits: 2, usual: 1 },
      { name: "keep_colors", kind: "choice", values: [null, "luma", "match"], usual: null },
      pixels(512),
    ],
    fine: { network: { kind: "model", of: "arbitrary-style" }, seed: { kind: "seed", usual: 0 } },
    hidden: ["style_weight", "mask", "style_mask", "style", "content"],
  },
  style: {
    rows: [
      { name: "preset", kind: "choice", values: ["sketch", "standard", "fine"], usual: "standard", wide: true },
      { name: "style_scale", kind: "slider", min: 0.25, max: 2, step: 0.05, digits: 2, usual: 1 },
      { name: "keep_colors", kind: "choice", values: [null, "luma", "match"], usual: null },
      seed,
      pixels(512),
    ],
    fine: { model: { kind: "model", of: "backbone" } },
    hidden: ["style_weight", "mask", "style_mask", "style", "content"],
  },
  apply_style: {
    rows: [
      strength,
      { name: "stroke_size", kind: "slider", min: 0.25, max: 4, step: 0.05, digits: 2, usual: 1 },
      colours, seed, pixels(ownSide),
    ],
    fine: { variation: { kind: "number" } },
    required: { network: "starry-night" },
    hidden: ["image", "network"],
  },
  gan_paint: {
    rows: [
      daring,
      seed,
      { name: "count", kind: "slider", min: 4, max: 36, step: 1, usual: 16, whole: true },
      upscale,
      ...signed,
    ],
    required: { sheet: false, upscale: 3 },
    hidden: ["sheet", "latents"],
    fine: { network: { kind: "model", of: "generator" } },
  },
  gan_mix: { rows: [], required: { upscale: 3 }, hidden: [], fine: {} },
  gan_walk: {
    rows: [
      { name: "stops", kind: "slider", min: 2, max: 24, step: 1, usual: 6, whole: true },
      { name: "seconds", kind: "slider", min: 2, max: 60, step: 1, usual: 12, whole: true },
      daring, seed, upscale,
    ],
    required: { upscale: 3 },
    hidden: ["latents"],
    fine: { network: { kind: "model", of: "generator" } },
  },
  gan_edit: {
    rows: [
      { name: "direction", kind: "choice", values: [null, 1, 2, 3, 4, 5, 6], usual: null, wide: true, when: edits },
      { name: "amount", kind: "slider", min: -5, max: 5, step: 0.1, digits: 1, usual: 2, when: edits },
      { name: "where", kind: "choice", values: ["all", "coarse", "fine"], usual: "all", when: edits },
      ...[upscale, ...signed].map((row) => ({ ...row, when: edits })),
    ],
    required: { upscale: 3 },
    hidden: ["picture", "latents", "truncation", "rejection", "count"],
    fine: { network: { kind: "model", of: "generator" } },
  },
  gan_project: {
    rows: [
      { name: "steps", kind: "slider", min: 20, max: 600, step: 10, usual: 150, whole: true },
      { name: "freedom", kind: "slider", min: 0.3, max: 3, step: 0.1, digits: 1, usual: 1 },
      seed, upscale, ...signed,
    ],
    required: { upscale: 3 },
    hidden: ["image"],
    fine: { network: { kind: "model", of: "generator" }, model: { kind: "model", of: "backbone" } },
  },
  translate: {
    rows: [
      {
        name: "direction", kind: "choice", values: ["a-to-b", "b-to-a"], usual: "a-to-b", wide: true,
        words: (room, value) => `directions.${room.options?.network ?? "old-photographs"}.${value}`,
      },
      strength, colours, { ...pixels(translatedSide), always: true },
    ],
    required: { network: "old-photographs", size: translatedSide },
    fine: {},
    hidden: ["image", "network"],
  },
  defog: {
    rows: [
      { name: "strength", kind: "slider", min: 0, max: 2, step: 0.05, digits: 2, usual: 1, live: true },
      { name: "keep_sky", kind: "switch", usual: false },
    ],
    fine: { network: { kind: "model", of: "dehaze" } },
    hidden: ["image", "compare", "method"],
  },
  fog: {
    rows: [
      { name: "amount", kind: "slider", min: 0, max: 0.99, step: 0.01, digits: 2, usual: 0.5 },
      { name: "patches", kind: "slider", min: 0, max: 1, step: 0.05, digits: 2, usual: 0.2 },
      seed,
    ],
    fine: {},
    hidden: ["image"],
  },
  lesson_mlp: {
    rows: [
      { name: "noise", kind: "slider", min: 0, max: 1, step: 0.01, digits: 2, usual: 0.08 },
      { name: "hidden", kind: "neurons", usual: [8, 8] },
      { name: "activation", kind: "choice", values: ["tanh", "relu", "sigmoid"], usual: "tanh" },
      { name: "rate", kind: "number", usual: 0.01 },
    ],
    fine: {},
    hidden: ["points"],
  },
  lesson_gan: {
    rows: [
      { name: "loss", kind: "select", usual: "relativistic" },
      { name: "steps", kind: "slider", min: 200, max: 6000, step: 100, usual: 2000, whole: true },
      { name: "discriminator_steps", kind: "slider", min: 1, max: 10, step: 1, usual: 1, whole: true },
      seed,
    ],
    fine: {},
    hidden: [],
  },
  lesson_neuron: {
    rows: [
      { name: "weights", kind: "text", usual: "1,1" },
      { name: "threshold", kind: "slider", min: -3, max: 5, step: 0.1, digits: 1, usual: 1.5 },
    ],
    fine: {},
    hidden: ["language"],
  },
  lesson_perceptron: {
    rows: [
      { name: "points", kind: "select", usual: "blobs" },
      { name: "count", kind: "slider", min: 4, max: 400, step: 2, usual: 80, whole: true },
      { name: "noise", kind: "slider", min: 0, max: 1, step: 0.01, digits: 2, usual: 0 },
      { name: "sweeps", kind: "slider", min: 1, max: 200, step: 1, usual: 30, whole: true },
      seed,
    ],
    fine: {},
    hidden: ["language"],
  },
  lesson_backprop: {
    rows: [
      { name: "inputs", kind: "text", usual: "0.5,1" },
      { name: "target", kind: "slider", min: 0, max: 1, step: 0.05, digits: 2, usual: 1 },
      { name: "learning_rate", kind: "slider", min: 0.05, max: 5, step: 0.05, digits: 2, usual: 0.5 },
      { name: "loss", kind: "choice", values: ["absolute", "squared"], usual: "absolute" },
      seed,
    ],
    fine: {},
    hidden: ["language"],
  },
  lesson_approximation: {
    rows: [
      { name: "function", kind: "select", usual: "chirp" },
      { name: "widths", kind: "text", usual: "2,4,8,16,32,64" },
      seed,
    ],
    fine: {},
    hidden: ["language"],
  },
  lesson_depth: {
    rows: [{ name: "layers", kind: "slider", min: 1, max: 10, step: 1, usual: 6, whole: true }],
    fine: {},
    hidden: ["language"],
  },
  lesson_complexity: {
    rows: [{ name: "networks", kind: "text", usual: ["alexnet", "vgg16"] }, { name: "size", kind: "number", usual: null }],
    fine: {},
    hidden: ["language"],
  },
  lesson_classifier: {
    rows: [
      { name: "model", kind: "select", usual: "auto" },
      { name: "pictures", kind: "slider", min: 8, max: 2000, step: 8, usual: 600, whole: true },
      { name: "epochs", kind: "slider", min: 1, max: 200, step: 1, usual: 40, whole: true },
      seed,
    ],
    fine: {},
    hidden: ["language", "data"],
  },
  lesson_digit: { rows: [], fine: {}, hidden: ["image"] },
};

/* Of films: smaller by itself, nothing live, and what all films have. */
const OF_FILMS = [
  { name: "steady", kind: "slider", min: 0, max: 1, step: 0.05, digits: 2, usual: 1 },
  { name: "every", kind: "slider", min: 1, max: 12, step: 1, usual: 1, whole: true },
];
for (const name of ["dream", "style", "any_style", "apply_style", "translate", "defog"]) {
  const base = SPECS[name];
  const rows = base.rows.map((row) => (row.name === "size" ? { ...row, usual: FILM_SIDE, always: true } : { ...row, live: false }));
  SPECS[`${name}_film`] = {
    ...base,
    rows: [...rows, ...OF_FILMS],
    fine: {
      ...base.fine,
      fps: { kind: "number" },
      start: { kind: "number" },
      end: { kind: "number" },
      ...(name === "style" ? { passes: { kind: "number" } } : {}),
    },
    required: { ...base.required, ...(name === "defog" ? {} : { size: FILM_SIDE }) },
    hidden: [...base.hidden, "mask", "style_mask", "init", "compare"],
  };
}

/** The usual value of a row, which may depend on the picture. */
export function usualOf(spec, room) {
  return typeof spec.usual === "function" ? spec.usual(room) : spec.usual;
}

/** What is sent: the options that differ, and those that the engine needs. */
export function optionsOf(engine, room, schema) {
  const spec = SPECS[engine];
  const known = (name) => schema?.properties?.[name] !== undefined;
  const options = Object.fromEntries(Object.entries(spec?.required ?? {}).map(
    ([name, value]) => [name, typeof value === "function" ? value(room) : value]));
  for (const [name, value] of Object.entries(room.options)) {
    if (!known(name) || value === undefined) continue;
    const rows = spec?.rows.filter((one) => one.name === name) ?? [];
    const row = rows.find((one) => !one.when || one.when(room));
    if (rows.length && !row) continue; // it has no meaning now
    const fine = spec?.fine?.[name];
    if (fine?.when && !fine.when(room)) continue;
    options[name] = value;
  }
  return Object.fromEntries(Object.entries(options).filter(([name]) => known(name)));
}
