"""belamy's engines as nodes of ComfyUI: this folder goes into its `custom_nodes`.

ComfyUI loads it by its path, whatever the folder is called there.
"""

from __future__ import annotations

try:
    import belamy
except ImportError as error:  # a message that says what to do, in ComfyUI's log
    raise ImportError(
        "the Python that runs ComfyUI has no belamy; install it there: python -m pip install belamy"
    ) from error

from .nodes import Defog, Dream, Node, Paint, Style

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]

__version__ = belamy.__version__

NODE_CLASS_MAPPINGS: dict[str, type[Node]] = {
    "BelamyDream": Dream,
    "BelamyStyle": Style,
    "BelamyDefog": Defog,
    "BelamyPaint": Paint,
}

NODE_DISPLAY_NAME_MAPPINGS = {
    "BelamyDream": "Dream (belamy)",
    "BelamyStyle": "Paint in a style (belamy)",
    "BelamyDefog": "Take fog away (belamy)",
    "BelamyPaint": "Paint portraits (belamy)",
}
