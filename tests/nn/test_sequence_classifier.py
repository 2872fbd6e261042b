from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seqline.batch import SequenceBatch
from seqline.nn.cells import CELLS, NONLINEARITIES
from seqline.nn.classifier import PADDING_ID, SequenceClassifier
from seqline.nn.pooling import POOLINGS

VOCAB_SIZE, NUM_CLASSES = 40, 3
EVERY_CELL = [
    *((cell, "tanh") for cell in CELLS),
    *(("rnn", name) for name in NONLINEARITIES if name != "tanh"),
]
FIXED_WIDTH_AFTER = "after"
FIXED_WIDTH_BEFORE = "before"


def build(**settings: Any) -> SequenceClassifier:
    defaults: dict[str, Any] = {
        "vocab_size": VOCAB_SIZE,
        "num_classes": NUM_CLASSES,
        "embedding_dim": 6,
        "embedding_std": 0.1,
        "hidden_size": 5,
        "num_layers": 1,
        "cell": "lstm",
        "nonlinearity": "tanh",
        "bidirectional": True,
        "pooling": "max_mean",
        "head_size": 0,
        "head_activation": "relu",
        "dropout": 0.0,
        "embedding_dropout": 0.0,
        "word_dropout": 0.0,
        "layer_dropout": 0.0,
    }
    return SequenceClassifier(**(defaults | settings))


def some_texts(count: int, longest: int) -> list[Tensor]:
    return [
        torch.randint(1, VOCAB_SIZE, (int(length),))
        for length in torch.randint(1, longest + 1, (count,)).tolist()
    ]


def batch_of(
    texts: list[Tensor], *, width: int = 0, side: str = FIXED_WIDTH_AFTER, junk: bool = False
) -> SequenceBatch:
    lengths = torch.tensor([len(text) for text in texts])
    width = width or int(lengths.max())
    inputs = (
        torch.randint(0, VOCAB_SIZE, (len(texts), width)) if junk else torch.zeros(len(texts), width).long()
    )
    mask = torch.zeros(len(texts), width, dtype=torch.bool)
    for row, text in enumerate(texts):
        place = slice(0, len(text)) if side == FIXED_WIDTH_AFTER else slice(width - len(text), width)
        inputs[row, place] = text
        mask[row, place] = True
    return SequenceBatch(inputs, lengths, mask)


@torch.no_grad()
def exaggerate(model: SequenceClassifier) -> None:
    """Make answers differ much between texts: near equal ones would agree whatever the padding did."""
    model.embedding.weight.mul_(10)
    model.head.classes.weight.mul_(3)


@torch.inference_mode()
def probs(model: SequenceClassifier, texts: list[Tensor], batch_size: int, **padding: Any) -> Tensor:
    return torch.cat(
        [
            model(batch_of(texts[start : start + batch_size], **padding)).softmax(dim=1)
            for start in range(0, len(texts), batch_size)
        ]
    )


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_a_text_has_the_same_answer_in_any_batch_at_any_padding(
    cell: str, nonlinearity: str, bidirectional: bool, pooling: str
) -> None:
    model = build(cell=cell, nonlinearity=nonlinearity, bidirectional=bidirectional, pooling=pooling).eval()
    exaggerate(model)
    texts = some_texts(120, longest=12)
    alone = probs(model, texts, 1)
    assert alone.std(dim=0).min() > 0.005
    for name, other in {
        "batches of 7": probs(model, texts, 7),
        "batches of 64": probs(model, texts, 64),
        "twice the width": probs(model, texts, 64, width=24),
        "padded before": probs(model, texts, 64, width=24, side=FIXED_WIDTH_BEFORE),
        "junk after": probs(model, texts, 64, width=24, junk=True),
        "junk before": probs(model, texts, 7, width=24, side=FIXED_WIDTH_BEFORE, junk=True),
    }.items():
        assert (other - alone).abs().max() <= 1e-6, name


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_every_combination_learns_from_a_padded_batch_and_every_parameter_takes_part(
    cell: str, nonlinearity: str, num_layers: int, bidirectional: bool, pooling: str
) -> None:
    model = build(
        cell=cell,
        nonlinearity=nonlinearity,
        num_layers=num_layers,
        bidirectional=bidirectional,
        pooling=pooling,
        head_size=4,
        head_activation="tanh",
        dropout=0.1,
        embedding_dropout=0.1,
        word_dropout=0.1,
        layer_dropout=0.1 if num_layers > 1 else 0.0,
    )
    logits = model(batch_of(some_texts(16, longest=9), width=12, junk=True))
    assert logits.shape == (16, NUM_CLASSES)
    nn.functional.cross_entropy(logits, torch.arange(16) % NUM_CLASSES).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("cell", CELLS)
def test_padding_ids_and_junk_in_the_padding_get_no_gradient(cell: str, pooling: str) -> None:
    model = build(cell=cell, pooling=pooling)
    texts = [torch.tensor([3, 4, 5]), torch.tensor([6])]
    batch = batch_of(texts)
    batch.inputs[1, 1:] = 30
    model(batch).square().sum().backward()
    gradient = model.embedding.weight.grad
    assert gradient is not None
    moved = gradient.abs().amax(dim=1).nonzero().flatten().tolist()
    assert moved == [3, 4, 5, 6]
    assert model.embedding.weight[PADDING_ID].abs().max() == 0


