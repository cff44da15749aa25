// What the page knows: settings of each room, what is chosen, jobs and results. One event: "change".

const FRESH = () => ({ engine: null, options: {}, inputs: {}, locked: true, preset: null });
const ACTIVE = new Set(["waiting", "loading", "working", "stopping"]);
export const isActive = (job) => Boolean(job) && ACTIVE.has(job.state);

const ROOMS = ["dream", "style", "paint", "translate", "defog", "learn"];
const HISTORY = 200;

function read(storage, key) {
  try {
    return JSON.parse(storage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

class Store extends EventTarget {
  room = "dream";
  place = []; // behind the room in the address: learn/mlp
  query = new URLSearchParams();
  rooms = {};
  engines = new Map();
  samples = [];
  results = [];
  jobs = new Map();
  thumbs = new Map(); // job → canvas of its last frame
  own = {}; // presets by engine
  chosen = {}; // by room: a result's id
  follow = {}; // by room: the job on the stage
  page = { theme: "auto", surround: "theme", singleKeys: true, told: {} };
  #past = [];
  #future = [];

  constructor() {
    super();
    const kept = read(sessionStorage, "belamy") ?? read(localStorage, "belamy") ?? {};
    for (const room of ROOMS) this.rooms[room] = { ...FRESH(), ...(kept.rooms?.[room] ?? {}) };
    this.chosen = kept.chosen ?? {};
    this.page = { ...this.page, ...(read(localStorage, "belamy-page") ?? {}) };
  }

  get here() {
    return this.rooms[this.room];
  }

  /** Everybody looks again; `what` says at which part. */
  say(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }

  keep() {
    const text = JSON.stringify({ rooms: this.rooms, chosen: this.chosen });
    sessionStorage.setItem("belamy", text);
    localStorage.setItem("belamy", text);
  }

  keepPage() {
    localStorage.setItem("belamy-page", JSON.stringify(this.page));
  }

  /** Changes the settings of this room, so that it can be undone. */
  change(work, what = "settings") {
    const before = JSON.stringify({ room: this.room, state: this.here });
    const { picture, mask } = this.here.inputs;
    delete this.here.dropped;
    work(this.here);
    const { inputs } = this.here; // a mask belongs to its picture
    if (mask && inputs.mask === mask && inputs.picture?.id !== picture?.id) delete inputs.mask;
    if (Array.isArray(inputs.mask) && inputs.mask.length !== inputs.paintings?.length) delete inputs.mask; // one each
    if (JSON.stringify({ room: this.room, state: this.here }) !== before) {
      this.#past.push({ text: before, at: performance.now() });
      if (this.#past.length > HISTORY) this.#past.shift();
      this.#future = [];
    }
    this.keep();
    this.say(what);
  }

  /** A value of an option; undefined makes it the usual one again. */
  setOption(name, value) {
    this.change((room) => {
      if (value === undefined) delete room.options[name];
      else room.options[name] = value;
      room.preset = null;
    }, `option:${name}`);
  }

  #swap(from, to) {
    const step = from.pop();
    if (!step) return false;
    const { room, state } = JSON.parse(step.text);
    to.push({ text: JSON.stringify({ room, state: this.rooms[room] }), at: 0 });
    this.rooms[room] = state;
    this.keep();
    this.say(room === this.room ? "restored" : "settings");
    return true;
  }

  undo() {
    // a drag of a slider is one step
    const last = this.#past.at(-1)?.at ?? 0;
    while (this.#past.length > 1 && last - this.#past.at(-2).at < 400 && last > 0) this.#past.pop();
    return this.#swap(this.#past, this.#future);
  }

  redo() {
    return this.#swap(this.#future, this.#past);
  }

  setJob(job) {
    this.jobs.set(job.id, job);
    this.say("jobs");
  }

  /** A picture that was finished anew counts as its source, with another strength or mask. */
  settle(result) {
    if (result.engine !== "finish") return result;
    const source = this.result(result.inputs?.result);
    if (!source) return result;
    const mask = result.inputs.mask ? { mask: result.inputs.mask } : {};
    return {
      ...result, engine: source.engine, room: source.room, finished: source.id,
      options: { ...source.options, ...result.options }, inputs: { ...source.inputs, ...mask },
    };
  }

  addResult(given) {
    const result = this.settle(given);
    const at = this.results.findIndex((one) => one.id === result.id);
    if (at >= 0) this.results[at] = result;
    else this.results.unshift(result);
    this.say("results");
  }

  removeResult(id) {
    this.results = this.results.filter((one) => one.id !== id);
    for (const room of ROOMS) if (this.chosen[room] === id) delete this.chosen[room];
    this.keep();
    this.say("results");
  }

  result(id) {
    return this.results.find((one) => one.id === id) ?? null;
  }

  get activeJobs() {
    return [...this.jobs.values()].filter(isActive);
  }

  /** The job that this room waits for. */
  jobOf(room) {
    const own = this.jobs.get(this.follow[room]);
    return isActive(own) ? own : null;
  }
}

export const store = new Store();
