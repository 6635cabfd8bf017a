"""The four forward passes in NumPy, one sample at a time, written from the description alone."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Weights = Mapping[str, Array]


def predict(model_type: str, w: Weights, contexts: Array) -> Array:
    """(5, dim) → (dim,). A position scalar is appended where the weights are one wider."""
    raw = {"lstm": lstm, "gru": gru, "transformer": transformer, "amn": amn}[model_type](
        w, contexts
    )
    return raw / np.sqrt((raw**2).sum())


def widen(contexts: Array, width: int) -> Array:
    if width == contexts.shape[1]:
        return contexts
    return np.concatenate([contexts, 0.03 * np.array([[0.0], [0.25], [0.5], [0.75], [1.0]])], 1)


def linear(w: Weights, name: str, x: Array) -> Array:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def norm(w: Weights, name: str, x: Array) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def gelu(x: Array) -> Array:
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def softmax(x: Array) -> Array:
    powers = np.exp(x - x.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def lstm(w: Weights, contexts: Array) -> Array:
    steps = list(widen(contexts, w["lstm.weight_ih_l0"].shape[1]))
    size = w["lstm.weight_hh_l0"].shape[1]
    for layer in ("l0", "l1"):
        hidden, cell, outputs = np.zeros(size), np.zeros(size), []
        for x in steps:
            gates = w[f"lstm.weight_ih_{layer}"] @ x + w[f"lstm.bias_ih_{layer}"]
            gates = gates + w[f"lstm.weight_hh_{layer}"] @ hidden + w[f"lstm.bias_hh_{layer}"]
            enter, forget, new, leave = np.split(gates, 4)
            cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(new)
            hidden = sigmoid(leave) * np.tanh(cell)
            outputs.append(hidden)
        steps = outputs
    return linear(w, "output_proj", steps[-1])


def gru(w: Weights, contexts: Array) -> Array:
    x = linear(w, "input_proj", widen(contexts, w["input_proj.weight"].shape[1]))
    for block in range(4):
        p = f"blocks.{block}.gru."
        hidden, outputs = np.zeros(x.shape[1]), []
        for step in x:
            a = np.split(w[p + "weight_ih_l0"] @ step + w[p + "bias_ih_l0"], 3)
            b = np.split(w[p + "weight_hh_l0"] @ hidden + w[p + "bias_hh_l0"], 3)
            reset, update = sigmoid(a[0] + b[0]), sigmoid(a[1] + b[1])
            new = np.tanh(a[2] + reset * b[2])
            hidden = (1 - update) * new + update * hidden
            outputs.append(hidden)
        x = norm(w, f"blocks.{block}.norm", x + np.stack(outputs))
    return linear(w, "output_proj", x[-1])


def attention(w: Weights, name: str, queries: Array, memory: Array, heads: int = 8) -> Array:
    """Causal: step t sees steps 0…t."""
    width = queries.shape[1]
    weights, biases = w[f"{name}.in_proj_weight"], w[f"{name}.in_proj_bias"]
    q, k, v = (
        rows @ weights[i * width : (i + 1) * width].T + biases[i * width : (i + 1) * width]
        for i, rows in enumerate((queries, memory, memory))
    )
    size = width // heads
    mixed = np.zeros_like(q)
    for head in range(heads):
        own = slice(head * size, (head + 1) * size)
        for step in range(len(q)):
            scores = k[: step + 1, own] @ q[step, own] / math.sqrt(size)
            mixed[step, own] = softmax(scores) @ v[: step + 1, own]
    return linear(w, f"{name}.out_proj", mixed)


def transformer(w: Weights, contexts: Array) -> Array:
    x = linear(w, "input_proj", widen(contexts, w["input_proj.weight"].shape[1]))
    width = x.shape[1]
    for position in range(5):
        for i in range(0, width, 2):
            angle = position / 10000 ** (i / width)
            x[position, i] += math.sin(angle)
            x[position, i + 1] += math.cos(angle)
    memory = x.copy()
    for layer in range(4):
        p = f"transformer_decoder.layers.{layer}"
        x = norm(w, f"{p}.norm1", x + attention(w, f"{p}.self_attn", x, x))
        x = norm(w, f"{p}.norm2", x + attention(w, f"{p}.multihead_attn", x, memory))
        inner = np.maximum(linear(w, f"{p}.linear1", x), 0)
        x = norm(w, f"{p}.norm3", x + linear(w, f"{p}.linear2", inner))
    return linear(w, "head.3", norm(w, "head.2", gelu(linear(w, "head.0", x[-1]))))


def amn(w: Weights, contexts: Array) -> Array:
    x = widen(contexts, w["context_encoder.weight"].shape[1])
    mean = x.mean(0)
    keys, query = linear(w, "context_encoder", x), linear(w, "query_encoder", mean)
    mixture = softmax(keys @ query / math.sqrt(len(query))) @ x
    inner = norm(w, "residual_net.2", gelu(linear(w, "residual_net.0", np.append(mean, mixture))))
    inner = norm(w, "residual_net.5", gelu(linear(w, "residual_net.3", inner)))
    return mean[: contexts.shape[1]] + linear(w, "residual_net.6", inner)
