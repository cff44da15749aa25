"""The texts of the tour, and the page that is made of them and of the pictures."""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from belamy.errors import UnknownName
from belamy.tour.stops import STOPS, Stop

__all__ = ["LANGUAGES", "Visit", "make_page", "read_texts"]

LANGUAGES = {"en": "English", "it": "italiano"}

_MARK = re.compile(r"^<!-- stop: (\w+) -->\n", re.MULTILINE)


@dataclass(frozen=True)
class Visit:
    """What happened at a stop.

    Args:
        stop: which.
        lines: the commands, as typed.
        said: what they printed.
        pictures: the files shown; empty where a command failed.
        seconds: how long they took.
    """

    stop: Stop
    lines: tuple[str, ...]
    said: str
    pictures: tuple[Path, ...]
    seconds: float
    failed: str = field(default="")


def read_texts(language: str) -> dict[str, str]:
    """Stop → its text in Markdown; under "" what comes before the first stop.

    Raises:
        UnknownName: there is no text in this language.
    """
    if language not in LANGUAGES:
        raise UnknownName("language", language, LANGUAGES)
    source = resources.files("belamy.tour").joinpath(f"{language}.md").read_text("utf-8")
    opening, *parts = _MARK.split(source)
    found = dict(zip(parts[::2], (part.strip() for part in parts[1::2]), strict=True))
    assert list(found) == [stop.key for stop in STOPS], f"{language}.md has other stops"
    return {"": opening.strip(), **found}


def make_page(language: str, visits: Sequence[Visit]) -> str:
    """One HTML page that needs no other file: the texts, the commands, what they printed and the
    pictures, which lie within it."""
    from markdown_it import MarkdownIt

    words, markdown = read_texts(language), MarkdownIt()
    sections = [
        _SECTION.format(
            key=visit.stop.key,
            text=markdown.render(words[visit.stop.key]),
            lines=html.escape("\n".join(visit.lines)),
            said=_format_output(visit),
            pictures="\n".join(_figure(path) for path in visit.pictures),
        )
        for visit in visits
    ]
    contents = "\n".join(
        f'<li><a href="#{visit.stop.key}">{html.escape(_title(words[visit.stop.key]))}</a></li>'
        for visit in visits
    )
    return _PAGE.format(
        language=language,
        title=html.escape(_title(words[""])),
        opening=markdown.render(words[""]),
        contents=contents,
        sections="\n".join(sections),
    )


def _title(text: str) -> str:
    return text.partition("\n")[0].lstrip("# ")


def _format_output(visit: Visit) -> str:
    wrong = f'<p class="failed">{html.escape(visit.failed)}</p>' if visit.failed else ""
    said = f"<pre class=said>{html.escape(visit.said)}</pre>" if visit.said else ""
    return wrong + said


def _figure(path: Path) -> str:
    kind = "gif" if path.suffix.lower() == ".gif" else "png"
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    name = html.escape(path.name)
    return (
        f'<figure><img src="data:image/{kind};base64,{data}" alt="{name}">'
        f"<figcaption>{name}</figcaption></figure>"
    )


_SECTION = """<section id="{key}">
{text}
<pre class=line>{lines}</pre>
{said}
<div class=pictures>
{pictures}
</div>
</section>"""

_PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
body {{ font: 17px/1.6 Georgia, "Times New Roman", serif; margin: 3rem auto; max-width: 46rem;
  padding: 0 1rem; background: #f6f5f2; color: #2c2a27; }}
h1, h2 {{ font-weight: normal; line-height: 1.25; }}
h2 {{ margin-top: 4rem; border-top: 1px solid #cfcac0; padding-top: 1.5rem; }}
a {{ color: inherit; }}
blockquote {{ margin: 1.2rem 0; padding: .4rem 1.2rem; border-left: 3px solid #b08d3c;
  font-style: italic; overflow-x: auto; }}
pre {{ font: 13.5px/1.5 ui-monospace, monospace; padding: .7rem 1rem; overflow-x: auto;
  white-space: pre-wrap; }}
pre.line {{ background: #2c2a27; color: #f3efe6; border-radius: 4px; }}
pre.said {{ background: #eae6dd; border-radius: 4px; max-height: 24rem; overflow-y: auto; }}
.failed {{ color: #a33; }}
.pictures {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(18rem, 1fr));
  gap: 1rem; }}
figure {{ margin: 0; }}
img {{ width: 100%; display: block; }}
figcaption {{ font: 12px/1.6 ui-monospace, monospace; color: #8a857b; }}
</style>
{opening}
<nav><ol>
{contents}
</ol></nav>
{sections}
</html>
"""
