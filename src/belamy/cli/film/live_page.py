"""The page on which `belamy live` shows what is painted."""

from __future__ import annotations

import io
import json
import secrets
import threading
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from belamy.errors import OptionError

if TYPE_CHECKING:
    from belamy.engines.film.live import Live

__all__ = ["LivePage"]

_HOST = "127.0.0.1"
_QUALITY = 85  # of the JPEGs that the page is sent


class LivePage:
    """A page that shows what is painted, as long as the block lasts.

    Args:
        show: what paints.
        port: 0 takes a free one.

    Raises:
        OptionError: the port is taken.
    """

    def __init__(self, show: Live, port: int = 0) -> None:
        self.token = secrets.token_urlsafe(16)
        handler = partial(_Handler, show, self.token)
        try:
            self._server = ThreadingHTTPServer((_HOST, port), handler)
        except OSError as error:
            raise OptionError(f"port {port} cannot be had: {error.strerror}; take 0") from error
        self._server.daemon_threads = True
        self.address = f"http://{_HOST}:{self._server.server_address[1]}/{self.token}/"

    def __enter__(self) -> LivePage:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *reason: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    """Answers those alone who know the token, and came by this address."""

    def __init__(self, show: Live, token: str, *rest: Any) -> None:
        self.show, self.token = show, token
        super().__init__(*rest)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is said of requests."""

    def do_GET(self) -> None:
        """The page, the film, or how it goes."""
        answers = {"": self._page, "film": self._film, "state": self._state}
        answer = answers.get(self._part())
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            answer()

    def do_POST(self) -> None:
        """Another style: by `number`, or the `next`."""
        if self._part() != "style":
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        given = parse_qs(urlsplit(self.path).query).get("number", [""])[0]
        if given.isdecimal() and int(given[:4]) < len(self.show.names):
            self.show.choose(int(given))
        elif given == "next":
            self.show.choose(self.show.style + 1)
        self._state()

    def _part(self) -> str:
        """What of the page is asked for; a text that nothing has where that may not be."""
        host = self.headers.get("Host", "").rpartition(":")[0]
        _, _, path = urlsplit(self.path).path.partition("/")
        token, _, part = path.partition("/")
        known = secrets.compare_digest(token.encode(), self.token.encode())
        return part if known and host in (_HOST, "localhost") else "?"

    def _send(self, kind: str, data: bytes) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def _page(self) -> None:
        self._send("text/html; charset=utf-8", _PAGE.encode())

    def _state(self) -> None:
        view, names = self.show.view, [Path(name).stem for name in self.show.names]
        state = {"styles": names, "style": self.show.style, "rate": view.rate, "frames": view.count}
        self._send("application/json", json.dumps(state).encode())

    def _film(self) -> None:
        from belamy.pixels.images import to_pil

        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        count = 0
        try:
            while True:
                latest = self.show.view.wait(count)
                image = self.show.view.image
                if latest == count or image is None:
                    continue
                count = latest
                buffer = io.BytesIO()
                to_pil(image).save(buffer, "JPEG", quality=_QUALITY)
                data = buffer.getvalue()
                head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(data)}\r\n\r\n"
                self.wfile.write(head.encode() + data + b"\r\n")
        except OSError:  # who looked has gone
            return


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>belamy live</title>
<style>
body { margin: 0; min-height: 100vh; background: #111; color: #ddd; font: 16px/1.5 system-ui,
  sans-serif; display: grid; grid-template-rows: 1fr auto; }
img { width: 100vw; height: calc(100vh - 3.5rem); object-fit: contain; }
p { margin: 0; padding: .8rem 1rem; display: flex; gap: .5rem; flex-wrap: wrap; }
button { font: inherit; color: inherit; background: #222; border: 1px solid #555;
  border-radius: .3rem; padding: 0 .6rem; }
button[aria-pressed=true] { background: #ddd; color: #111; }
#styles { display: flex; gap: .5rem; flex-wrap: wrap; }
#rate { margin-left: auto; font-variant-numeric: tabular-nums; }
</style>
<img src="film" alt="what is painted">
<p><span id="styles"></span><span id="rate"></span></p>
<script>
const styles = document.getElementById("styles"), rate = document.getElementById("rate");
let buttons = [];
function show(state) {
  rate.textContent = state.rate.toFixed(1) + " frames a second";
  if (buttons.length !== state.styles.length) {
    buttons = state.styles.map((name, number) => {
      const button = document.createElement("button");
      button.textContent = (number < 9 ? number + 1 + " " : "") + name;
      button.onclick = () => choose(number);
      return button;
    });
    styles.replaceChildren(...buttons);
  }
  buttons.forEach((button, number) => button.setAttribute("aria-pressed", number === state.style));
}
function end() {
  rate.textContent = "ended; start belamy live again for another page";
  clearInterval(asking);
}
async function choose(number) {
  await ask("style?number=" + number, { method: "POST" });
}
async function ask(part, how) {
  try {
    show(await (await fetch(part, how)).json());
  } catch {
    end();
  }
}
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "n") choose("next");
  else if (/^[1-9]$/.test(event.key)) choose(event.key - 1);
});
const asking = setInterval(() => ask("state"), 1000);
ask("state");
</script>
</html>
"""
