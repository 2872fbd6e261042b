from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from seqline.batch import IGNORED, SequenceBatch
from seqline.nn.cells import CELLS
from seqline.nn.crf import Chain, log_likelihood, viterbi
from seqline.nn.tagger import CHARACTER_READERS, NUM_CHARACTERS, SequenceTagger

VOCAB_SIZE, NUM_TAGS, LETTERS = 20, 4, 6


def build(**settings: Any) -> SequenceTagger:
    defaults: dict[str, Any] = {
        "vocab_size": VOCAB_SIZE,
        "num_tags": NUM_TAGS,
        "embedding_dim": 6,
        "embedding_std": 1.0,
        "hidden_size": 5,
        "num_layers": 1,
        "cell": "lstm",
        "nonlinearity": "tanh",
        "bidirectional": True,
        "dropout": 0.0,
        "embedding_dropout": 0.0,
        "word_dropout": 0.0,
        "layer_dropout": 0.0,
        "characters": "cnn",
        "character_dim": 5,
        "character_features": 8,
        "crf": True,
    }
    return SequenceTagger(**(defaults | settings))


def some_rows(count: int, longest: int) -> list[tuple[Tensor, Tensor]]:
    rows = []
    for length in torch.randint(1, longest + 1, (count,)).tolist():
        letters = torch.randint(1, NUM_CHARACTERS, (length, LETTERS))
        ends = torch.randint(1, LETTERS + 1, (length, 1))
        letters[torch.arange(LETTERS) >= ends] = 0
        rows.append((torch.randint(1, VOCAB_SIZE, (length,)), letters))
    return rows


def batch_of(
    rows: list[tuple[Tensor, Tensor]], *, width: int = 0, before: bool = False, junk: bool = False
) -> SequenceBatch:
    lengths = torch.tensor([len(ids) for ids, _ in rows])
    width = width or int(lengths.max())
    shape = (len(rows), width)
    inputs = torch.randint(0, VOCAB_SIZE, shape) if junk else torch.zeros(shape).long()
    letters = (
        torch.randint(0, NUM_CHARACTERS, (*shape, LETTERS)) if junk else torch.zeros(*shape, LETTERS).long()
    )
    mask = torch.zeros(shape, dtype=torch.bool)
    for row, (ids, characters) in enumerate(rows):
        place = slice(width - len(ids), width) if before else slice(0, len(ids))
        inputs[row, place], letters[row, place], mask[row, place] = ids, characters, True
    return SequenceBatch(inputs, lengths, mask, extras={"characters": letters})


def emissions(outputs: Tensor, *, crf: bool) -> Tensor:
    return Chain.unpacked(outputs).emissions if crf else outputs


@pytest.mark.parametrize("crf", [True, False])
@pytest.mark.parametrize("characters", ["none", *CHARACTER_READERS])
@pytest.mark.parametrize("cell", list(CELLS))
def test_an_answer_does_not_depend_on_the_batch(cell: str, characters: str, crf: bool) -> None:
    model = build(cell=cell, characters=characters, crf=crf, num_layers=2).eval()
    rows = some_rows(7, 9)
    with torch.inference_mode():
        alone = [emissions(model(batch_of([row])), crf=crf)[0] for row in rows]
        assert float(torch.cat(alone).std()) > 0.05
        for padding in ({}, {"width": 15}, {"width": 15, "before": True}, {"width": 12, "junk": True}):
            together = emissions(model(batch_of(rows, **padding)), crf=crf)
            assert together.shape[1] == max(len(ids) for ids, _ in rows)
            for row, expected in enumerate(alone):
                torch.testing.assert_close(together[row, : len(expected)], expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("characters", list(CHARACTER_READERS))
def test_letters_alone_tell_unknown_words_apart(characters: str) -> None:
    model = build(characters=characters).eval()
    rows = some_rows(2, 1)
    letters = torch.tensor([[[10, 11, 12, 0, 0, 0]], [[10, 11, 13, 0, 0, 0]]])
    with torch.inference_mode():
        first, second = [
            emissions(model(batch_of([(rows[0][0], value)])), crf=True)[0, 0] for value in letters
        ]
    assert float((first - second).abs().max()) > 1e-3


def test_unread_letters_after_the_word_change_nothing() -> None:
    model = build(characters="lstm").eval()
    ids, letters = some_rows(1, 5)[0]
    wider = torch.cat([letters, torch.zeros(len(ids), 3).long()], dim=1)
    torch.testing.assert_close(model(batch_of([(ids, letters)])), model(with_letters(ids, wider)))


def with_letters(ids: Tensor, letters: Tensor) -> SequenceBatch:
    lengths = torch.tensor([len(ids)])
    mask = torch.ones(1, len(ids), dtype=torch.bool)
    return SequenceBatch(ids.unsqueeze(0), lengths, mask, extras={"characters": letters.unsqueeze(0)})


def test_every_parameter_learns_and_padding_vectors_stay_zero() -> None:
    model = build(word_dropout=0.2, embedding_dropout=0.2, dropout=0.2)
    batch = batch_of(some_rows(5, 6))
    tags = torch.randint(0, NUM_TAGS, batch.mask.shape).masked_fill(~batch.mask, IGNORED)
    (-log_likelihood(Chain.unpacked(model(batch)), tags, batch.lengths).mean()).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    assert not model.embedding.weight.grad[0].any()  # type: ignore[index]


def test_dropped_words_are_read_as_unknown_while_training_only() -> None:
    model = build(characters="none", word_dropout=0.999, crf=False)
    ids = torch.arange(2, 18)
    batch = SequenceBatch(ids.unsqueeze(0), torch.tensor([16]), torch.ones(1, 16, dtype=torch.bool))
    unknown = SequenceBatch(torch.ones_like(batch.inputs), batch.lengths, batch.mask)
    assert torch.allclose(model(batch), model(unknown))
    assert not torch.allclose(model.eval()(batch), model(unknown))


def test_outputs_are_float32_under_autocast() -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert build()(batch_of(some_rows(3, 4))).dtype == torch.float32


def test_bad_settings_are_refused() -> None:
    with pytest.raises(KeyError):
        build(characters="transformer")
    with pytest.raises(ValueError, match="halved"):
        build(characters="lstm", character_features=7)


def test_a_chain_learns_a_tag_that_depends_on_the_tag_before_only() -> None:
    """Inputs say nothing but the length: start with tag 0, then 1, 2, 0, ...: only moves between tags can know it."""
    model = build(characters="none", hidden_size=1, bidirectional=False, num_tags=3, dropout=0.9)
    optimizer = torch.optim.Adam([*model.transitions.parameters()], lr=0.2)  # type: ignore[union-attr]
    lengths = torch.randint(2, 9, (16,))
    steps = torch.arange(8)
    mask = steps < lengths.unsqueeze(1)
    tags = (steps % 3).expand(16, 8)
    batch = SequenceBatch(torch.ones(16, 8, dtype=torch.int64), lengths, mask)
    for _ in range(60):
        optimizer.zero_grad()
        (-log_likelihood(Chain.unpacked(model(batch)), tags, lengths).mean()).backward()
        optimizer.step()
    best = viterbi(Chain.unpacked(model.eval()(batch)), lengths)
    assert torch.equal(best[:, : int(lengths.max())][mask[:, : int(lengths.max())]], tags[mask])
