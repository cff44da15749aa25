"""The training of a classifier's last layer alone, on features that are computed once.

What lies before the last layer stays as it is, so it need not see a picture again: the first epoch
looks at the pictures, and all others take what it saw from memory. On networks that saw all of
ImageNet, features that are left as they are carry far (Kornblith, Shlens and Le 2019, "Do better
ImageNet models transfer better?"). **Differs**: SGD and weight decay for their L-BFGS.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from belamy.devices import autocast
from belamy.engines.classify.accuracy import EVALUATION_BATCH, count_hits
from belamy.engines.classify.config import ClassifyConfig
from belamy.engines.classify.initial import Start, find_head
from belamy.engines.classify.task import make_optimizer, measured_side, plan_stages, summarize
from belamy.errors import OptionError
from belamy.networks.sequential import Chain
from belamy.training.crops import resample
from belamy.training.data import Labelled, batch_indices, epoch_steps
from belamy.training.schedules import one_cycle, set_learning_rate
from belamy.training.task import Backward, TrainingTask

__all__ = ["FeatureMemory", "HeadTask", "attach_head", "split_head"]

_MEMORY_LIMIT = 4 * 1024**3  # bytes of features; a layer that sees a grid can ask for far more
_TOGETHER = 32  # pictures that pass through the network at once: by speed


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
        stages = plan_stages(config, len(sets[0].labels), accelerator.num_processes)
        total_steps = sum(stage.steps for stage in stages)
        super().__init__(
            accelerator, total_steps=total_steps, ema_decay=config.ema, seed=config.seed
        )
        self.config = config
        self.labels = torch.from_numpy(sets[0].labels)
        self.test_labels = torch.from_numpy(sets[1].labels)
        extractor, head = split_head(start.network)
        extractor.to(accelerator.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.networks = {"classifier": head}
        self.optimizers = {"classifier": make_optimizer(head, config)}
        self._remember(extractor, start, sets)
        self.epoch = epoch_steps(len(self.labels), config.batch_size, self.world_size)
        looking = f"the first {self.epoch:,} steps look at the pictures, the others remember"
        self.summary = f"{summarize(sets, stages, start.module)}; {looking}"

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
        head, optimizer = self.networks["classifier"], self.optimizers["classifier"]
        learning_rate = one_cycle(index, self.total_steps, self.config.peak_learning_rate)
        set_learning_rate(optimizer, learning_rate)
        features, chosen = self._batch(index)
        labels = self.labels[chosen].to(features.device)
        optimizer.zero_grad(set_to_none=True)
        logits = head.train()(features)
        loss = cross_entropy(logits, labels, label_smoothing=self.config.smoothing)
        backward(loss)
        optimizer.step()
        right = (logits.detach().argmax(dim=1) == labels).float().mean()
        return {"loss": loss, "train_accuracy": 100 * right}

    def _batch(self, index: int) -> tuple[Tensor, Tensor]:
        """Features, and which pictures they are of."""
        chosen = batch_indices(
            len(self.labels),
            self.config.batch_size,
            index,
            seed=self.seed,
            rank=self.rank,
            world_size=self.world_size,
        )
        features = self.seen.look_up(chosen)
        if self.world_size > 1 and index < self.epoch:  # each process learns what the others saw
            places = chosen.to(features.device)
            self.seen.store(*(self.accelerator.gather(each).cpu() for each in (places, features)))
        return features, chosen

    @torch.no_grad()
    def evaluate(self, networks: Mapping[str, nn.Module], step: int) -> dict[str, float]:
        """Accuracy in per cent on the test split, shared out among the processes."""
        head = networks["classifier"].eval()
        counts = torch.zeros(3, device=self.accelerator.device)
        parts = torch.split(torch.arange(len(self.test_labels)), EVALUATION_BATCH)
        for part in parts[self.rank :: self.world_size]:
            features = self.measured.look_up(part)
            counts += count_hits(head(features), self.test_labels[part].to(features.device))
        top1, top5, count = self.accelerator.reduce(counts, reduction="sum").tolist()
        return {"accuracy": 100 * top1 / count, "top5": 100 * top5 / count}


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
