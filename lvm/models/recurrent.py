"""LSTM and GRU layers on the CPU, forward and backward by hand.

The same functions as nn.LSTM and nn.GRU of one layer with a zero first state, faster because

- the matrix products over inputs, and all gradients of weights, are one product over all steps;
- no gradient is made for the contexts, which nobody asks for;
- the products can be bfloat16 while all that is added up stays float32.

Time comes first: (T, B, width). `T` is 5, and the first state is zero, so the first step needs no
recurrent product. tests/library/models/test_fast_paths.py holds outputs and gradients to torch's.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

_sigmoid_backward = torch.ops.aten.sigmoid_backward.grad_input
_tanh_backward = torch.ops.aten.tanh_backward.grad_input
"""(gradient, output, grad_input=where): sigma' and tanh' from what they put out."""


def lstm_layer(x: Tensor, module: nn.LSTM, layer: int, *, only_last: bool = False) -> Tensor:
    """(T, B, n) → (T, B, hidden), or (B, hidden) of the last step."""
    w_ih, w_hh, b_ih, b_hh = (getattr(module, f"{name}_l{layer}") for name in _NAMES)
    steps: Tensor = _Lstm.apply(  # type: ignore[no-untyped-call]
        x, w_ih, w_hh, b_ih + b_hh, _product_dtype(w_ih), only_last
    )
    return steps


def gru_layer(x: Tensor, module: nn.GRU, *, only_last: bool = False) -> Tensor:
    """(T, B, n) → (T, B, hidden), or (B, hidden) of the last step."""
    weights = [getattr(module, f"{name}_l0") for name in _NAMES]
    steps: Tensor = _Gru.apply(  # type: ignore[no-untyped-call]
        x, *weights, _product_dtype(weights[0]), only_last
    )
    return steps


_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _product_dtype(weight: Tensor) -> torch.dtype:
    """What matrices are multiplied in: autocast's type inside autocast, else the weights' own."""
    if torch.is_autocast_enabled("cpu"):
        return torch.get_autocast_dtype("cpu")
    return weight.dtype


class _Lstm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w_ih: Tensor,
        w_hh: Tensor,
        bias: Tensor,
        dtype: torch.dtype,
        only_last: bool,
    ) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            steps, batch, _ = x.shape
            hidden = w_hh.shape[1]
            inputs = _by_time(x, dtype)
            w_ih, w_hh = w_ih.to(dtype), w_hh.to(dtype)
            products = functional.linear(inputs, w_ih, bias.to(dtype)).view(steps, batch, -1)
            gates = products if dtype is bias.dtype else bias.new_empty(products.shape)
            cells = bias.new_empty(steps, batch, hidden)
            squashed = torch.empty_like(cells)
            states = products.new_empty(steps, batch, hidden)
            for t in range(steps):
                if t:
                    products[t].addmm_(states[t - 1], w_hh.T)
                gate = gates[t]
                if gates is not products:
                    gate.copy_(products[t])
                gate[:, : 2 * hidden].sigmoid_()
                gate[:, 3 * hidden :].sigmoid_()
                into, forget, new, out = gate.chunk(4, dim=1)
                _tanh(new, dtype, out=new)
                cell = torch.mul(into, new, out=cells[t])
                if t:
                    cell.addcmul_(forget, cells[t - 1])
                _tanh(cell, dtype, out=squashed[t])
                _product_into(states[t], out, squashed[t])
            ctx.save_for_backward(inputs, w_ih, w_hh, gates, states, cells, squashed)
            ctx.only_last = only_last
            return (states[-1] if only_last else states).to(bias.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs, w_ih, w_hh, gates, states, cells, squashed = ctx.saved_tensors
        steps, batch, hidden = states.shape
        grads = states.new_empty(steps, batch, 4 * hidden)
        scratch = None if gates.dtype is states.dtype else torch.empty_like(gates[0])
        d_state: Tensor | None = None
        d_cell: Tensor | None = None
        for t in reversed(range(steps)):
            into, forget, new, out = gates[t].chunk(4, dim=1)
            d_gate = grads[t] if scratch is None else scratch
            d_into, d_forget, d_new, d_out = d_gate.chunk(4, dim=1)
            here = _gradient_at(grad, t, d_state, ctx.only_last)
            _sigmoid_backward(here * squashed[t], out, grad_input=d_out)
            through = torch.ops.aten.tanh_backward(here * out, squashed[t])
            d_cell = through if d_cell is None else d_cell.add_(through)
            _sigmoid_backward(d_cell * new, into, grad_input=d_into)
            _tanh_backward(d_cell * into, new, grad_input=d_new)
            if t:
                _sigmoid_backward(d_cell * cells[t - 1], forget, grad_input=d_forget)
                d_cell = d_cell.mul_(forget)
            else:
                d_forget.zero_()
            if scratch is not None:
                grads[t].copy_(scratch)
            if t:
                d_state = (grads[t] @ w_hh).to(gates.dtype)
        flat = grads.view(steps * batch, -1)
        d_x = (flat @ w_ih).view(steps, batch, -1) if ctx.needs_input_grad[0] else None
        return (
            None if d_x is None else d_x.to(gates.dtype),
            (flat.T @ inputs).to(gates.dtype),
            _recurrent_gradient(grads, states).to(gates.dtype),
            _sum_of_rows(flat).to(gates.dtype),
            None,
            None,
        )


class _Gru(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w_ih: Tensor,
        w_hh: Tensor,
        b_ih: Tensor,
        b_hh: Tensor,
        dtype: torch.dtype,
        only_last: bool,
    ) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            steps, batch, _ = x.shape
            hidden = w_hh.shape[1]
            wide = b_ih.dtype
            inputs = _by_time(x, dtype)
            w_ih, w_hh, bias = w_ih.to(dtype), w_hh.to(dtype), b_hh.to(dtype)
            products = functional.linear(inputs, w_ih, b_ih.to(dtype)).view(steps, batch, -1)
            gates = products if dtype is wide else products.to(wide)
            """r, z and n, in place of what the inputs give to them."""
            recalled = b_ih.new_empty(steps, batch, hidden)
            """What n is given by the state before, which r gates."""
            wides = torch.empty_like(recalled)
            states = wides if dtype is wide else products.new_empty(steps, batch, hidden)
            for t in range(steps):
                gate = gates[t]
                reset_update, new = gate[:, : 2 * hidden], gate[:, 2 * hidden :]
                if t:
                    given = torch.addmm(bias, states[t - 1], w_hh.T).to(wide)
                    reset_update.add_(given[:, : 2 * hidden])
                    recalled[t].copy_(given[:, 2 * hidden :])
                else:
                    reset_update.add_(b_hh[: 2 * hidden])
                    recalled[t].copy_(b_hh[2 * hidden :].expand(batch, hidden))
                reset_update.sigmoid_()
                reset, update = reset_update.chunk(2, dim=1)
                _tanh(new.addcmul_(reset, recalled[t]), dtype, out=new)
                if t:
                    torch.lerp(new, wides[t - 1], update, out=wides[t])
                else:
                    torch.addcmul(new, update, new, value=-1, out=wides[t])
                if states is not wides:
                    states[t].copy_(wides[t])
            ctx.save_for_backward(inputs, w_ih, w_hh, gates, recalled, states, wides)
            ctx.only_last = only_last
            return wides[-1] if only_last else wides

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        inputs, w_ih, w_hh, gates, recalled, states, wides = ctx.saved_tensors
        steps, batch, hidden = states.shape
        of_inputs = states.new_empty(steps, batch, 3 * hidden)
        of_states = torch.empty_like(of_inputs)
        exact = gates.dtype is states.dtype
        scratch = gates.new_empty(batch, 3 * hidden)
        d_state: Tensor | None = None
        for t in reversed(range(steps)):
            reset, update, new = gates[t].chunk(3, dim=1)
            d_gate = of_inputs[t] if exact else scratch
            d_reset, d_update, d_new = d_gate.chunk(3, dim=1)
            here = _gradient_at(grad, t, d_state, ctx.only_last)
            before = wides[t - 1] - new if t else -new
            _sigmoid_backward(here * before, update, grad_input=d_update)
            kept = here * update
            _tanh_backward(here - kept, new, grad_input=d_new)
            _sigmoid_backward(d_new * recalled[t], reset, grad_input=d_reset)
            if not exact:
                of_inputs[t].copy_(scratch)
            of_states[t, :, : 2 * hidden].copy_(d_gate[:, : 2 * hidden])
            _product_into(of_states[t, :, 2 * hidden :], d_new, reset)
            if t:
                d_state = kept.add_(of_states[t] @ w_hh)
        flat = of_inputs.view(steps * batch, -1)
        d_x = (flat @ w_ih).view(steps, batch, -1) if ctx.needs_input_grad[0] else None
        return (
            None if d_x is None else d_x.to(gates.dtype),
            (flat.T @ inputs).to(gates.dtype),
            _recurrent_gradient(of_states, states).to(gates.dtype),
            _sum_of_rows(flat).to(gates.dtype),
            _sum_of_rows(of_states.view(steps * batch, -1)).to(gates.dtype),
            None,
            None,
        )


def _gradient_at(grad: Tensor, t: int, from_later: Tensor | None, only_last: bool) -> Tensor:
    """Of the state after step t: from the output there, and from the steps after it."""
    if only_last:
        return grad if from_later is None else from_later
    return grad[t] if from_later is None else from_later.add_(grad[t])


def _recurrent_gradient(grads: Tensor, states: Tensor) -> Tensor:
    """Of the recurrent weights: each step's gradient by the state before it."""
    return grads[1:].flatten(0, 1).T @ states[:-1].flatten(0, 1)


def _sum_of_rows(rows: Tensor) -> Tensor:
    """(N, width) → (width,); as a product, which adds up in float32 whatever the rows are in."""
    return (rows.new_ones(1, len(rows)) @ rows)[0]


def _tanh(x: Tensor, dtype: torch.dtype, out: Tensor) -> None:
    """tanh of float32 `x` into `out`; three times as fast if 1e-7 off will do, which it does
    beside bfloat16 products."""
    if dtype is x.dtype:
        torch.tanh(x, out=out)
    else:
        torch.mul(x, 2, out=out).sigmoid_().mul_(2).sub_(1)


def _by_time(x: Tensor, dtype: torch.dtype) -> Tensor:
    """(T, B, n) in any layout → (T·B, n) contiguous."""
    return x.to(dtype).contiguous().flatten(0, 1)


def _product_into(where: Tensor, left: Tensor, right: Tensor) -> None:
    """where = left · right, rounded if `where` is narrower."""
    if where.dtype is left.dtype:
        torch.mul(left, right, out=where)
    else:
        where.copy_(left * right)
