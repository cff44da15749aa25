"""The training of a classifier's last layer alone, on features that are computed once.

What lies before the last layer stays as it is, so each picture passes through it once; then the
last layer is a logistic regression on what came out, whose minimum L-BFGS finds within a second.
On networks that saw all of ImageNet, features that are left as they are carry far (Kornblith,
Shlens and Le 2019, "Do better ImageNet models transfer better?", section 4.1). **Differs**: the
weight decay is given, not searched for.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from belamy.devices import autocast
from belamy.engines.classify.accuracy import count_hits, evaluation_batch, measure_hits
from belamy.engines.classify.config import ClassifyConfig
from belamy.engines.classify.initial import Start, find_head
from belamy.engines.classify.task import Stage, measured_side, summarize
from belamy.errors import OptionError
from belamy.networks.sequential import Chain
from belamy.training.crops import resample
from belamy.training.data import Labelled
from belamy.training.task import Backward, TrainingTask

__all__ = ["FeatureMemory", "HeadTask", "attach_head", "split_head"]

_MEMORY_LIMIT = 4 * 1024**3  # bytes of features; a layer that sees a grid can ask for far more
_ITERATIONS = 200  # of L-BFGS at most; a few dozen reach the minimum
# Pictures that pass through the network at once. Of 128 at 224 px, eight at a time take 2.0 CPU
# seconds, 32 take 3.4: large tensors are given back to the system and faulted in again.
_TOGETHER = 8


class FeatureMemory:
    """What the frozen part of a network makes of pictures, computed when first asked for.

    Args:
        extractor: (N, 3, S, S), normalised → (N, …).
        images: uint8 (M, K, K, 3), all there are.
        side: S, pixels that they are brought to.
        normalisation: mean and standard deviation, (1, 3, 1, 1) each.
    """

    def __init__(
        self,
        extractor: nn.Module,
        images: Tensor,
        side: int,
        normalisation: tuple[Tensor, Tensor],
    ) -> None:
        self.extractor, self.images, self.side = extractor, images, side
        self.mean, self.std = normalisation
        self.known = torch.zeros(len(images), dtype=torch.bool)
        self.features = torch.empty(0)

    def look_up(self, chosen: Tensor) -> Tensor:
        """The features (N, …) of the pictures `chosen` (N,), on the extractor's device."""
        missing = chosen[~self.known[chosen]]
        for part in torch.split(missing, _TOGETHER):
            self.store(part, self._compute(part))
        return self.features[chosen].to(self.mean.device)

    def store(self, chosen: Tensor, features: Tensor) -> None:
        """Remember the features of the pictures `chosen`."""
        if not len(self.features):
            self.features = torch.empty(len(self.images), *features.shape[1:])
            _check_memory(self.features)
        self.features[chosen] = features.cpu()
        self.known[chosen] = True

    @torch.no_grad()
    def _compute(self, chosen: Tensor) -> Tensor:
        pixels = resample(self.images[chosen], self.side).div(255).to(self.mean.device)
        normalised = ((pixels - self.mean) / self.std).contiguous(memory_format=torch.channels_last)
        with autocast(self.mean.device, "auto"):
            features: Tensor = self.extractor(normalised)
        return features.float()


def _check_memory(features: Tensor) -> None:
    size = features.numel() * features.element_size()
    if size > _MEMORY_LIMIT:
        raise OptionError(
            f"the features of {len(features):,} pictures would take {size / 1e9:.1f} GB; "
            "train more than the last layer, as --freeze none"
        )


