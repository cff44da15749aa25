// Settings to begin with, each shown as the picture that it makes.

const image = (name) => `/images/presets/${name}.webp`;

export const PRESETS = {
  dream: [
    ["strokes", { layer: ["mixed3a"], steps: 8, step_size: 1 }],
    ["eyes", { layer: ["mixed3b"] }],
    ["creatures", { layer: ["mixed4b"], steps: 14 }],
    ["birds", { layer: ["mixed4c"], steps: 14 }],
    ["shore", { layer: ["mixed5a"], steps: 20 }],
    ["whisper", { layer: ["mixed4b"], strength: 0.45 }],
    ["engraving", { layer: ["mixed4c"], keep_colors: true }],
    ["ladybug", { class_: ["ladybug"] }, { noise: true }],
  ],
  style: [
    ["once", {}, { engine: "any_style" }],
    ["portrait", { patches: 0.2 }, { engine: "any_style" }],
    ["paint", { patches: 0 }, { engine: "any_style" }],
    ["wild", { patches: 1 }, { engine: "any_style" }],
    ["starry", { network: "starry-night" }, { engine: "apply_style" }],
    ["wave", { network: "great-wave" }, { engine: "apply_style" }],
    ["scream", { network: "the-scream" }, { engine: "apply_style" }],
    ["seven", { network: "composition-vii" }, { engine: "apply_style" }],
  ],
  paint: [
    ["usual", {}, { engine: "gan_paint" }],
    ["ordinary", { truncation: 0.5 }, { engine: "gan_paint" }],
    ["unruly", { truncation: 1.2 }, { engine: "gan_paint" }],
    ["gentleman", { upscale: 10, frame: true, sign: true, count: 4 }, { engine: "gan_paint" }],
  ],
  translate: [
    ["old", { network: "old-photographs" }],
    ["new", { network: "old-photographs", direction: "b-to-a" }],
    ["impressionist", { network: "impressionism" }],
    ["photograph", { network: "impressionism", direction: "b-to-a" }],
  ],
  defog: [
    ["clear", {}, { engine: "defog" }],
    ["gently", { strength: 0.6 }, { engine: "defog" }],
    ["thoroughly", { strength: 1.4 }, { engine: "defog" }],
    ["fog", {}, { engine: "fog" }],
  ],
  learn: [
    ["moons", { points: "moons" }],
    ["spirals", { points: "spirals", hidden: [16, 16], epochs: 300 }],
    ["xor", { points: "xor", hidden: [4] }],
    ["small", { points: "spirals", hidden: [2] }],
  ],
};

const STAYS = ["seed", "size", "model", "device", "network"];

/** The presets of a room: the package's, then one's own. */
export function presetsOf(room, own = []) {
  const shipped = (PRESETS[room] ?? []).map(([name, options, more = {}]) => ({
    name, options, image: image(`${room}-${name}`), ...more,
  }));
  return [...shipped, ...own];
}

/** Sets what a preset says; seed, size and networks stay as they are. */
export function applyPreset(room, preset) {
  const other = preset.engine && preset.engine !== room.engine; // its networks are of another kind
  const stays = Object.entries(room.options).filter(
    ([name]) => STAYS.includes(name) && !(other && ["model", "network"].includes(name)));
  room.options = { ...Object.fromEntries(stays), ...structuredClone(preset.options) };
  if (preset.engine) room.engine = preset.engine;
  if (preset.noise) delete room.inputs.picture;
  room.preset = preset.name;
}
