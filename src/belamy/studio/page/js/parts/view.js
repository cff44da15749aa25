// Where a picture lies on the stage, and its drawing: geometry and one 2D canvas.

const PHONE = matchMedia("(max-width: 700px)");
const CLOSEST = 32; // screen pixels for one of the picture's

export class View {
  width = 0; // of the picture
  height = 0;
  scale = null; // null: it fits
  x = 0; // of the picture's middle from the stage's, in screen pixels
  y = 0;
  cut = 0.36;
  compare = true;
  peek = false; // the picture as it was, while Space is down
  alpha = 1; // of the new picture over the old one
  before = null;
  after = null;
  mask = null; // canvas, white where the new picture is

  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    this.layer = document.createElement("canvas");
  }

  get phone() {
    return PHONE.matches;
  }

  /** Size of the stage in screen pixels, and of the canvas in the device's. */
  resize(width, height) {
    const ratio = Math.min(3, devicePixelRatio || 1);
    this.stageWidth = width;
    this.stageHeight = height;
    this.ratio = ratio;
    const w = Math.max(1, Math.round(width * ratio));
    const h = Math.max(1, Math.round(height * ratio));
    if (this.canvas.width !== w || this.canvas.height !== h) {
      this.canvas.width = w;
      this.canvas.height = h;
    }
  }

  get fit() {
    const [side, above, below] = this.phone ? [0, 0, 34] : [Math.min(36, this.stageWidth * 0.03), 66, 56];
    const width = this.stageWidth - 2 * side;
    const height = this.stageHeight - above - below;
    return Math.max(0.01, Math.min(width / this.width, height / this.height));
  }

  get shown() {
    return this.scale ?? this.fit;
  }

  /** The picture's rectangle on the stage. */
  get box() {
    const width = this.width * this.shown;
    const height = this.height * this.shown;
    let top = (this.stageHeight - height) / 2 + this.y;
    if (this.scale === null) top = this.phone ? 0 : Math.max(66, (this.stageHeight - height) / 2 + 5);
    return { left: (this.stageWidth - width) / 2 + this.x, top, width, height };
  }

  fitAgain() {
    this.scale = null;
    this.x = this.y = 0;
  }

  /** Zooms by a factor so that the point (x, y) of the stage stays where it is. */
  zoom(factor, x = this.stageWidth / 2, y = this.stageHeight / 2) {
    if (!this.width) return;
    const old = this.box;
    const scale = Math.min(CLOSEST, Math.max(Math.min(this.fit, 1) / 4, this.shown * factor));
    if (Math.abs(scale / this.fit - 1) < 0.02) {
      this.fitAgain();
      return;
    }
    const across = (x - old.left) / old.width;
    const down = (y - old.top) / old.height;
    this.scale = scale;
    this.x = x - across * this.width * scale - (this.stageWidth - this.width * scale) / 2;
    this.y = y - down * this.height * scale - (this.stageHeight - this.height * scale) / 2;
    this.#hold();
  }

  setScale(scale) {
    this.zoom(scale / this.shown);
  }

  pan(x, y) {
    if (this.scale === null) return;
    this.x += x;
    this.y += y;
    this.#hold();
  }

  /** Something of the picture is always seen. */
  #hold() {
    const reach = (size, stage) => Math.max(0, (size + stage) / 2 - 80);
    const across = reach(this.width * this.scale, this.stageWidth);
    const down = reach(this.height * this.scale, this.stageHeight);
    this.x = Math.min(across, Math.max(-across, this.x));
    this.y = Math.min(down, Math.max(-down, this.y));
  }

  /** A point of the stage in the picture's pixels. */
  toPicture(x, y) {
    const box = this.box;
    return [((x - box.left) / box.width) * this.width, ((y - box.top) / box.height) * this.height];
  }

  get hasBoth() {
    return Boolean(this.before && this.after);
  }

  draw() {
    const { context, canvas, ratio } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (!this.width || !(this.before || this.after)) return;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.imageSmoothingEnabled = this.shown < 4;
    context.imageSmoothingQuality = "high";
    const { left, top, width, height } = this.box;
    const now = this.after && !(this.peek && this.before);
    if (!now) {
      context.drawImage(this.before ?? this.after, left, top, width, height);
      return;
    }
    this.#drawNow(context, left, top, width, height);
    if (this.compare && this.before && !this.painting) {
      context.save();
      context.beginPath();
      context.rect(left, top, width * this.cut, height);
      context.clip();
      context.drawImage(this.before, left, top, width, height);
      context.restore();
    }
  }

  #drawNow(context, left, top, width, height) {
    const blend = this.before && (this.alpha < 1 || this.mask);
    if (!blend) {
      context.drawImage(this.after, left, top, width, height);
      return;
    }
    context.drawImage(this.before, left, top, width, height);
    let source = this.after;
    if (this.mask) source = this.#masked();
    context.globalAlpha = this.alpha;
    context.drawImage(source, left, top, width, height);
    context.globalAlpha = 1;
  }

  /** The new picture where the mask is white. */
  #masked() {
    const { layer, mask, after } = this;
    if (layer.width !== mask.width || layer.height !== mask.height) {
      layer.width = mask.width;
      layer.height = mask.height;
    }
    const context = layer.getContext("2d");
    context.globalCompositeOperation = "copy";
    context.drawImage(mask, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.drawImage(after, 0, 0, layer.width, layer.height);
    return layer;
  }
}
