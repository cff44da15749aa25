"""The command starts its process anew, with memory set up for large pictures."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from belamy.__main__ import computes
from belamy.memory import has_glibc, memory_settings

glibc = pytest.mark.skipif(not has_glibc(), reason="needs GNU's C library")

# What a command says of its process: the number before and after, and a setting.
WATCH = """
import os, sys
sys.argv = ["belamy", *sys.argv[1:]]
import belamy.cli
names = "GLIBC_TUNABLES", "OMP_WAIT_POLICY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
settings = [os.environ.get(name, "none") for name in names]
belamy.cli.main = lambda: print(os.getpid(), settings[0], sys.argv[1:], *settings[1:])
print(os.getpid(), flush=True)
import belamy.__main__
belamy.__main__.main()
"""


def watch(*arguments: str, **settings: str) -> list[str]:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-c", WATCH, *arguments]
    done = subprocess.run(
        command, env={**environment, **settings}, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


@glibc
def test_a_command_that_computes_begins_again_in_the_same_process() -> None:
    first, second, last = watch("dream", "a b.jpg")
    assert first == second
    number, setting, arguments = last.split(" ", 2)
    assert number == first
    assert setting.startswith("glibc.malloc.mmap_threshold=")
    assert arguments == "['dream', 'a b.jpg'] PASSIVE 16"


@pytest.mark.parametrize(
    "arguments", [["--version"], ["dream", "--help"], ["models", "list"], ["learn", "neuron"], []]
)
def test_others_begin_at_once(arguments: list[str]) -> None:
    assert not computes(arguments)
    assert len(watch(*arguments)) == 2


@glibc
def test_settings_of_the_users_own_are_kept() -> None:
    *_, first, last = watch("dream", "x.jpg", GLIBC_TUNABLES="glibc.malloc.check=0")
    assert last.split()[:2] == [first, "glibc.malloc.check=0"]


@glibc
def test_strips_keep_small_blocks_alone() -> None:
    """A whole picture is given back, lest it leave holes that nothing fits into."""
    *_, dream = watch("dream", "x.jpg")
    for arguments in (["style", "apply", "x"], ["defog", "x.jpg"], ["translate", "apply", "x"]):
        *_, other = watch(*arguments)
        assert f"mmap_threshold={64 << 20}:" in other
        assert f"mmap_threshold={4 << 30}:" in dream


@glibc
def test_it_begins_again_but_once() -> None:
    assert len(watch("defog", "x.jpg")) == 3


@glibc
def test_what_the_user_sets_stays_and_the_rest_is_added() -> None:
    assert set(memory_settings()) == {
        "GLIBC_TUNABLES",
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY",
        "OMP_WAIT_POLICY",
    }
    *_, last = watch("dream", "x.jpg", OMP_WAIT_POLICY="ACTIVE")
    assert last.endswith("ACTIVE 16")
