"""Two hosts train together: two network namespaces with a cable between them, as docs/cluster.md
starts them. One dies; nothing is lost but the steps since the last checkpoint."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow  # two minutes: five processes load torch, three times

NAME = f"bl{os.getpid() % 100000}"
HOSTS = {f"{NAME}a": "10.77.0.1", f"{NAME}b": "10.77.0.2"}
STEPS = 24  # a checkpoint every second step
TRAINING = ["gan", "train", "faces", "--steps", str(STEPS), "--size", "16", "--batch", "2"]
SMALL = ["--width", "0.1", "--device", "cpu"]


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@pytest.fixture
def hosts() -> Iterator[None]:
    """Two hosts that know each other's address and nothing else."""
    if shutil.which("ip") is None:
        pytest.skip("needs ip, of iproute2")
    first, second = HOSTS
    try:
        for host in HOSTS:
            run("ip", "netns", "add", host)
        run("ip", "link", "add", f"{first}0", "type", "veth", "peer", "name", f"{second}0")
        for host, address in HOSTS.items():
            run("ip", "link", "set", f"{host}0", "netns", host)
            run("ip", "-n", host, "address", "add", f"{address}/24", "dev", f"{host}0")
            run("ip", "-n", host, "link", "set", "lo", "up")
            run("ip", "-n", host, "link", "set", f"{host}0", "up")
    except subprocess.CalledProcessError as error:
        remove_hosts()
        pytest.skip(f"may not make network namespaces: {error.stderr.decode().strip()}")
    yield
    remove_hosts()


def remove_hosts() -> None:
    for host in HOSTS:
        kill(host)
        subprocess.run(["ip", "netns", "delete", host], check=False, capture_output=True)


def kill(host: str) -> None:
    """End all that runs on a host at once, without a word, as a power cut does."""
    found = subprocess.run(["ip", "netns", "pids", host], capture_output=True, text=True)
    for number in found.stdout.split():
        with suppress(ProcessLookupError):
            os.kill(int(number), signal.SIGKILL)


def start(host: str, folder: Path, port: int, *words: str) -> subprocess.Popen[bytes]:
    """What docs/cluster.md says to type on each host."""
    first = host == next(iter(HOSTS))
    launcher = [
        *("ip", "netns", "exec", host, sys.executable, "-m", "torch.distributed.run"),
        *("--nnodes", "2", "--nproc-per-node", "1", "--rdzv-backend", "c10d"),
        *("--rdzv-endpoint", f"{HOSTS[next(iter(HOSTS))]}:{port}", "--rdzv-id", "faces"),
        *("--rdzv-conf", f"is_host={int(first)}", "--local-addr", HOSTS[host]),
        *("-m", "belamy", "--"),
    ]
    environment = settings(folder) | {"GLOO_SOCKET_IFNAME": f"{host}0"}
    with (folder / f"{host[-1]}.log").open("wb") as log:
        return subprocess.Popen(
            [*launcher, *words], cwd=folder, env=environment, stdout=log, stderr=log
        )


def settings(folder: Path) -> dict[str, str]:
    own = {"OMP_NUM_THREADS": "1", "BELAMY_HOME": str(folder / "home")}
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(sys.path)}


def steps_of(run: Path) -> list[int]:
    log = run / "log.jsonl"
    lines = log.read_text().splitlines() if log.is_file() else []
    return [json.loads(line)["step"] for line in lines if line.endswith("}")]


def wait_for(run: Path, step: int, *processes: subprocess.Popen[bytes]) -> None:
    while max(steps_of(run), default=0) < step:
        assert all(process.poll() is None for process in processes)
        time.sleep(0.05)


def logs(folder: Path) -> str:
    return "\n".join(path.read_text()[-1500:] for path in sorted(folder.glob("*.log")))


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's network namespaces")
def test_a_host_that_dies_costs_the_steps_since_the_last_checkpoint(
    hosts: None, tmp_path: Path
) -> None:
    (tmp_path / "faces").mkdir()
    for index in range(8):
        noise = np.random.default_rng(index).integers(0, 255, (32, 32, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "faces" / f"{index}.png")
    made = tmp_path / "run"

    both = [start(host, tmp_path, 29400, *TRAINING, *SMALL, "--run", "run") for host in HOSTS]
    wait_for(made, 5, *both)
    kill(list(HOSTS)[1])
    assert both[1].wait(timeout=60) == -signal.SIGKILL
    assert both[0].wait(timeout=300) != 0  # the other one notices, and stops
    last = max(steps_of(made))
    saved = max(int(path.stem.split("-")[1]) for path in (made / "checkpoints").glob("step-*"))
    assert 4 <= saved <= last < STEPS
    assert last - saved <= 2

    both = [start(host, tmp_path, 29401, "gan", "train", "--resume", "run") for host in HOSTS]
    assert [one.wait(timeout=600) for one in both] == [0, 0], logs(tmp_path)
    assert sorted(set(steps_of(made))) == steps_of(made)  # each step is told once
    assert max(steps_of(made)) == STEPS

    # the same two processes on one machine, never disturbed, end with the same bytes
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    alone = [*launcher, "--nproc-per-node", "2", "-m", "belamy", "--", *TRAINING, *SMALL]
    subprocess.run(
        [*alone, "--run", "alone"],
        cwd=tmp_path,
        env=settings(tmp_path),
        check=True,
        capture_output=True,
    )
    networks = [tmp_path / name / "network.safetensors" for name in ("run", "alone")]
    assert networks[0].read_bytes() == networks[1].read_bytes()
