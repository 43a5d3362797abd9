"""A model that is spread over the processes of a training, layer by layer, by torch's fully_shard (FSDP2).

Not accelerate's own: that leaves a model on CPUs whole without a word, and gathers all weights where only an adapter is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from accelerate import PartialState
from torch import Tensor
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from toolcalls.errors import InputError

_Key = TypeVar("_Key")


def shard(model: Any, dtype: torch.dtype) -> None:
    """Leave each process a part of every weight, on its device. For a forward or backward pass a layer is gathered in `dtype`,
    and gradients are summed up in float32. Every process calls this with the same model; a single process keeps it whole.

    Raises InputError when the model does not say which of its modules are its layers.
    """
    names = set(getattr(model, "_no_split_modules", None) or ())
    layers = [module for module in model.modules() if type(module).__name__ in names]
    if not layers:
        raise InputError("This kind of model does not say what its layers are. Train it with training.sharding none.")
    here = PartialState()
    if here.num_processes == 1:
        return
    mesh = init_device_mesh(here.device.type, (here.num_processes,))
    precision = MixedPrecisionPolicy(param_dtype=dtype, reduce_dtype=torch.float32)
    for module in (*layers, model):
        fully_shard(module, mesh=mesh, mp_policy=precision)
        if here.device.type == "cpu":
            module.set_force_sum_reduction_for_comms(True)  # gloo's average was a sum in some versions (pytorch#162338)
    model._is_accelerate_prepared = True  # or accelerate would have every process hold a copy (DDP)


def gathered(parts: Mapping[_Key, Tensor]) -> dict[_Key, Tensor]:
    """The tensors whole, on the CPU. Every process calls this; what is spread over them only the first one gets."""
    found = {}
    for key, part in parts.items():
        spread = isinstance(part, DTensor)
        whole = part.full_tensor() if isinstance(part, DTensor) else part
        if not spread or PartialState().is_main_process:
            found[key] = whole.detach().cpu().contiguous()
    return found


def part_of(whole: Tensor, like: Tensor) -> Tensor:
    """What of a tensor this process holds, if `like`, of the same shape, is spread over the processes; else all of it."""
    if not isinstance(like, DTensor) or whole.shape != like.shape:
        return whole
    return distribute_tensor(whole.to(like.device), like.device_mesh, like.placements, src_data_rank=None)


def gathered_state(optimizer: Optimizer) -> dict[str, Any]:
    """The optimiser's state as if the weights were whole. Every process calls this; it is complete in the first one."""
    state = optimizer.state_dict()
    return state | {"state": {number: gathered(tensors) for number, tensors in state["state"].items()}}


def set_state(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """The inverse of `gathered_state`. Every process calls this with the whole state."""
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    parts = {
        number: {name: part_of(tensor, weights[number]).clone() for name, tensor in tensors.items()}
        for number, tensors in state["state"].items()
    }
    optimizer.load_state_dict({**state, "state": parts})