@pytest.mark.parametrize("junk", [-1, VOCAB_SIZE])
def test_ids_in_the_padding_may_lie_outside_the_vocabulary(junk: int) -> None:
    model = build()
    batch = batch_of([torch.tensor([3, 4, 5]), torch.tensor([6])])
    expected = model(batch)
    batch.inputs[1, 1:] = junk
    assert torch.equal(model(batch), expected)


def test_gradients_do_not_depend_on_the_padding() -> None:
    texts = some_texts(16, longest=9)
    gradients = []
    for padding in ({}, {"width": 20}, {"width": 20, "side": FIXED_WIDTH_BEFORE, "junk": True}):
        torch.manual_seed(1)
        model = build()
        batch = batch_of(texts, **padding)
        nn.functional.cross_entropy(model(batch), torch.arange(16) % NUM_CLASSES).backward()
        gradients.append({name: parameter.grad for name, parameter in model.named_parameters()})
    for name, expected in gradients[0].items():
        for other in gradients[1:]:
            torch.testing.assert_close(other[name], expected, rtol=0, atol=1e-6, msg=name)


def test_the_batch_given_is_left_as_it_was() -> None:
    batch = batch_of(some_texts(4, longest=6), width=10, side=FIXED_WIDTH_BEFORE, junk=True)
    inputs, mask = batch.inputs.clone(), batch.mask.clone()
    build()(batch)
    assert torch.equal(batch.inputs, inputs)
    assert torch.equal(batch.mask, mask)


def test_all_dropout_is_off_in_evaluation_and_each_kind_acts_in_training() -> None:
    batch = batch_of(some_texts(8, longest=9))
    for name in ("dropout", "embedding_dropout", "word_dropout", "layer_dropout"):
        torch.manual_seed(2)
        model = build(num_layers=2, **{name: 0.5})
        torch.manual_seed(2)
        plain = build(num_layers=2)
        assert not torch.allclose(model(batch), plain(batch), atol=1e-5), name
        assert torch.equal(model.eval()(batch), plain.eval()(batch)), name


def test_the_order_of_words_matters() -> None:
    model = build().eval()
    exaggerate(model)
    text = torch.tensor([3, 4, 5, 6, 7])
    there, back = probs(model, [text, text.flip(0)], 2)
    assert (there - back).abs().max() > 1e-3


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_bf16_autocast_gives_float32_logits_near_those_of_float32(
    cell: str, nonlinearity: str, pooling: str
) -> None:
    model = build(cell=cell, nonlinearity=nonlinearity, pooling=pooling).eval()
    batch = batch_of(some_texts(32, longest=40), width=64)
    reference = model(batch)
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(batch)
        logits.sum().backward()
    assert logits.dtype == torch.float32
    torch.testing.assert_close(logits, reference, rtol=0.05, atol=0.03)
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_the_head_keeps_its_digits_under_bf16_autocast() -> None:
    model = build(head_size=7).eval()
    pooled: list[Tensor] = []
    model.pooling.register_forward_hook(lambda module, inputs, features: pooled.append(features))
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(batch_of(some_texts(16, longest=20)))
    torch.testing.assert_close(logits, model.head(pooled[0]), rtol=0, atol=1e-7)


@pytest.mark.parametrize(("cell", "nonlinearity"), EVERY_CELL)
def test_a_toy_problem_of_order_is_learnt(cell: str, nonlinearity: str) -> None:
    # Whether word 2 comes before word 3: no bag of words can tell.
    generator = torch.Generator().manual_seed(3)
    texts, targets = [], []
    for _ in range(128):
        filler = torch.randint(
            4, 12, (int(torch.randint(0, 4, (), generator=generator)),), generator=generator
        )
        target = int(torch.randint(0, 2, (), generator=generator))
        texts.append(torch.cat([filler, torch.tensor([[2, 3], [3, 2]][target])]))
        targets.append(target)
    batch, expected = batch_of(texts), torch.tensor(targets)
    model = build(cell=cell, nonlinearity=nonlinearity, num_classes=2, hidden_size=8)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(batch), expected).backward()
        optimizer.step()
    assert model(batch).argmax(dim=1).eq(expected).float().mean() == 1


def test_the_same_seed_builds_the_same_network() -> None:
    first, second = (build_seeded() for _ in range(2))
    for (name, value), other in zip(first.state_dict().items(), second.state_dict().values(), strict=True):
        assert torch.equal(value, other), name


def build_seeded() -> SequenceClassifier:
    torch.manual_seed(4)
    return build(num_layers=2, head_size=3, pooling="attention")


def test_an_unknown_part_is_refused() -> None:
    for setting in ({"cell": "ltsm"}, {"pooling": "first"}, {"head_activation": "swish"}):
        with pytest.raises(KeyError):
            build(**setting)
    for bidirectional, cell in itertools.product([False, True], ["lstm", "gru"]):
        with pytest.raises(ValueError, match="acts on cell rnn only"):
            build(cell=cell, nonlinearity="relu", bidirectional=bidirectional)