class HeadTask(TrainingTask):
    """What the trainer runs: see `belamy.training.task.TrainingTask`.

    Every step but the last looks at a batch of the pictures; the last one fits the last layer.

    Args:
        start: the network before its first step, frozen but for its last layer.
        sets: the pictures to train on, and those to measure on.
    """

    def __init__(
        self,
        config: ClassifyConfig,
        start: Start,
        sets: tuple[Labelled, Labelled],
        accelerator: Accelerator,
    ) -> None:
        self.labels, self.test_labels = (torch.from_numpy(each.labels) for each in sets)
        together = config.batch_size * accelerator.num_processes
        looks = math.ceil(len(self.labels) / together)
        super().__init__(accelerator, total_steps=looks + 1, ema_decay=0, seed=config.seed)
        self.config = config
        extractor, head = split_head(start.network)
        extractor.to(accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.networks = {"classifier": head}
        self._remember(extractor, start, sets)
        stages = [Stage(measured_side(config), 0, self.total_steps)]
        self.summary = f"{summarize(sets, stages, start.module)}; each picture is looked at once"

    def _remember(
        self, extractor: nn.Module, start: Start, sets: tuple[Labelled, Labelled]
    ) -> None:
        mean, std = (
            torch.tensor(each, device=self.accelerator.device).view(1, 3, 1, 1)
            for each in start.normalisation
        )
        side = measured_side(self.config)
        train, test = (torch.from_numpy(each.images) for each in sets)
        self.seen = FeatureMemory(extractor, train, side, (mean, std))
        self.measured = FeatureMemory(extractor, test, side, (mean, std))

    def step(self, index: int, backward: Backward) -> dict[str, Tensor]:
        if index < self.total_steps - 1:
            self._look(index)
            return {}
        return self._fit()

    def _look(self, index: int) -> None:
        """Remember the features of one batch, in every process those of all."""
        batch, count = self.config.batch_size, len(self.labels)
        first = (index * self.world_size + self.rank) * batch
        chosen = torch.arange(first, first + batch) % count  # the last batch sees some again
        features = self.seen.look_up(chosen)
        if self.world_size > 1:
            places = chosen.to(features.device)
            self.seen.store(*(self.accelerator.gather(each).cpu() for each in (places, features)))

    def _fit(self) -> dict[str, Tensor]:
        """The last layer at the minimum of the cross-entropy with weight decay."""
        head = self.unwrap("classifier").eval()
        features = self.seen.look_up(torch.arange(len(self.labels)))
        labels = self.labels.to(features.device)
        smoothing, decay = self.config.smoothing, self.config.decay
        weights = [p for p in head.parameters() if p.ndim > 1]
        optimizer = torch.optim.LBFGS(
            head.parameters(), max_iter=_ITERATIONS, line_search_fn="strong_wolfe"
        )

        def evaluate_loss() -> Tensor:
            optimizer.zero_grad()
            loss = cross_entropy(head(features), labels, label_smoothing=smoothing)
            loss = loss + decay / 2 * sum(w.square().sum() for w in weights)
            loss.backward()  # type: ignore[no-untyped-call]
            return loss

        with torch.enable_grad():
            optimizer.step(evaluate_loss)  # type: ignore[no-untyped-call]
            loss = evaluate_loss().detach()
        with torch.no_grad():
            right = (head(features).argmax(dim=1) == labels).float().mean()
        return {"loss": loss, "train_accuracy": 100 * right}

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Accuracy in per cent on the test split, shared out among the processes; none before the
        last layer is fitted."""
        if step < self.total_steps:
            return {}
        head = networks["classifier"].eval()
        counts = torch.zeros(3, device=self.accelerator.device)
        parts = torch.split(
            torch.arange(len(self.test_labels)), evaluation_batch(self.measured.side)
        )
        for part in parts[self.rank :: self.world_size]:
            features = self.measured.look_up(part)
            counts += count_hits(head(features), self.test_labels[part].to(features.device))
        return measure_hits(self.accelerator.reduce(counts, reduction="sum"))


def split_head(network: Chain) -> tuple[nn.Module, nn.Module]:
    """A network as two: what is frozen, and its last layer with what comes after it."""
    stages = network.stages()
    head = find_head(network)[0]
    frozen = nn.Sequential(*(module for _, module in stages[:head])).eval().requires_grad_(False)
    return frozen, nn.Sequential(*(module for _, module in stages[head:]))


def attach_head(start: Start, head: nn.Module) -> nn.Module:
    """The whole network, with the last layer as it was trained."""
    _, own = split_head(start.network)
    own.load_state_dict(head.state_dict())
    return start.module
