// Drawing for the lessons: planes of two colours, points, curves, sharp on every screen.

import { el } from "../dom.js";

/** The colours of the page, as numbers. */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => {
    const text = style.getPropertyValue(name).trim();
    const value = Number.parseInt(text.slice(1), 16);
    return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
  };
  const words = (name) => style.getPropertyValue(name).trim();
  return {
    one: read("--one"), two: read("--two"), ground: read("--panel"),
    text: words("--text"), soft: words("--soft"), gilt: words("--frame"), oneText: words("--one"), twoText: words("--two"),
    stage: words("--stage"), panel: words("--panel"),
  };
}

/** Fits a canvas to its place; its context in screen pixels. */
export function sharp(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  const ratio = Math.min(3, devicePixelRatio || 1);
  const w = Math.max(1, Math.round(width * ratio));
  const h = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/** Values −1…1 as a small picture: one colour below 0, another above, the ground between. */
export function heat(values, side, palette, canvas = el("canvas", { width: side, height: side })) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(side, side);
  const { one, two, ground } = palette;
  for (let at = 0; at < values.length; at++) {
    const value = Math.max(-1, Math.min(1, values[at]));
    const colour = value > 0 ? one : two;
    const share = Math.abs(value) ** 0.8 * 0.86;
    for (let c = 0; c < 3; c++) image.data[4 * at + c] = ground[c] + (colour[c] - ground[c]) * share;
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Points on a square of the given reach. */
export function dots(context, list, box, reach, radius, colourOf, rim) {
  for (const [x, y, label] of list) {
    const px = box.left + ((x / reach + 1) / 2) * box.side;
    const py = box.top + ((1 - y / reach) / 2) * box.side;
    context.beginPath();
    context.arc(px, py, radius, 0, 7);
    context.fillStyle = colourOf(label);
    context.fill();
    if (rim) {
      context.strokeStyle = rim;
      context.lineWidth = 1;
      context.stroke();
    }
  }
}

/** The largest square in the middle. */
export function square(width, height, margin = 0) {
  const side = Math.max(10, Math.min(width, height) - 2 * margin);
  return { left: (width - side) / 2, top: (height - side) / 2, side };
}

/** Curves under each other's eyes: [[values, colour]…], from the largest to 0. */
export function curves(canvas, lists, line, text) {
  const { context, width, height } = sharp(canvas);
  const largest = Math.max(1e-9, ...lists.flatMap(([values]) => values).filter(Number.isFinite));
  context.strokeStyle = line;
  context.lineWidth = 1;
  context.globalAlpha = 0.35;
  context.beginPath();
  context.moveTo(0, height - 0.5);
  context.lineTo(width, height - 0.5);
  context.stroke();
  context.globalAlpha = 1;
  for (const [values, colour] of lists) {
    if (values.length < 2) continue;
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    values.forEach((value, at) => {
      const x = (at / (values.length - 1)) * width;
      const y = height - 2 - (value / largest) * (height - 22);
      if (at) context.lineTo(x, y);
      else context.moveTo(x, y);
    });
    context.stroke();
  }
  if (text) {
    context.fillStyle = line;
    const { fontSize, fontFamily } = getComputedStyle(canvas);
    context.font = `${fontSize} ${fontFamily}`;
    context.fillText(text, 0, Number.parseFloat(fontSize));
  }
}

/** Bytes out of base64. */
export function bytes(text) {
  return Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
}
