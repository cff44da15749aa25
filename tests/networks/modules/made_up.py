"""Networks that nobody published, each with something that belamy's own do not have."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Pyramid(nn.Module):
    """A CNN that gives a dict, uses one ReLU twice, and works in place."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.relu = nn.ReLU(inplace=True)
        self.layer = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.Conv2d(8, 8, 3, 2, padding=1))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        fine = self.relu(self.norm(self.stem(x)))
        coarse = self.relu(self.layer(fine))
        return {"mean": coarse.mean(dim=(2, 3)), "fine": fine, "coarse": coarse}


class Last(nn.Module):
    """Channels last, as Swin has them, and a head for 7×7 places alone."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 5, 4, 4)
        self.blocks = nn.ModuleList(nn.Linear(5, 5) for _ in range(2))
        self.head = nn.Linear(5 * 56 * 56, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).permute(0, 2, 3, 1)  # (N, H, W, C)
        for block in self.blocks:
            x = x + F.gelu(block(x))
        return self.head(x.flatten(1))  # type: ignore[no-any-return]


class Block(nn.Module):
    """A transformer's block; gives a tuple."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)

    def forward(self, x: Tensor) -> tuple[Tensor, int]:
        y = self.norm(x)
        return x + self.attention(y, y, y, need_weights=False)[0], 0


class Transformer(nn.Module):
    """A vision transformer: one class token, two registers, 32×32 pixels and no others."""

    def __init__(self, side: int = 32, patch: int = 8, width: int = 12) -> None:
        super().__init__()
        self.side = side
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.first = nn.Parameter(torch.randn(1, 3, width))
        self.positions = nn.Parameter(torch.randn(1, (side // patch) ** 2, width))
        self.block1, self.block2 = Block(width), Block(width)
        self.head = nn.Linear(width, 7)

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[-2:] == (self.side, self.side), "pictures of one size alone"
        tokens = self.patches(x).flatten(2).transpose(1, 2) + self.positions
        tokens = torch.cat([self.first.expand(len(x), -1, -1), tokens], dim=1)
        tokens, _ = self.block1(tokens)
        tokens, _ = self.block2(tokens)
        return self.head(tokens[:, 0])  # type: ignore[no-any-return]


def make(kind: type[nn.Module]) -> nn.Module:
    """One with the same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return kind()
