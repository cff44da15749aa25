"""`belamy doctor`: what is installed here, and what runs where."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from belamy import __version__
from belamy.cli.groups import one_line
from belamy.cli.outputs import require_folder
from belamy.errors import OptionError

__all__ = ["app"]

app = typer.Typer()

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:.*extra == ['\"](?P<extra>[\w-]+)['\"])?")
_OLDER_PYTHON = re.compile(r"python_version *< *['\"](\d+)\.(\d+)")
_GIBIBYTE = 1 << 30
_BUILT_FOR_GPU = re.compile(r"^(?:cuda|hip|xpu)\b[^=\n]*= *['\"]", re.MULTILINE)
_DRIVERS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")  # dxg is Windows' own, of WSL


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Say what is installed here and what runs where; exit with 1 if something is amiss."""
    found = _examination()
    typer.echo(json.dumps(found, indent=2) if as_json else _readable(found))
    if found["problems"]:
        raise typer.Exit(1)


def _examination() -> dict[str, Any]:
    """All that doctor looks at, as plain JSON; "problems" says in sentences what is amiss."""
    problems: list[str] = []
    versions, extras = _packages(problems)
    return {
        "belamy": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": versions,
        "extras": extras,
        "device": _device(),
        "threads": _threads(),
        "memory": _memory(),
        "networks": _networks(problems),
        "folders": _folders(problems),
        "problems": problems,
    }


def _packages(problems: list[str]) -> tuple[dict[str, str], dict[str, Any]]:
    """The versions of what belamy needs, and which extras are complete: out of its own metadata."""
    from importlib import metadata  # which brings the modules of e-mail

    try:
        ours = metadata.distribution("belamy")
    except metadata.PackageNotFoundError:
        problems.append("belamy is not installed as a package; run: pip install -e .")
        return {}, {}
    groups: dict[str, dict[str, str | None]] = {"": {}}
    groups |= {extra: {} for extra in ours.metadata.get_all("Provides-Extra") or []}
    for requirement in ours.requires or []:
        older = _OLDER_PYTHON.search(requirement)
        if older and sys.version_info[:2] >= (int(older[1]), int(older[2])):
            continue  # it is needed by a Python before this one
        if found := _REQUIREMENT.match(requirement):
            groups[found["extra"] or ""][found["name"]] = _version(found["name"])
    needed = groups.pop("")
    missing = [name for name, version in needed.items() if version is None]
    problems += [f"{name} is not installed; run: pip install {name}" for name in missing]
    versions = {name: version for name, version in needed.items() if version is not None}
    return versions, {extra: _extra(packages) for extra, packages in groups.items()}


def _extra(packages: dict[str, str | None]) -> dict[str, Any]:
    missing = [name for name, version in packages.items() if version is None]
    return {"installed": not missing, "missing": missing}


def _version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _device() -> dict[str, Any]:
    """torch is asked only where it could find a GPU: to load it takes seconds."""
    if not _may_have_gpu():
        return {"chosen": "cpu", "cuda": [], "mps": False}
    import torch

    from belamy.devices import choose_device

    count = torch.cuda.device_count()
    return {
        "chosen": str(choose_device()),
        "cuda": [torch.cuda.get_device_name(index) for index in range(count)],
        "mps": torch.backends.mps.is_available(),
    }


def _may_have_gpu() -> bool:
    """Whether torch was built for GPUs, and a driver for one may be here."""
    if sys.platform == "darwin":
        return platform.machine() == "arm64"
    found = importlib.util.find_spec("torch")
    folders = (found.submodule_search_locations if found is not None else None) or ()
    versions = [Path(folder) / "version.py" for folder in folders]
    texts = [path.read_text("utf-8", "replace") for path in versions if path.is_file()]
    if found is None or (texts and not any(_BUILT_FOR_GPU.search(text) for text in texts)):
        return False
    return not sys.platform.startswith("linux") or any(map(os.path.exists, _DRIVERS))


