"""What is made fast computes what torch's own modules compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from lvm.models import build
from lvm.models.base import LatentModel
from lvm.models.dropout import dropped
from lvm.models.gemm import use_fastest_float32
from lvm.settings import MODEL_TYPES

DIM = 48
ROWS = 37


def model_of(model_type: Any, seed: int = 1) -> LatentModel:
    """Weights and biases that are all away from zero."""
    torch.manual_seed(seed)
    model = build(model_type, DIM, d_model=32, hidden_dim=40)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def unit_rows(*shape: int, seed: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.nn.functional.normalize(torch.randn(*shape, generator=generator), dim=-1)


def gradients(
    model: LatentModel, forward: Callable[[Tensor], Tensor], dtype: torch.dtype = torch.float32
) -> tuple[Tensor, dict[str, Tensor]]:
    contexts = unit_rows(ROWS, 5, DIM).to(dtype).requires_grad_()
    model.zero_grad()
    predictions = forward(contexts)
    (predictions * unit_rows(ROWS, DIM, seed=3)).sum().backward()
    assert contexts.grad is not None
    found = {name: parameter.grad for name, parameter in model.named_parameters()}
    return predictions.detach(), {"contexts": contexts.grad} | {
        name: grad.clone() for name, grad in found.items() if grad is not None
    }


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_predictions_and_all_gradients_are_those_of_torchs_modules(
    model_type: Any, dtype: torch.dtype
) -> None:
    model = model_of(model_type).to(dtype)
    plain, plain_gradients = gradients(model, model.plain, dtype)
    fast, fast_gradients = gradients(model, model, dtype)
    torch.testing.assert_close(fast, plain)
    assert fast_gradients.keys() == plain_gradients.keys()
    assert len(plain_gradients) == 1 + len(list(model.parameters()))
    near: dict[str, float] = {"rtol": 1e-4, "atol": 1e-6} if dtype is torch.float32 else {}
    for name, gradient in plain_gradients.items():
        torch.testing.assert_close(
            fast_gradients[name], gradient, msg=lambda text, name=name: f"{name}: {text}", **near
        )


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_bfloat16_products_stay_near(model_type: Any) -> None:
    model = model_of(model_type)
    plain, plain_gradients = gradients(model, model.plain)

    def mixed(contexts: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return model(contexts)  # type: ignore[no-any-return]

    def mixed_plain(contexts: Tensor) -> Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return model.plain(contexts)

    def distance(forward: Callable[[Tensor], Tensor]) -> float:
        _, found = gradients(model, forward)
        whole = torch.cat([gradient.flatten() for gradient in plain_gradients.values()])
        other = torch.cat([found[name].flatten() for name in plain_gradients])
        return float((other - whole).norm() / whole.norm())

    fast = mixed(unit_rows(ROWS, 5, DIM)).detach()
    assert fast.dtype is torch.float32
    assert float((fast * plain).sum(dim=-1).min()) > 0.9995
    assert 0 < distance(mixed) < 1.3 * distance(mixed_plain)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_contexts_of_one_row_and_of_other_lengths(model_type: Any) -> None:
    model = model_of(model_type)
    with torch.inference_mode():
        for contexts in (unit_rows(1, 5, DIM), unit_rows(3, 2, DIM), unit_rows(2, 1, DIM)):
            torch.testing.assert_close(model(contexts), model.plain(contexts))


def test_the_lstm_of_a_model_that_reads_positions() -> None:
    torch.manual_seed(1)
    for model_type in MODEL_TYPES:
        model = build(model_type, DIM + 1, d_model=32, hidden_dim=40, output_dim=DIM).eval()
        contexts = unit_rows(ROWS, 5, DIM)
        torch.testing.assert_close(model(contexts), model.plain(contexts))


class TestDropout:
    def test_keeps_the_expectation_and_drops_the_share_that_was_asked_for(self) -> None:
        torch.manual_seed(1)
        found = dropped(torch.ones(1000, 7, 30), 0.1)
        assert float((found == 0).float().mean()) == pytest.approx(0.1, abs=0.003)
        assert float(found.mean()) == pytest.approx(1.0, abs=0.004)
        assert len(found.unique()) == 2

    def test_masks_the_gradient_as_it_masked_the_input(self) -> None:
        torch.manual_seed(1)
        x = torch.ones(50, 9, requires_grad=True)
        found = dropped(x, 0.3)
        found.sum().backward()
        assert x.grad is not None
        assert torch.equal(x.grad, found.detach())

    def test_elements_fall_independently_of_their_neighbours(self) -> None:
        torch.manual_seed(1)
        kept = (dropped(torch.ones(20_000, 8), 0.5) != 0).float()
        correlations = torch.corrcoef(kept.T) - torch.eye(8)
        assert float(correlations.abs().max()) < 0.03

    def test_is_repeated_by_its_seed_and_not_without(self) -> None:
        torch.manual_seed(1)
        first, second = dropped(torch.ones(9, 5), 0.5), dropped(torch.ones(9, 5), 0.5)
        torch.manual_seed(1)
        assert torch.equal(dropped(torch.ones(9, 5), 0.5), first)
        assert not torch.equal(first, second)

    def test_of_probability_zero_changes_nothing_and_draws_nothing(self) -> None:
        before = torch.get_rng_state()
        x = torch.ones(3, 4)
        assert dropped(x, 0.0) is x
        assert torch.equal(torch.get_rng_state(), before)


def test_float32_products_stay_float32_whatever_multiplies_them() -> None:
    before = torch.get_rng_state()
    use_fastest_float32()
    assert torch.equal(torch.get_rng_state(), before)
    left, right = torch.randn(300, 700), torch.randn(700, 200)
    wide = left.double() @ right.double()
    assert float(((left @ right).double() - wide).norm() / wide.norm()) < 2e-6


def test_products_are_left_to_mkl_where_the_other_would_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from lvm.models import gemm

    settings = torch.backends.mkldnn.matmul
    before = settings.fp32_precision
    settings.fp32_precision = "none"
    monkeypatch.setattr(gemm, "_ROUNDING", 1e-9)  # no product of float32 numbers is that exact
    try:
        assert gemm.use_fastest_float32.__wrapped__() is False
        assert settings.fp32_precision == "none"
    finally:
        settings.fp32_precision = before
