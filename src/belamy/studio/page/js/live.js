// One WebSocket: what jobs do, and their frames. It comes back by itself.

const WAITS = [250, 500, 1000, 2000, 4000];

/** Events: open, lost, job, queue, result, lesson (detail = message), frame (detail = {head, blob}). */
export class Live extends EventTarget {
  #socket = null;
  #tries = 0;

  start() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/api/live`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#tries = 0;
      this.#tell("open");
    });
    socket.addEventListener("message", ({ data }) => this.#read(data));
    socket.addEventListener("close", () => {
      this.#tell("lost");
      setTimeout(() => this.start(), WAITS[Math.min(this.#tries++, WAITS.length - 1)]);
    });
  }

  watch(job) {
    if (this.#socket?.readyState === WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({ type: "watch", job }));
    }
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #read(data) {
    if (typeof data === "string") {
      const message = JSON.parse(data);
      this.#tell(message.type, message);
      return;
    }
    const length = new DataView(data).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
    const blob = new Blob([new Uint8Array(data, 4 + length)], { type: "image/jpeg" });
    this.#tell("frame", { head, blob });
  }
}
