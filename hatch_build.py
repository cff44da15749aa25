"""What hatchling asks while it builds: addresses, which a checkout knows and a file cannot.

Nobody has to write the repository's address down. It is taken from `BELAMY_REPOSITORY` in the
environment, or else from the remote `origin` of the checkout, or else, when a wheel is built out of
an sdist, from what that says of itself. The links of README.md, relative in a checkout, are then
made absolute, as package indexes need them. Without an address they stay as they are.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

PICTURES = {".gif", ".jpg", ".png", ".svg", ".webp"}
LINK = re.compile(r"\]\((?!\w+:|#)(?P<path>[^)#\s]+)(?P<rest>[^)]*)\)")
SCP_LIKE = re.compile(r"[\w.-]+@(?P<host>[\w.-]+):(?P<path>[^/].*)")


class AddressHook(MetadataHookInterface):
    """Fills in `readme` and `urls`."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill them into the `project` table."""
        root = Path(self.root)
        address = find_address(root)
        text = (root / "README.md").read_text("utf-8")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": with_absolute_links(text, address) if address else text,
        }
        metadata["urls"] = urls_of(address) if address else {}


def find_address(root: Path) -> str:
    """The repository's page, https://…; empty if nobody knows it."""
    return (
        clean_address(os.environ.get("BELAMY_REPOSITORY", ""))
        or _address_in(root / "PKG-INFO")
        or clean_address(_origin(root))
    )


def clean_address(remote: str) -> str:
    """The page of what git calls a remote; empty if it has none, as a folder or a bare host."""
    found = SCP_LIKE.fullmatch(remote)
    address = f"https://{found['host']}/{found['path']}" if found else remote
    address = re.sub(r"^(?:ssh|git|http)://", "https://", address.strip())
    address = re.sub(r"^https://[^/@]*@", "https://", address).rstrip("/").removesuffix(".git")
    return address if re.fullmatch(r"https://[^/\s]+\.[^/\s]+/\S+", address) else ""


def with_absolute_links(text: str, address: str) -> str:
    """The README as a page that stands elsewhere."""

    def replace(link: re.Match[str]) -> str:
        picture = Path(link["path"]).suffix in PICTURES
        return f"]({folder(address, picture)}/{link['path']}{link['rest']})"

    return LINK.sub(replace, text)


def folder(address: str, picture: bool) -> str:
    """Where the files of the main branch are, as files or as pages."""
    dash = "/-" if "gitlab" in address else ""
    return f"{address}{dash}/{'raw' if picture else 'blob'}/HEAD"


def urls_of(address: str) -> dict[str, str]:
    """The addresses that an index shows beside the README."""
    pages = folder(address, picture=False)
    return {
        "Repository": address,
        "Issues": f"{address}/issues",
        "Documentation": f"{pages}/docs",
        "Changelog": f"{pages}/CHANGELOG.md",
    }


def _address_in(info: Path) -> str:
    """What an sdist says."""
    if not info.is_file():
        return ""
    found = re.search(r"^Project-URL: Repository, (.+)$", info.read_text("utf-8"), re.MULTILINE)
    return clean_address(found[1]) if found else ""


def _origin(root: Path) -> str:
    if not (root / ".git").exists():
        return ""
    command = ["git", "-C", str(root), "remote", "get-url", "origin"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # there is no git
        return ""
    return done.stdout.strip()