def _threads() -> dict[str, Any]:
    """How many torch takes by itself, unless its variables say another number."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    limits = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")]
    limit = next((int(text) for text in limits if text.isdecimal() and int(text) > 0), None)
    return {"limit": limit, "cores": usable}


def _memory() -> dict[str, float | None]:
    """In GiB; None where the system does not say."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if _has_sysconf() else None
    information = Path("/proc/meminfo")
    text = information.read_text() if information.exists() else ""
    free = re.search(r"MemAvailable: *(\d+) kB", text)
    return {
        "total": None if total is None else round(total / _GIBIBYTE, 1),
        "available": None if free is None else round(int(free[1]) * 1024 / _GIBIBYTE, 1),
    }


def _has_sysconf() -> bool:
    return "SC_PHYS_PAGES" in getattr(os, "sysconf_names", ())


def _networks(problems: list[str]) -> list[dict[str, Any]]:
    """Backbones, and what else is inside the package."""
    from belamy.networks.files.cache import embedded_path, get_status
    from belamy.networks.registry import embedded_names, names_of

    states = [get_status(name) for name in names_of("backbone")]
    found = [{"name": one.name, "state": one.state, "megabytes": one.megabytes} for one in states]
    for name in embedded_names():
        path = embedded_path(name)
        if not path.is_file():
            problems.append(
                f"the network {name} is not in this copy of belamy; install belamy again"
            )
        elif name not in names_of("backbone"):
            size = path.stat().st_size / 2**20
            found.append({"name": name, "state": "embedded", "megabytes": size})
    return found


def _folders(problems: list[str]) -> dict[str, dict[str, Any]]:
    from belamy.files import cache_folder

    found: dict[str, dict[str, Any]] = {}
    for name, folder in (("cache", cache_folder()), ("here", Path.cwd())):
        try:
            require_folder(folder)
            writable = True
        except OptionError as error:
            problems.append(str(error))
            writable = False
        found[name] = {"path": str(folder), "writable": writable}
    return found


def _readable(found: dict[str, Any]) -> str:
    device, memory, threads = found["device"], found["memory"], found["threads"]
    others = [*device["cuda"], *(["Apple MPS"] if device["mps"] else [])]
    rows = [
        ("belamy", f"{found['belamy']} on Python {found['python']}, {found['system']}"),
        ("device", f"{device['chosen']}  ({', '.join(others) or 'no GPU that torch can use'})"),
        ("threads", _thread_row(threads)),
        ("memory", f"{_gibibytes(memory['available'])} free of {_gibibytes(memory['total'])}"),
        *((name, version) for name, version in found["packages"].items()),
        *((f"[{extra}]", _extra_row(state)) for extra, state in found["extras"].items()),
        *((one["name"], _network_row(one)) for one in found["networks"]),
        *((name, _folder_row(folder)) for name, folder in found["folders"].items()),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {text}" for name, text in rows]
    amiss = [f"amiss: {one_line(problem)}" for problem in found["problems"]]
    return "\n".join([*lines, "", *(amiss or ["all is well"])])


def _thread_row(threads: dict[str, Any]) -> str:
    limit = threads["limit"]
    return f"{threads['cores']} cores" + ("" if limit is None else f", {limit} of them used")


def _gibibytes(amount: float | None) -> str:
    return "unknown" if amount is None else f"{amount} GiB"


def _extra_row(state: dict[str, Any]) -> str:
    return "installed" if state["installed"] else f"not installed: {', '.join(state['missing'])}"


def _network_row(state: dict[str, Any]) -> str:
    size = "" if state["megabytes"] is None else f", {state['megabytes']:.1f} MB"
    return f"{state['state']}{size}"


def _folder_row(folder: dict[str, Any]) -> str:
    return f"{one_line(folder['path'])}{'' if folder['writable'] else '  (cannot be written)'}"
