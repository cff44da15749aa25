// The studio's own server: one function for each thing that is asked of it.

export class Refusal extends Error {
  constructor(status, body) {
    const list = Array.isArray(body) ? body : body?.fields ?? body?.detail;
    const lines = Array.isArray(list) ? list : [];
    super(body?.error ?? lines.map((one) => one.message ?? one.msg).join(" ") ?? `${status}`);
    this.status = status;
    this.lines = lines;
  }
}

async function ask(method, path, body, headers = {}) {
  const init = { method, headers: { ...headers }, credentials: "same-origin" };
  if (body instanceof Blob) init.body = body;
  else if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const answer = await fetch(path, init);
  const kind = answer.headers.get("content-type") ?? "";
  const content = kind.includes("json") ? await answer.json() : null;
  if (!answer.ok) throw new Refusal(answer.status, content);
  return content;
}

const get = (path) => ask("GET", path);
const id = encodeURIComponent;

export const api = {
  engines: () => get("/api/engines"),
  status: () => get("/api/status"),
  samples: () => get("/api/samples"),
  models: () => get("/api/models"),
  layers: (model) => get(`/api/layers/${id(model)}`),
  channels: (model, layer, page) =>
    get(`/api/layers/${id(model)}/${id(layer)}/channels?page=${page}`),
  addPicture: (blob, name) => ask("POST", "/api/pictures", blob, {
    "Content-Type": blob.type || "image/png",
    "X-Name": encodeURIComponent(name),
  }),
  pictureInfo: (picture) => get(`/api/pictures/${id(picture)}/info`),
  jobs: () => get("/api/jobs"),
  job: (job) => get(`/api/jobs/${id(job)}`),
  run: (engine, inputs, options, title) =>
    ask("POST", "/api/jobs", { engine, inputs, options, ...(title ? { title } : {}) }),
  stop: (job) => ask("POST", `/api/jobs/${id(job)}/stop`),
  resume: (job) => ask("POST", `/api/jobs/${id(job)}/resume`),
  control: (job, what) => ask("POST", `/api/jobs/${id(job)}/control`, what),
  results: (limit = 60, before = "") =>
    get(`/api/results?limit=${limit}${before ? `&before=${id(before)}` : ""}`),
  recipe: (result) => get(`/api/results/${id(result)}/recipe`),
  remove: (result) => ask("DELETE", `/api/results/${id(result)}`),
  restore: (result) => ask("POST", `/api/results/${id(result)}/restore`),
  copy: (engine, inputs, options) => ask("POST", "/api/copy", { engine, inputs, options }),
  presets: () => get("/api/presets"),
  keepPreset: (engine, name, options) =>
    ask("PUT", `/api/presets/${id(engine)}/${id(name)}`, { options }),
  dropPreset: (engine, name) => ask("DELETE", `/api/presets/${id(engine)}/${id(name)}`),
  settings: () => get("/api/settings"),
  keepSettings: (settings) => ask("PUT", "/api/settings", settings),
  folders: () => get("/api/folders"),
  makeFolder: (name, pictures) => ask("POST", "/api/folders", { name, pictures }),
};
