from __future__ import annotations

import pytest
import torch

from seqline.nn.cells import NONLINEARITIES
from seqline.nn.heads import ClassificationHead


def test_without_a_hidden_layer_the_logits_are_linear_in_the_features() -> None:
    head = ClassificationHead(input_size=5, num_classes=3, head_size=0, head_activation="relu", dropout=0.0)
    features = torch.randn(4, 5)
    torch.testing.assert_close(head(features), features @ head.classes.weight.T + head.classes.bias)
    assert len(list(head.parameters())) == 2


@pytest.mark.parametrize("activation", NONLINEARITIES)
def test_with_a_hidden_layer_the_named_activation_stands_between(activation: str) -> None:
    head = ClassificationHead(
        input_size=5, num_classes=3, head_size=7, head_activation=activation, dropout=0.0
    )
    assert head.hidden is not None
    features = torch.randn(4, 5)
    hidden = NONLINEARITIES[activation](features @ head.hidden.weight.T + head.hidden.bias)
    torch.testing.assert_close(head(features), hidden @ head.classes.weight.T + head.classes.bias)


def test_dropout_acts_on_the_features_in_training_only() -> None:
    head = ClassificationHead(input_size=50, num_classes=3, head_size=0, head_activation="relu", dropout=0.5)
    features = torch.randn(4, 50)
    assert not torch.allclose(head(features), head(features))
    head.eval()
    assert torch.equal(head(features), head(features))


def test_bf16_features_give_float32_logits() -> None:
    head = ClassificationHead(input_size=5, num_classes=3, head_size=0, head_activation="relu", dropout=0.0)
    with torch.autocast("cpu", torch.bfloat16):
        assert head(torch.randn(4, 5).bfloat16()).dtype == torch.float32
