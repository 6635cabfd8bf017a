from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from lvm.errors import SettingsError
from lvm.models import MODEL_TYPES, ModelConfig, build
from lvm.models.base import unit

from .numpy_models import predict

LSTM = {
    "lstm.weight_ih_l0": (2048, 768),
    "lstm.weight_hh_l0": (2048, 512),
    "lstm.bias_ih_l0": (2048,),
    "lstm.bias_hh_l0": (2048,),
    "lstm.weight_ih_l1": (2048, 512),
    "lstm.weight_hh_l1": (2048, 512),
    "lstm.bias_ih_l1": (2048,),
    "lstm.bias_hh_l1": (2048,),
    "output_proj.weight": (768, 512),
    "output_proj.bias": (768,),
}
GRU = {
    "input_proj.weight": (256, 768),
    "input_proj.bias": (256,),
    "output_proj.weight": (768, 256),
    "output_proj.bias": (768,),
} | {
    f"blocks.{block}.{name}": shape
    for block in range(4)
    for name, shape in {
        "gru.weight_ih_l0": (768, 256),
        "gru.weight_hh_l0": (768, 256),
        "gru.bias_ih_l0": (768,),
        "gru.bias_hh_l0": (768,),
        "norm.weight": (256,),
        "norm.bias": (256,),
    }.items()
}
TRANSFORMER = {
    "input_proj.weight": (256, 768),
    "input_proj.bias": (256,),
    "pos_encoder.pe": (1, 100, 256),
    "head.0.weight": (256, 256),
    "head.0.bias": (256,),
    "head.2.weight": (256,),
    "head.2.bias": (256,),
    "head.3.weight": (768, 256),
    "head.3.bias": (768,),
} | {
    f"transformer_decoder.layers.{layer}.{name}": shape
    for layer in range(4)
    for name, shape in {
        "self_attn.in_proj_weight": (768, 256),
        "self_attn.in_proj_bias": (768,),
        "self_attn.out_proj.weight": (256, 256),
        "self_attn.out_proj.bias": (256,),
        "multihead_attn.in_proj_weight": (768, 256),
        "multihead_attn.in_proj_bias": (768,),
        "multihead_attn.out_proj.weight": (256, 256),
        "multihead_attn.out_proj.bias": (256,),
        "linear1.weight": (1024, 256),
        "linear1.bias": (1024,),
        "linear2.weight": (256, 1024),
        "linear2.bias": (256,),
        "norm1.weight": (256,),
        "norm1.bias": (256,),
        "norm2.weight": (256,),
        "norm2.bias": (256,),
        "norm3.weight": (256,),
        "norm3.bias": (256,),
    }.items()
}
AMN = {
    "context_encoder.weight": (256, 768),
    "context_encoder.bias": (256,),
    "query_encoder.weight": (256, 768),
    "query_encoder.bias": (256,),
    "residual_net.0.weight": (512, 1536),
    "residual_net.0.bias": (512,),
    "residual_net.2.weight": (512,),
    "residual_net.2.bias": (512,),
    "residual_net.3.weight": (256, 512),
    "residual_net.3.bias": (256,),
    "residual_net.5.weight": (256,),
    "residual_net.5.bias": (256,),
    "residual_net.6.weight": (768, 256),
    "residual_net.6.bias": (768,),
}


@pytest.mark.parametrize(
    ("model_type", "shapes", "parameters"),
    [
        ("lstm", LSTM, 5_120_768),
        ("gru", GRU, 1_975_296),
        ("transformer", TRANSFORMER, 4_674_304),
        ("amn", AMN, 1_510_912),
    ],
)
def test_the_state_dict_is_the_contract_with_existing_checkpoints(model_type, shapes, parameters):
    model = build(model_type, 768)
    assert {name: tuple(value.shape) for name, value in model.state_dict().items()} == shapes
    assert sum(value.numel() for value in model.parameters()) == parameters


@pytest.mark.parametrize("position", [False, True], ids=["plain", "position"])
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_a_forward_pass_equals_the_same_written_in_numpy(
    model_type, position, formula_model, contexts
):
    model = formula_model(model_type, position=position)
    weights = {name: value.double().numpy() for name, value in model.state_dict().items()}
    expected = np.stack([predict(model_type, weights, row.astype(float)) for row in contexts])
    with torch.inference_mode():
        found = model(torch.from_numpy(contexts)).numpy()
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize(
    ("model_type", "known"),
    [
        ("lstm", [0.073286, -0.219931, -0.010122, 0.175010]),
        ("gru", [0.347618, -0.377627, -0.028963, 0.320647]),
        ("transformer", [-0.001451, -0.320517, 0.308620, 0.124056]),
        ("amn", [0.187364, -0.231955, -0.160956, 0.220929]),
    ],
)
def test_known_weights_give_a_known_output(model_type, known, formula_model, contexts):
    with torch.inference_mode():
        found = formula_model(model_type)(torch.from_numpy(contexts))[0, :4]
    np.testing.assert_allclose(found, known, atol=1e-5)


