"""Networks, built from their own files: the registry (`registry`) says what there is, `find` and
`load` give any of them by name or path, and `backbone` looks through those that classify."""

from __future__ import annotations
