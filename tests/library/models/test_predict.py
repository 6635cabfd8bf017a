from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lvm.errors import DataError, RunError
from lvm.models.predict import Predictor


@pytest.mark.parametrize("batch_size", [1, 3, 7, 100])
def test_the_batch_size_does_not_change_the_predictions(batch_size, formula_model, contexts):
    model = formula_model("gru")
    whole = Predictor(model, batch_size=1000)(contexts)
    torch.testing.assert_close(Predictor(model, batch_size=batch_size)(contexts), whole)


def test_dropout_is_off_and_every_submodules_own_mode_is_restored(formula_model, contexts):
    model = formula_model("lstm").train()
    model.output_proj.eval()
    predict = Predictor(model)
    assert torch.equal(predict(contexts), predict(contexts))
    assert model.training
    assert model.lstm.training
    assert not model.output_proj.training


def test_no_global_state_is_touched(formula_model, contexts):
    predict = Predictor(formula_model("transformer"))
    before = torch.get_rng_state()
    predict(contexts)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()


def test_lists_float16_and_read_only_arrays_are_read(formula_model, contexts):
    predict = Predictor(formula_model("amn"))
    expected = predict(contexts)
    frozen = contexts.copy()
    frozen.flags.writeable = False
    assert torch.equal(predict(contexts.tolist()), expected)
    assert torch.equal(predict(frozen), expected)
    torch.testing.assert_close(predict(contexts.astype(np.float16)), expected, atol=1e-2, rtol=0)


def test_no_contexts_give_no_predictions(formula_model):
    assert Predictor(formula_model("lstm"))(np.zeros((0, 5, 16))).shape == (0, 16)


@pytest.mark.parametrize("shape", [(5, 16), (2, 4, 16), (2, 5, 15), (2, 5, 17)])
def test_another_shape_is_refused_with_the_shape_that_it_needs(shape, formula_model):
    with pytest.raises(DataError) as caught:
        Predictor(formula_model("lstm"))(np.zeros(shape))
    assert str(shape) in caught.value.what
    assert caught.value.fix == "this model reads (n, 5, 16)"


def test_a_model_that_predicts_nan_is_an_error_and_its_mode_is_restored():
    class Broken(nn.Module):
        def forward(self, contexts: torch.Tensor) -> torch.Tensor:
            return contexts[:, 0] * float("nan")

    model = Broken().train()
    with pytest.raises(RunError, match="NaN"):
        Predictor(model)(np.ones((2, 5, 3)))
    assert model.training
