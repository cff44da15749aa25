"""Run folders: whole, or refused in one line."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

import belamy
from belamy import renamed
from belamy.errors import BelamyError, RunError
from belamy.training.run_folder import KEPT, Run, create_run, next_folder, open_run

STATE = {"a": torch.arange(1000.0)}, {"optimizer": {"groups": [1, 2]}}


@dataclass(frozen=True)
class Config:
    size: int = 3
    parts: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        parts = tuple((int(size), float(epochs)) for size, epochs in self.parts)
        object.__setattr__(self, "parts", parts or ((32, 1.0),))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path / "run", "test", Config())


def test_a_new_run_says_what_was_asked(run: Run) -> None:
    told = json.loads((run.folder / "config.json").read_text())
    assert told["kind"] == "test"
    assert told["belamy"] == belamy.__version__
    assert told["config"] == {"size": 3, "parts": [[32, 1.0]]}
    assert run.samples.is_dir()
    assert run.load_config("test", Config) == Config()


def test_the_same_configuration_opens_the_run_again(run: Run) -> None:
    assert open_run(run.folder, "test", Config()) == run


def test_another_configuration_is_refused(run: Run) -> None:
    with pytest.raises(RunError, match="was started with size 3, not 4; resume it as it was"):
        open_run(run.folder, "test", Config(size=4))
    with pytest.raises(RunError, match="is a run of test, not of other"):
        open_run(run.folder, "other", Config())


@dataclass(frozen=True)
class Stepped:
    steps: int = 10


def test_a_run_is_prolonged_by_the_first_process_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = create_run(tmp_path / "run", "test", Stepped())
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert run.prolong("test", Stepped, 20) == Stepped(20)
    assert run.load_config("test", Stepped) == Stepped(10)
    monkeypatch.setenv("RANK", "0")
    with run.lock(), pytest.raises(RunError, match="another process is training"):
        run.prolong("test", Stepped, 20)
    assert run.prolong("test", Stepped, 20) == run.load_config("test", Stepped) == Stepped(20)
    with pytest.raises(RunError, match="has 20 steps, and 19 are fewer"):
        run.prolong("test", Stepped, 19)


def test_an_option_that_came_later_counts_as_its_default(run: Run) -> None:
    path = run.folder / "config.json"
    told = json.loads(path.read_text())
    del told["config"]["parts"]
    path.write_text(json.dumps(told))
    assert open_run(run.folder, "test", Config()) == run
    with pytest.raises(RunError, match="was started with parts"):
        open_run(run.folder, "test", Config(parts=((8, 1.0),)))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a run folder"),
        ("[]", "not a run folder"),
        ('{"schema": 1}', "not a run folder"),
        ('{"schema": 1, "kind": "test", "config": 3}', "not a run folder"),
        ('{"schema": 99, "kind": "test", "config": {}}', "another version"),
        ('{"schema": 1, "kind": "test", "config": {"colour": 1}}', "does not know.*colour"),
    ],
)
def test_a_folder_of_something_else_is_refused(run: Run, text: str, said: str) -> None:
    (run.folder / "config.json").write_text(text)
    with pytest.raises(RunError, match=said):
        open_run(run.folder, "test", Config())


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(RunError, match="is not empty"):
        open_run(tmp_path, "test", Config())
    with pytest.raises(RunError, match="cannot be a run folder: Not a directory"):
        open_run(tmp_path / "letter.txt", "test", Config())


def test_a_run_killed_at_its_birth_can_be_begun_again(tmp_path: Path) -> None:
    (tmp_path / ".0123.part.json").write_text("{")
    assert open_run(tmp_path, "test", Config()).checkpoints.is_dir()


def test_checkpoints_come_back(run: Run) -> None:
    run.save(7, STATE)
    tensors, structure = run.load(7)
    assert torch.equal(tensors["a"], STATE[0]["a"])
    assert structure == STATE[1]
    newest = run.load_newest()
    assert newest is not None
    assert (newest.step, newest.damaged) == (7, ())


def test_only_the_last_checkpoints_are_kept(run: Run) -> None:
    for step in (1, 5, 20, 100):
        run.save(step, STATE)
    assert run.saved_steps() == [20, 100][-KEPT:]


@pytest.mark.parametrize("size", [0, 3, 100, 2000])
def test_a_truncated_checkpoint_gives_way_to_the_one_before(run: Run, size: int) -> None:
    run.save(1, STATE)
    path = run.save(2, STATE)
    path.write_bytes(path.read_bytes()[:size])
    newest = run.load_newest()
    assert newest is not None
    assert (newest.step, newest.damaged) == (1, (path.name,))
    with pytest.raises(RunError, match=r"step-0000002\.safetensors is damaged"):
        run.load(2)


def test_when_all_are_damaged_it_is_said(run: Run) -> None:
    run.save(1, STATE).write_bytes(b"")
    with pytest.raises(RunError, match=r"all damaged \(step-0000001\.safetensors\)"):
        run.load_newest()


def test_a_full_disk_leaves_the_checkpoint_before(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.save(1, STATE)

    def full(path: Path, *_: object) -> None:
        path.write_bytes(b"half of it")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("belamy.training.run_folder.write_tensors", full)
    with pytest.raises(RunError, match=r"No space left on device.*resume the run") as caught:
        run.save(2, STATE)
    assert "\n" not in str(caught.value)
    assert run.saved_steps() == [1]
    assert [path.name for path in run.checkpoints.iterdir()] == ["step-0000001.safetensors"]


def test_a_log_that_cannot_be_written_is_said(run: Run) -> None:
    (run.folder / "log.jsonl").mkdir()
    with pytest.raises(RunError, match=r"cannot write .*log\.jsonl"):
        run.log({"step": 1})


def test_history_leaves_out_what_a_crash_cut_short(run: Run) -> None:
    run.log({"step": 1, "loss": 0.1})
    run.log({"step": 2, "loss": 1 / 3})
    with (run.folder / "log.jsonl").open("a") as file:
        file.write('3\n{"loss": 1}\n{"step": 3, "lo')
    assert run.history() == [{"step": 1, "loss": 0.1}, {"step": 2, "loss": 1 / 3}]
    assert run.history(before=1) == [{"step": 1, "loss": 0.1}]


def test_rewinding_forgets_what_came_later(run: Run) -> None:
    for step in (1, 2):
        run.log({"step": step, "loss": 1 / (step + 2)})
        run.save(step, STATE)
    kept = (run.folder / "log.jsonl").read_text().splitlines(keepends=True)[0]
    scraps = [
        run.checkpoints / ".0123456789abcdef.part.safetensors",
        run.folder / ".0123456789abcdef.part.jsonl",
    ]
    for scrap in scraps:
        scrap.write_bytes(b"half")
    run.rewind(1)
    assert (run.folder / "log.jsonl").read_text() == kept
    assert run.saved_steps() == [1]
    assert not any(scrap.exists() for scrap in scraps)


def test_only_one_process_trains_in_a_folder(run: Run) -> None:
    pytest.importorskip("fcntl")
    with run.lock(), pytest.raises(RunError, match="another process is training"), run.lock():
        pass
    with run.lock():
        pass


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BelamyError, match="cannot"):
        create_run(tmp_path / "file" / "run", "test", Config())


def test_folders_are_numbered(tmp_path: Path) -> None:
    assert next_folder(tmp_path, "a") == tmp_path / "00000-a"
    (tmp_path / "00007-b").mkdir()
    (tmp_path / "notes").mkdir()
    assert next_folder(tmp_path, "a") == tmp_path / "00008-a"


def test_a_run_of_old_names_is_read_by_those_of_today(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run.folder / "config.json"
    path.write_text(path.read_text().replace('"size": 3', '"width": "three"'))
    run.save(4, ({"network/old/weight": torch.ones(2)}, {"old": {"groups": []}}))
    run.log({"step": 2, "certainty": 0.5, "seconds": 1.0})
    monkeypatch.setitem(renamed.CONFIGS, "test", {"width": "size"})
    monkeypatch.setitem(renamed.VALUES, ("test", "width"), {"three": 3})
    monkeypatch.setitem(renamed.STATES, "test", {"old": "new"})
    monkeypatch.setitem(renamed.MEASURES, "test", {"certainty": "sign"})
    assert open_run(run.folder, "test", Config()) == run
    newest = run.load_newest()
    assert newest is not None
    assert list(newest.state[0]) == ["network/new/weight"]
    assert list(newest.state[1]) == ["new"]
    assert run.history() == [{"step": 2, "sign": 0.5, "seconds": 1.0}]


def test_a_folder_without_a_configuration_is_of_no_type(tmp_path: Path) -> None:
    assert Run(tmp_path).run_type == ""
    (tmp_path / "config.json").write_text("[1]")
    assert Run(tmp_path).run_type == ""


def test_processes_that_ask_at_once_get_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:  # each opens the folder anew, and so has a lock of its own
        folders = list(pool.map(lambda index: next_folder(tmp_path, f"run-{index % 2}"), range(40)))
    assert sorted(int(folder.name[:5]) for folder in folders) == list(range(40))
    assert all(folder.is_dir() for folder in folders)


def test_of_two_that_begin_in_one_folder_one_is_refused(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    (run.folder / "config.json").unlink()
    with run.lock(), pytest.raises(RunError, match="another process is training"):
        open_run(run.folder, "test", Config())


def test_a_lock_ends_with_its_process(run: Run) -> None:
    pytest.importorskip("fcntl")
    code = (
        "import sys, time; from pathlib import Path; from belamy.training.run_folder import Run\n"
        "with Run(Path(sys.argv[1])).lock():\n    print('locked', flush=True); time.sleep(60)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", code, str(run.folder)], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        with pytest.raises(RunError, match="another process is training"), run.lock():
            pass
        process.kill()
        process.wait()
    with run.lock():
        pass


def test_a_long_name_still_makes_a_folder(tmp_path: Path) -> None:
    assert next_folder(tmp_path, "é" * 300).name == "00000-" + "é" * 60


def test_a_root_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(RunError, match="name another with --run"):
        next_folder(tmp_path / "runs", "a")