@pytest.mark.parametrize("dim", [16, 384])
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_the_width_is_that_of_the_data_and_predictions_are_unit_vectors(model_type, dim):
    model = build(model_type, dim).eval()
    with torch.inference_mode():
        prediction = model(torch.randn(3, 5, dim, generator=torch.Generator().manual_seed(0)))
    assert prediction.shape == (3, dim)
    assert prediction.dtype == torch.float32
    torch.testing.assert_close(prediction.norm(dim=-1), torch.ones(3))


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_769_inputs_read_768_wide_contexts_and_predict_768_wide(model_type):
    model = build(model_type, 769, output_dim=768).eval()
    with torch.inference_mode():
        assert model(torch.zeros(2, 5, 768)).shape == (2, 768)


@pytest.mark.parametrize("model_type", ["lstm", "gru", "transformer"])
def test_three_models_know_the_order_of_their_contexts(model_type, contexts):
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model = build(model_type, 16, d_model=16, hidden_dim=24).eval()
    batch = torch.from_numpy(contexts)
    with torch.inference_mode():
        assert (model(batch) - model(batch.flip(1))).abs().max() > 1e-3


def test_the_amn_knows_nothing_of_order(formula_model, contexts):
    model, batch = formula_model("amn"), torch.from_numpy(contexts)
    with torch.inference_mode():
        assert (model(batch) - model(batch.flip(1))).abs().max() < 1e-6


def test_the_lstm_ignores_d_model_and_gru_and_transformer_ignore_hidden_dim():
    def sizes(model_type: str, **inner: int) -> list[torch.Size]:
        return [value.shape for value in build(model_type, 16, **inner).parameters()]

    assert sizes("lstm", d_model=8) == sizes("lstm", d_model=64)
    assert sizes("gru", hidden_dim=8) == sizes("gru", hidden_dim=64)
    assert sizes("transformer", hidden_dim=8) == sizes("transformer", hidden_dim=64)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_under_bf16_autocast_the_prediction_is_still_a_float32_unit_vector(model_type):
    model = build(model_type, 16, d_model=16, hidden_dim=16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        prediction = model(torch.randn(4, 5, 16, generator=torch.Generator().manual_seed(0)))
    prediction.sum().backward()
    assert prediction.dtype == torch.float32
    torch.testing.assert_close(prediction.norm(dim=-1), torch.ones(4))


@pytest.mark.parametrize("size", [1e-25, 1e-6, 1.0, 1e6, 1e25])
def test_normalising_survives_any_size(size):
    raw = torch.tensor([[3.0, -4.0]]) * size
    raw.requires_grad_()
    result = unit(raw)
    torch.testing.assert_close(result, torch.tensor([[0.6, -0.8]]))
    result[0, 0].backward()
    # d(x/|x|)/dx of x = (3, −4)·size: (0.64, 0.48) / (5·size)
    torch.testing.assert_close(raw.grad * size, torch.tensor([[0.128, 0.096]]))


def test_normalising_zero_gives_zero_with_a_finite_gradient_and_nan_stays_nan():
    zero = torch.zeros(1, 4, requires_grad=True)
    unit(zero).sum().backward()
    assert unit(zero).abs().max() == 0
    assert torch.isfinite(zero.grad).all()
    assert torch.isnan(unit(torch.tensor([[1.0, float("nan")]]))).all()


def test_an_unknown_model_is_refused_with_the_known_names():
    with pytest.raises(SettingsError, match=r"unknown model 'mamba'\n.*transformer, gru, lstm"):
        build("mamba", 768)


def test_sizes_that_cannot_be_are_refused():
    with pytest.raises(SettingsError, match="d_model = 100"):
        build("transformer", 768, d_model=100)
    with pytest.raises(SettingsError, match="hidden_dim = 0"):
        build("lstm", 768, hidden_dim=0)
    with pytest.raises(SettingsError, match="input_dim = 770 with output_dim = 768"):
        ModelConfig(770, output_dim=768)


def test_importing_the_registry_does_not_import_torch():
    code = "import sys, lvm.models, lvm.fivecat, lvm.fivecat.gates; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
