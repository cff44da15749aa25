"""Jobs from the first click to the file on the disk, on the package's own networks."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.studio.serving import Served, child_running, memory_of, start, studio, until

import belamy

websockets = pytest.importorskip("websockets.asyncio.client")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with studio(tmp_path_factory.mktemp("studio"), warm=True) as one:
        until(lambda: one.call("GET", "/api/status").json["worker"] == "idle")
        until(lambda: worker_of(one))
        yield one


@pytest.fixture(scope="module")
def picture(served: Served) -> str:
    pixels = np.add.outer(np.arange(90), np.arange(120))[:, :, None] * np.array([1, 2, 3])
    buffer = io.BytesIO()
    Image.fromarray((pixels % 256).astype(np.uint8)).save(buffer, "PNG")
    name: str = served.upload(buffer.getvalue(), "ramp.png").json["id"]
    return name


def worker_of(served: Served) -> int | None:
    return child_running(served.process.pid, "belamy.studio.worker")


def file_of(served: Served, result: str) -> Path:
    row = served.call("GET", f"/api/results/{result}/info").json
    return served.home / "results" / row["name"]


def listen(served: Served, job: dict[str, Any] | None, seconds: float = 60) -> list[Any]:
    """What a tab is told until a job is over; starts it once it listens."""

    async def run() -> list[Any]:
        heard: list[Any] = []
        headers = {"Authorization": f"Bearer {served.key}"}
        address = f"ws://127.0.0.1:{served.port}/api/live"
        async with websockets.connect(
            address, additional_headers=headers, compression=None, max_size=None
        ) as line:
            started = time.monotonic()
            name = served.call("POST", "/api/jobs", job).json["id"]

            async def hear() -> None:
                async for message in line:
                    now = time.monotonic() - started
                    heard.append((now, read(message)))
                    told = heard[-1][1]
                    over = told.get("job", {}) if told["type"] == "job" else {}
                    if over.get("id") == name and over["state"] in ("done", "failed", "stopped"):
                        return

            await asyncio.wait_for(hear(), seconds)
        return heard

    return asyncio.run(run())


def read(message: str | bytes) -> dict[str, Any]:
    if isinstance(message, str):
        found: dict[str, Any] = json.loads(message)
        return found
    (length,) = struct.unpack_from("<I", message)
    header = json.loads(message[4 : 4 + length])
    return {"type": "frame", **header, "jpeg": message[4 + length :]}


DREAM = {"layer": "mixed3b", "size": 96, "steps": 6, "octaves": 2}
NOISE = {"layer": "mixed3a", "size": 48}


def test_a_dream_is_watched_and_kept(served: Served, picture: str) -> None:
    longer = {**DREAM, "steps": 30}  # so that a frame is due on a machine that others hold, too
    body = {"engine": "dream", "inputs": {"picture": picture}, "options": longer, "title": "a <b>"}
    heard = [message for _, message in listen(served, body)]
    frames = [one for one in heard if one["type"] == "frame"]
    assert frames
    assert len({one["frame"] for one in frames}) == len(frames)
    first = Image.open(io.BytesIO(frames[0]["jpeg"]))
    assert (first.format, first.size) == ("JPEG", (frames[0]["width"], frames[0]["height"]))
    assert (frames[0]["full_width"], frames[0]["full_height"]) == (96, 72)
    states = [one["job"]["state"] for one in heard if one["type"] == "job"]
    assert [*dict.fromkeys(states)] == ["loading", "working", "done"]
    (result,) = [one["result"] for one in heard if one["type"] == "result"]
    assert (result["width"], result["height"], result["title"]) == (96, 72, "a <b>")
    file = file_of(served, result["id"])
    assert "a b" in file.name
    recipe = belamy.read_recipe(file)
    assert (recipe.engine, recipe.options["layer"]) == ("dream", ["mixed3b"])
    served_file = served.call("GET", result["url"])
    assert served_file.body == file.read_bytes()
    assert served_file.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(served.call("GET", result["thumb"]).body)).format == "WEBP"
    assert served.call("GET", "/api/results").json[0]["id"] == result["id"]


def test_the_studio_makes_what_python_makes(served: Served, picture: str, tmp_path: Path) -> None:
    job = served.job("dream", inputs={"picture": picture}, **DREAM, strength=0.6)
    done = served.wait(job["id"])
    source = served.home / "pictures" / next(iter((served.home / "pictures").iterdir())).name
    belamy.dream(source, **DREAM, strength=0.6).save(tmp_path / "same.png")
    ours, theirs = Image.open(file_of(served, done["result"])), Image.open(tmp_path / "same.png")
    assert np.array_equal(np.asarray(ours), np.asarray(theirs))


def test_strength_is_changed_afterwards_exactly(served: Served, picture: str) -> None:
    whole = served.wait(served.job("dream", inputs={"picture": picture}, **DREAM)["id"])
    half = served.wait(
        served.job("dream", inputs={"picture": picture}, **DREAM, strength=0.3)["id"]
    )
    answer = served.call("POST", f"/api/results/{whole['result']}/blend", {"strength": 0.3})
    assert answer.status == 202
    blended = served.wait(answer.json["id"])
    direct, later = (file_of(served, one["result"]) for one in (half, blended))
    assert np.array_equal(np.asarray(Image.open(direct)), np.asarray(Image.open(later)))
    assert belamy.read_recipe(direct).options == belamy.read_recipe(later).options
    again = served.call("POST", f"/api/results/{blended['result']}/blend", {"strength": 0.3})
    assert again.status == 409


def test_a_mask_is_laid_on_afterwards_and_replays(
    served: Served, picture: str, tmp_path: Path
) -> None:
    mask = Image.new("L", (96, 72))
    mask.paste(255, (0, 0, 48, 72))
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    name = served.upload(buffer.getvalue(), "mask.png").json["id"]
    whole = served.wait(served.job("dream", inputs={"picture": picture}, **DREAM)["id"])
    body = {"strength": 1.0, "mask": name}
    answer = served.call("POST", f"/api/results/{whole['result']}/blend", body)
    done = served.wait(answer.json["id"])
    dreamt, masked = (
        np.asarray(Image.open(file_of(served, one["result"]))).astype(int) for one in (whole, done)
    )
    assert np.array_equal(masked[:, :46], dreamt[:, :46])
    assert np.abs(masked[:, 50:] - dreamt[:, 50:]).mean() > 2
    made = file_of(served, done["result"])
    recipe = belamy.read_recipe(made)
    assert (recipe.engine, recipe.options["masking"]) == ("dream", "end")
    command = [
        sys.executable,
        "-m",
        "belamy",
        "replay",
        str(made),
        "--trust",
        "-o",
        str(tmp_path / "r.png"),
    ]
    subprocess.run(command, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    replayed = np.asarray(Image.open(tmp_path / "r.png")).astype(int)
    assert np.array_equal(replayed, masked)
    known = served.upload(made.read_bytes(), "masked.png").json["recipe"]
    assert known["engine"] == "dream"
    assert known["inputs"] == {"picture": picture, "mask": name}
    assert known["options"]["steps"] == DREAM["steps"]


def test_dropped_in_again_its_settings_come_back(served: Served, picture: str) -> None:
    done = served.wait(served.job("dream", inputs={"picture": picture}, **DREAM, seed=7)["id"])
    data = file_of(served, done["result"]).read_bytes()
    recipe = served.upload(data, "again.png").json["recipe"]
    assert recipe["engine"] == "dream"
    assert {name: recipe["options"][name] for name in ("octaves", "seed", "size", "steps")} == {
        "octaves": 2,
        "seed": 7,
        "size": 96,
        "steps": 6,
    }
    assert recipe["inputs"] == {"picture": picture}
    again = served.wait(served.job("dream", inputs=recipe["inputs"], **recipe["options"])["id"])
    assert file_of(served, again["result"]).read_bytes()[-4000:] == data[-4000:]


def test_a_stop_keeps_what_is_there(served: Served, picture: str) -> None:
    options = {**DREAM, "steps": 4000, "size": 384}
    job = served.job("dream", inputs={"picture": picture}, **options)
    served.follow(job["id"], lambda one: one["step"] >= 3)
    began = time.monotonic()
    assert served.call("POST", f"/api/jobs/{job['id']}/stop").status == 202
    done = served.wait(job["id"], "stopped")
    assert time.monotonic() - began < 5  # half a second where nothing else runs: see the bench
    file = file_of(served, done["result"])
    assert belamy.read_recipe(file).step == done["step"]
    row = served.call("GET", f"/api/results/{done['result']}/info").json
    assert row["state"] == "stopped"


def test_a_long_step_does_not_hold_a_stop_up(served: Served, picture: str) -> None:
    """What was there before the step is saved while the step is still at work."""
    options = {"layer": "mixed4c", "size": 1024, "octaves": 1, "steps": 50}
    job = served.job("dream", inputs={"picture": picture}, **options)
    served.follow(job["id"], lambda one: one["step"] >= 1)
    served.call("POST", f"/api/jobs/{job['id']}/stop")
    done = served.wait(job["id"], "stopped")
    assert done["result"]
    quick = served.wait(served.job("dream", inputs={"picture": picture}, **DREAM)["id"])
    assert quick["result"]


def test_waiting_jobs_have_places_and_can_be_stopped(served: Served, picture: str) -> None:
    long = served.job("dream", inputs={"picture": picture}, **{**DREAM, "steps": 4000})
    # The worker may still give back what the job before took.
    served.follow(long["id"], lambda one: one["step"] >= 1)
    second, third = (served.job("dream", **NOISE) for _ in range(2))
    places = {one["id"]: one["position"] for one in served.call("GET", "/api/jobs").json}
    assert (places[long["id"]], places[second["id"]], places[third["id"]]) == (0, 1, 2)
    assert served.call("POST", f"/api/jobs/{second['id']}/stop").json["state"] == "stopped"
    assert served.call("GET", f"/api/jobs/{third['id']}").json["position"] == 1
    for job in (third, long):
        served.call("POST", f"/api/jobs/{job['id']}/stop")
    served.wait(long["id"], "stopped")


def test_a_failure_is_one_line(served: Served, picture: str) -> None:
    job = served.job("dream", inputs={"picture": picture}, layer="mixed9z", size=64)
    message = served.wait(job["id"], "failed")["message"]
    assert "mixed9z" in message
    assert "\n" not in message


def test_a_killed_worker_is_replaced(served: Served, picture: str) -> None:
    job = served.job("dream", inputs={"picture": picture}, **{**DREAM, "steps": 4000})
    served.follow(job["id"], lambda one: one["step"] >= 1)
    worker = worker_of(served)
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    assert "killed" in served.wait(job["id"], "failed")["message"]
    began = time.monotonic()
    again = served.job("dream", inputs={"picture": picture}, **DREAM)
    served.follow(again["id"], lambda one: one["state"] != "waiting")
    assert time.monotonic() - began < 5
    served.wait(again["id"])
    assert worker_of(served) != worker


def test_faces_are_painted_and_edited_by_what_they_were_drawn_from(served: Served) -> None:
    wall = served.wait(served.job("gan_paint", count=2, seed=3, sheet=False)["id"])
    assert len(wall["results"]) == 2
    row = served.call("GET", f"/api/results/{wall['results'][1]}/info").json
    assert row["latents"]
    inputs = {"latents": [wall["results"][1]]}
    job = served.job("gan_edit", inputs=inputs, direction=1, amount=2.0)
    assert served.wait(job["id"])["result"]


def test_a_walk_is_a_film(served: Served) -> None:
    job = served.job("gan_walk", stops=2, seconds=0.4, fps=10.0)
    done = served.wait(job["id"])
    answer = served.call("GET", f"/api/results/{done['result']}")
    assert answer.headers["content-type"] in ("video/mp4", "image/gif")


def test_a_picture_is_classified(served: Served, picture: str) -> None:
    job = served.job("classify", inputs={"picture": picture}, model="iris", top=3)
    answer = served.wait(job["id"])["answer"]
    assert len(answer) == 3
    assert answer[0]["probability"] >= answer[1]["probability"]


def test_deleted_results_lie_in_the_bin(served: Served) -> None:
    row = served.call("GET", "/api/results").json[0]
    assert served.call("DELETE", f"/api/results/{row['id']}").status == 200
    assert (served.home / "bin" / row["name"]).is_file()
    assert row["id"] not in [one["id"] for one in served.call("GET", "/api/results").json]
    assert served.call("GET", row["url"]).status == 200  # the page may still show it
    assert served.call("POST", f"/api/results/{row['id']}/restore").status == 200
    assert (served.home / "results" / row["name"]).is_file()


def test_the_server_never_loads_torch(served: Served) -> None:
    maps = Path(f"/proc/{served.process.pid}/maps").read_text()
    assert not [line for line in maps.splitlines() if "torch" in line or "numpy" in line]
    assert memory_of(served.process.pid) < 110  # after all of the above


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    first = start(tmp_path)
    try:
        first.call("PUT", "/api/settings", {"theme": "dark"})
        first.call("PUT", "/api/presets/dream/mine", {"options": {"layer": "mixed3b"}})
        running = first.job("dream", **NOISE, steps=3000)
        waiting = first.job("dream", **NOISE, steps=2, seed=5)
        until(lambda: first.call("GET", f"/api/jobs/{running['id']}").json["state"] == "working")
        worker = worker_of(first)
    finally:
        first.kill()  # as a power cut would
    assert worker is not None
    until(lambda: not Path(f"/proc/{worker}").exists())  # it ends with its server
    with studio(tmp_path) as second:
        jobs = {one["id"]: one for one in second.call("GET", "/api/jobs").json}
        assert jobs[running["id"]]["state"] in ("loading", "working")  # begun anew
        assert jobs[waiting["id"]]["state"] == "waiting"
        assert second.call("GET", "/api/settings").json == {"theme": "dark"}
        assert second.call("GET", "/api/presets").json[0]["name"] == "mine"
        second.call("POST", f"/api/jobs/{running['id']}/stop")
        second.wait(running["id"], "stopped")
        done = second.wait(waiting["id"])
        assert second.call("GET", f"/api/results/{done['result']}").status == 200


def test_two_studios_do_not_share_a_folder(tmp_path: Path) -> None:
    with studio(tmp_path) as first:
        command = [sys.executable, "-m", "belamy", "studio", "--no-open", "--folder"]
        again = subprocess.run(
            [*command, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
        )
        assert again.returncode == 0
        link = again.stdout.split()[-1]  # a fresh link to the one that is open
        assert link.startswith(f"http://127.0.0.1:{first.port}/?token=")
        answer = first.call("GET", link.partition(str(first.port))[2], key=False)
        assert answer.status == 303
        assert first.stop() in (0, -2, 130)
