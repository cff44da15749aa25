// Elements in one line each, and the drawings of the buttons.

/** An element with properties, listeners (`onclick`) and children. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (name in node && typeof value !== "string" && !name.startsWith("aria")) node[name] = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((one) => one !== null && one !== undefined && one !== false));
  return node;
}

const SHAPES = {
  eye: '<path d="M1.500 10c2.300-4 5.200-6 8.500-6s6.200 2 8.500 6c-2.300 4-5.200 6-8.500 6s-6.200-2-8.500-6z"/><circle cx="10" cy="10" r="2.600"/>',
  compare: '<rect x="2.5" y="4" width="15" height="12" rx="1.5"/><path d="M10 2v16M13 8l2 2-2 2"/>',
  mask: '<path d="M12.5 3.5 16.5 7.5 8.5 15.5 3.5 16.5 4.5 11.5z"/>',
  copy: '<path d="M7 5 2.5 10 7 15M13 5l4.5 5-4.5 5"/>',
  save: '<path d="M10 3v9.5M6 9l4 4 4-4M3.5 16.5h13"/>',
  help: '<circle cx="10" cy="10" r="7.5"/><path d="M7.9 7.9a2.2 2.2 0 1 1 3 2.1c-.6.3-.9.7-.9 1.4M10 14v.1"/>',
  knob: '<path d="M7 6 3.5 10 7 14M13 6l3.5 4-3.5 4"/>',
  usual: '<path d="M4 10a6 6 0 1 0 2-4.5M4 3.5V7h3.5"/>',
  lock: '<rect x="4.500" y="9" width="11" height="8" rx="1.500"/><path d="M7 9V6.500a3 3 0 0 1 6 0V9"/>',
  unlock: '<rect x="4.500" y="9" width="11" height="8" rx="1.500"/><path d="M7 9V6.500a3 3 0 0 1 5.800-1"/>',
  dice: '<rect x="3" y="3" width="14" height="14" rx="3"/><path stroke-width="2.200" d="M7 7v.01M13 7v.01M10 10v.01M7 13v.01M13 13v.01"/>',
  more: '<path d="m8 5 5 5-5 5"/>',
  close: '<path d="M5 5l10 10M15 5 5 15"/>',
  settings: '<path d="M3 6h8M15 6h2M3 14h2M9 14h8"/><circle cx="13" cy="6" r="2"/><circle cx="7" cy="14" r="2"/>',
  grid: '<rect x="3" y="3" width="6" height="6" rx="1"/><rect x="11" y="3" width="6" height="6" rx="1"/><rect x="3" y="11" width="6" height="6" rx="1"/><rect x="11" y="11" width="6" height="6" rx="1"/>',
  back: '<path d="M8 5 3.500 9.500 8 14M4 9.500h8.500a4 4 0 0 1 0 8H10"/>',
  play: '<path d="M6 4l10 6-10 6z"/>',
  pause: '<path d="M7 4.500v11M13 4.500v11"/>',
  step: '<path d="M4 4l8 6-8 6zM15.500 4v12"/>',
  add: '<path d="M10 4v12M4 10h12"/>',
  eraser: '<path d="M8 16 3.500 11.500 11 4l5.500 5.500L10 16zM6 16h11"/>',
  invert: '<circle cx="10" cy="10" r="7"/><path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor"/>',
  settings_back: '<path d="M4 10a6 6 0 1 0 2-4.500M4 3.500V7h3.500"/>',
};

/** A drawing of a button, in the colour of its text. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.innerHTML = SHAPES[name];
  return svg;
}

/** A thumbnail that never says "broken"; of long lists only what is seen is loaded. */
export function thumb(url, width, height, alt = "", lazy = false) {
  const image = el("img", { src: url, alt, loading: lazy ? "lazy" : "eager", decoding: "async", draggable: "false" });
  if (width) image.width = width;
  if (height) image.height = height;
  let tries = 0;
  image.addEventListener("load", () => { image.style.visibility = ""; });
  image.addEventListener("error", () => {
    image.style.visibility = "hidden";
    // some are drawn only now: they are asked for again
    if (url.startsWith("/api/") && tries++ < 20) setTimeout(() => { if (image.isConnected) image.src = url; }, 1500 * tries);
  });
  return image;
}

/** Whether a key event belongs to a field that takes it itself. */
export function isTyping(target) {
  return Boolean(target.closest?.("input, select, textarea, dialog, [contenteditable]"));
}

/** Calls `work` once things have been quiet for `wait` milliseconds. */
export function later(wait, work) {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...args), wait);
  };
}
