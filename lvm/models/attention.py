"""The Transformer's decoder on the CPU: nn.TransformerDecoder over its own input, last step only.

The same function of the same weights, with less work:

- only the last step is ever looked at, so the last layer computes only that one (its keys and
  values still come from all steps);
- all layers read the same memory, so its keys and values for all of them are one product;
- dropout draws a quarter of the random numbers (dropout.py).

tests/library/models/test_fast_paths.py holds outputs and gradients to torch's own.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from lvm.models.dropout import dropped


def decode_last(x: Tensor, decoder: nn.TransformerDecoder) -> Tensor:
    """(B, T, width) → (B, width): what the decoder puts out at the last step.

    With tgt = memory = x and a causal mask on both; post-norm layers with ReLU, batch first.
    """
    layers = [layer for layer in decoder.layers if isinstance(layer, nn.TransformerDecoderLayer)]
    length = x.shape[1]
    causal = x.new_full((length, length), -math.inf).triu_(1)
    memories = _memory_keys_and_values(x, layers)
    for layer, memory in zip(layers, memories, strict=True):
        wanted = slice(length - 1, None) if layer is layers[-1] else slice(None)
        x = _layer(layer, x, memory, causal[wanted], wanted)
    return x[:, -1]


def _memory_keys_and_values(x: Tensor, layers: list[nn.TransformerDecoderLayer]) -> list[Tensor]:
    """For each layer (B, T, 2·width): keys and values of the memory."""
    width = x.shape[-1]
    attentions = [layer.multihead_attn for layer in layers]
    weight = torch.cat([attention.in_proj_weight[width:] for attention in attentions])
    bias = torch.cat([attention.in_proj_bias[width:] for attention in attentions])
    return list(functional.linear(x, weight, bias).chunk(len(layers), dim=-1))


def _layer(
    layer: nn.TransformerDecoderLayer, x: Tensor, memory: Tensor, mask: Tensor, wanted: slice
) -> Tensor:
    """(B, T, width) → (B, wanted steps, width)."""
    width = x.shape[-1]
    own = layer.self_attn
    if wanted.start is None:
        query, keys_values = functional.linear(x, own.in_proj_weight, own.in_proj_bias).split(
            [width, 2 * width], dim=-1
        )
    else:
        keys_values = functional.linear(x, own.in_proj_weight[width:], own.in_proj_bias[width:])
        x = x[:, wanted]
        query = functional.linear(x, own.in_proj_weight[:width], own.in_proj_bias[:width])
    x = layer.norm1(x + _drop(layer.dropout1, _attend(own, query, keys_values, mask)))
    other = layer.multihead_attn
    query = functional.linear(x, other.in_proj_weight[:width], other.in_proj_bias[:width])
    x = layer.norm2(x + _drop(layer.dropout2, _attend(other, query, memory, mask)))
    inner = _drop(layer.dropout, functional.relu(layer.linear1(x)))
    normed: Tensor = layer.norm3(x + _drop(layer.dropout3, layer.linear2(inner)))
    return normed


def _attend(
    attention: nn.MultiheadAttention, query: Tensor, keys_values: Tensor, mask: Tensor
) -> Tensor:
    """Queries (B, S, width), keys and values (B, T, 2·width) → (B, S, width)."""
    batch, steps, width = query.shape
    heads = attention.num_heads
    key, value = (_by_head(part, heads) for part in keys_values.chunk(2, dim=-1))
    scores = torch.baddbmm(
        mask.to(query.dtype), _by_head(query, heads), key.mT, alpha=(width // heads) ** -0.5
    )
    weights = torch.softmax(scores, dim=-1)
    if attention.training:
        by_sample = weights.unflatten(0, (batch, heads))
        weights = dropped(by_sample, attention.dropout).flatten(0, 1)
    mixed = torch.bmm(weights, value).unflatten(0, (batch, heads))
    projected: Tensor = attention.out_proj(mixed.transpose(1, 2).reshape(batch, steps, width))
    return projected


def _by_head(x: Tensor, heads: int) -> Tensor:
    """(B, T, width) → (B · heads, T, width / heads)."""
    split: Tensor = x.unflatten(-1, (heads, -1))
    return split.transpose(1, 2).flatten(0, 1)


def _drop(module: nn.Dropout, x: Tensor) -> Tensor:
    return dropped(x, module.p) if module.training else x
