"""A page of pictures before and after, in one file that can be sent to somebody."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path
from string import Template

from belamy.cli.existing import require_ours
from belamy.cli.inputs import read_source
from belamy.cli.outputs import Job, require_folder
from belamy.errors import OptionError

__all__ = ["require_page", "write_gallery"]

_SIDE = 720  # pixels of the longer side of a picture on the page
_QUALITY = 88
_SUFFIXES = (".html", ".htm")

_MARK = b'content="belamy"'
_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="generator" content="belamy">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
  body { margin: 0 auto; max-width: 92rem; padding: 2rem 1.5rem; background: #f6f5f2;
         color: #3c3b39; font: 1rem/1.5 system-ui, sans-serif; }
  h1 { font-size: 1.25rem; font-weight: 500; }
  figure { display: grid; grid-template-columns: 1fr 1fr; gap: .75rem; margin: 0 0 2.5rem; }
  img { width: 100%; height: auto; display: block; }
  figcaption { grid-column: 1 / -1; color: #77756f; font-size: .9rem; }
  @media (max-width: 40rem) { figure { grid-template-columns: 1fr; } }
  @media (prefers-color-scheme: dark) { body { background: #1c1b1a; color: #d8d6d0; } }
</style>
<h1>$title</h1>
$figures
</html>
""")
_FIGURE = Template("""<figure>
  <img src="$before" alt="$name, before">
  <img src="$after" alt="$name, after">
  <figcaption>$name</figcaption>
</figure>""")


def require_page(path: Path, overwrite: bool = False) -> None:
    """Check that a page can be written at `path`.

    Args:
        overwrite: whether it may replace a file that is none of these pages.

    Raises:
        OptionError: the suffix is not .html, the folder cannot be written, or it would replace one.
    """
    if path.suffix.lower() not in _SUFFIXES:
        raise OptionError(f"{path} does not end in .html, as a page does; name it so")
    require_folder(path.parent)
    require_ours(path, _MARK, overwrite)


def write_gallery(path: Path, jobs: Sequence[Job], *, title: str) -> None:
    """Write a page of what was made of what. It holds smaller copies of the pictures.

    Args:
        path: an .html file, replaced whole.
        jobs: done.
        title: of the page.

    Raises:
        ImageError: a picture cannot be read.
        BelamyError: the page cannot be written.
    """
    from belamy.files import printable, write_text

    figures = [
        _FIGURE.substitute(
            name=html.escape(printable(job.source.name)),
            before=_inline(job.source),
            after=_inline(job.target),
        )
        for job in jobs
    ]
    write_text(path, _PAGE.substitute(title=html.escape(title), figures="\n".join(figures)))


def _inline(source: Path) -> str:
    """The picture as a `data:` address; out of a zip, too."""
    from belamy.pixels.images import fit, load_image, resize, to_pil

    image = load_image(read_source(source))
    height, width = image.shape[-2:]
    if max(height, width) > _SIDE:
        image = resize(image, fit(height, width, _SIDE))
    file = io.BytesIO()
    to_pil(image).save(file, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
