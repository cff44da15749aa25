"""Any torch module, and timm's, looked through as belamy's own backbones are."""

from __future__ import annotations
