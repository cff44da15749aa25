"""A training on a folder below a root: started, watched, stopped, resumed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.studio.serving import studio

OPTIONS = {"architecture": "vanilla", "size": 16, "batch": 8, "width": 0.25}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    folder = tmp_path / "root" / "faces"
    folder.mkdir(parents=True)
    for number in range(24):
        pixels = rng.integers(0, 255, (20, 20, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (tmp_path / "outside").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "root" / ".hidden").mkdir()
    return tmp_path / "root"


def test_a_network_is_trained_on_a_folder(tmp_path: Path, root: Path) -> None:
    with studio(tmp_path / "home", roots=(root,)) as served:
        folders = {one["name"]: one for one in served.call("GET", "/api/folders").json}
        assert {"root", "root/faces"} <= folders.keys()
        assert not [name for name in folders if "link" in name or "hidden" in name]
        assert folders["root/faces"]["pictures"] == 24
        inputs = {"folder": folders["root/faces"]["id"]}
        job = served.job("train_gan", inputs=inputs, **OPTIONS, steps=5000)
        found = served.follow(job["id"], lambda one: one["step"] >= 100)  # there is a sample
        assert found["losses"]
        served.call("POST", f"/api/jobs/{job['id']}/stop")
        stopped = served.wait(job["id"], "stopped")
        assert "goes on" in stopped["message"]
        (sample,) = stopped["results"]
        assert served.call("GET", f"/api/results/{sample}").headers["content-type"] == "image/png"
        again = served.call("POST", f"/api/jobs/{job['id']}/resume")
        assert again.status == 202
        first = served.follow(again.json["id"], lambda one: one["step"])
        assert first["step"] >= stopped["step"]
        assert len(list((served.home / "runs").iterdir())) == 1
        served.call("POST", f"/api/jobs/{again.json['id']}/stop")
        served.wait(again.json["id"], "stopped")
        assert served.call("POST", "/api/jobs/0123456789ab/resume").status == 404
        refused = served.call(
            "POST",
            "/api/jobs",
            {"engine": "train_gan", "inputs": {"folder": "0123456789abcdef"}, "options": OPTIONS},
        )
        assert refused.status == 404
