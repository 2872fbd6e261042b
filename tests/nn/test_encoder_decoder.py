from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from seqline.batch import BEGIN_ID, END_ID, PADDING_ID, SequenceBatch
from seqline.nn.attention import ATTENTIONS
from seqline.nn.beam import Marks, beam_search, greedy
from seqline.nn.cells import CELLS
from seqline.nn.encoder_decoder import EncoderDecoder

SOURCE_VOCAB, TARGET_VOCAB = 12, 14
MARKS = Marks(begin=BEGIN_ID, end=END_ID, forbidden=(PADDING_ID, BEGIN_ID))


def build(**settings: Any) -> EncoderDecoder:
    defaults: dict[str, Any] = {
        "source_vocab_size": SOURCE_VOCAB,
        "input_size": 0,
        "target_vocab_size": TARGET_VOCAB,
        "embedding_dim": 6,
        "embedding_std": 0.5,
        "hidden_size": 4,
        "decoder_size": 0,
        "num_layers": 1,
        "cell": "lstm",
        "nonlinearity": "tanh",
        "bidirectional": True,
        "attention": "additive",
        "input_feeding": False,
        "tie_embeddings": False,
        "teacher_forcing_ratio": 1.0,
        "dropout": 0.0,
        "embedding_dropout": 0.0,
        "word_dropout": 0.0,
        "layer_dropout": 0.0,
    }
    return EncoderDecoder(**(defaults | settings))


def padded(rows: list[Tensor], *, width: int = 0, before: bool = False) -> Tensor:
    width = max(width, *(len(row) for row in rows))
    sides = [(width - len(row), 0) if before else (0, width - len(row)) for row in rows]
    return torch.stack([F.pad(row, side) for row, side in zip(rows, sides, strict=True)])


def batch_of(
    sources: list[Tensor], targets: list[Tensor] | None = None, *, width: int = 0, before: bool = False
) -> SequenceBatch:
    lengths = torch.tensor([len(row) for row in sources])
    inputs = padded(sources, width=width, before=before)
    steps = torch.arange(inputs.shape[1])
    real = steps >= inputs.shape[1] - lengths[:, None] if before else steps < lengths[:, None]
    return SequenceBatch(inputs, lengths, real, None if targets is None else padded(targets))


def some_pairs(count: int) -> tuple[list[Tensor], list[Tensor]]:
    def words(vocab_size: int) -> Tensor:
        return torch.randint(4, vocab_size, (int(torch.randint(1, 7, ())),))

    ended = [torch.cat([words(TARGET_VOCAB), torch.tensor([END_ID])]) for _ in range(count)]
    return [words(SOURCE_VOCAB) for _ in range(count)], ended


@pytest.mark.parametrize(
    ("attention", "cell", "feeding", "tied", "layers", "both_ways"),
    [
        (attention, cell, *flags)
        for (attention, cell), flags in zip(
            itertools.product(ATTENTIONS, CELLS),
            itertools.cycle(
                [
                    (False, False, 1, True),
                    (True, True, 2, False),
                    (False, True, 2, True),
                    (True, False, 1, True),
                ]
            ),
            strict=False,
        )
    ],
)
def test_every_network_learns_and_its_steps_equal_its_teacher_forced_answer(
    attention: str, cell: str, feeding: bool, tied: bool, layers: int, both_ways: bool
) -> None:
    network = build(
        attention=attention,
        cell=cell,
        input_feeding=feeding,
        tie_embeddings=tied,
        num_layers=layers,
        bidirectional=both_ways,
    )
    batch = batch_of(*some_pairs(5))
    logits = network(batch)
    assert batch.targets is not None
    assert logits.shape == (*batch.targets.shape, TARGET_VOCAB)
    F.cross_entropy(logits.flatten(0, 1), batch.targets.flatten(), ignore_index=PADDING_ID).backward()
    silent = [name for name, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []
    network.eval()
    with torch.inference_mode():
        state, words = network.begin(batch), torch.full((5,), BEGIN_ID)
        expected = network(batch).log_softmax(dim=-1)
        looked = network.attend(batch)
        for place in range(batch.targets.shape[1]):
            log_probs, weights, state = network.step(words, state)
            torch.testing.assert_close(log_probs, expected[:, place], atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(weights, looked[:, place], atol=1e-5, rtol=1e-5)
            words = batch.targets[:, place]


@pytest.mark.parametrize("attention", ["additive", "none"])
def test_an_answer_does_not_depend_on_its_batch(attention: str) -> None:
    network = build(attention=attention, num_layers=2).eval()
    sources, targets = some_pairs(6)
    with torch.inference_mode():
        together = network(batch_of(sources, targets))
        wide = network(batch_of(sources, targets, width=15))
        left = network(batch_of(sources, targets, width=11, before=True))
        junk = batch_of(sources, targets, width=11)
        junk = network(
            SequenceBatch(torch.where(junk.mask, junk.inputs, 9), junk.lengths, junk.mask, junk.targets)
        )
        for row, (source, target) in enumerate(zip(sources, targets, strict=True)):
            alone = network(batch_of([source], [target]))[0]
            for other in (together, wide, left, junk):
                torch.testing.assert_close(other[row, : len(target)], alone, atol=1e-5, rtol=1e-5)


def test_a_source_of_vectors_is_padded_on_either_side_too() -> None:
    network = build(source_vocab_size=0, input_size=3, attention="general").eval()
    frames = [torch.randn(4, 3), torch.randn(2, 3)]
    targets = [torch.tensor([5, 6, END_ID]), torch.tensor([7, END_ID])]
    real = torch.tensor([[True] * 4, [True] * 2 + [False] * 2])
    after = torch.zeros(2, 4, 3)
    after[0], after[1, :2], after[1, 2:] = frames[0], frames[1], float("nan")
    before = torch.full((2, 4, 3), 9.0)
    before[0], before[1, 2:] = frames[0], frames[1]
    with torch.inference_mode():
        one = network(SequenceBatch(after, torch.tensor([4, 2]), real, padded(targets)))
        other = network(SequenceBatch(before, torch.tensor([4, 2]), real.flip(1), padded(targets)))
    torch.testing.assert_close(one[1, :2], other[1, :2])
    torch.testing.assert_close(one[0], other[0])


def test_tied_vectors_are_one_parameter_under_one_name() -> None:
    tied, free = build(tie_embeddings=True), build()
    assert "output_weight" not in tied.state_dict()
    assert sum(p.numel() for p in free.parameters()) - sum(p.numel() for p in tied.parameters()) == 14 * 6


def test_scheduled_sampling_acts_in_training_only_and_is_teacher_forcing_at_ratio_one() -> None:
    torch.manual_seed(3)
    network = build(teacher_forcing_ratio=0.0, input_feeding=True, decoder_size=5)
    batch = batch_of(*some_pairs(8))
    own = network(batch)
    network.teacher_forcing_ratio = 1.0
    forced = network(batch)
    network.teacher_forcing_ratio = (
        1 - 1e-12
    )  # the loop of scheduled sampling, where every draw keeps the truth
    torch.testing.assert_close(network(batch), forced, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(own[:, 0], forced[:, 0])
    assert not torch.allclose(own[:, 1:], forced[:, 1:], atol=1e-4)
    network.teacher_forcing_ratio = 0.0
    torch.testing.assert_close(network.eval()(batch), forced)


def test_a_network_needs_one_kind_of_source_and_a_possible_ratio() -> None:
    with pytest.raises(ValueError, match="give one size"):
        build(input_size=3)
    with pytest.raises(ValueError, match="give one size"):
        build(source_vocab_size=0)
    with pytest.raises(ValueError, match=r"teacher_forcing_ratio 1\.5"):
        build(teacher_forcing_ratio=1.5)
    with pytest.raises(ValueError, match="needs targets"):
        build()(batch_of(*some_pairs(2)[:1]))


def random_words(count: int, longest: int) -> list[Tensor]:
    lengths = torch.randint(1, longest + 1, (count,)).tolist()
    return [torch.randint(4, SOURCE_VOCAB, (length,)) for length in lengths]


@pytest.mark.parametrize(
    ("turn", "attention", "feeding", "steps"),
    [("reverse", "general", False, 300), ("copy", "additive", True, 200)],
)
def test_it_learns_to_reverse_and_to_copy_exactly(
    turn: str, attention: str, feeding: bool, steps: int
) -> None:
    torch.manual_seed(1)
    network = build(
        embedding_dim=32, hidden_size=32, decoder_size=48, attention=attention, input_feeding=feeding
    )
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=steps)

    def target(words: Tensor) -> Tensor:
        return torch.cat([words.flip(0) if turn == "reverse" else words, torch.tensor([END_ID])])

    for _ in range(steps):
        sources = random_words(32, 5)
        batch = batch_of(sources, [target(words) for words in sources])
        assert batch.targets is not None
        loss = F.cross_entropy(network(batch).flatten(0, 1), batch.targets.flatten(), ignore_index=PADDING_ID)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    network.eval()
    fresh = random_words(200, 5)
    with torch.inference_mode():
        state = network.begin(batch_of(fresh))
    plain = greedy(network, state, rows=200, marks=MARKS, max_length=8)
    beams = beam_search(network, state, rows=200, marks=MARKS, max_length=8, beam_size=3)
    for words, answer, best in zip(fresh, plain, beams, strict=True):
        assert answer.tokens.tolist() == target(words)[:-1].tolist()
        assert best[0].tokens.tolist() == answer.tokens.tolist()
    if turn == "reverse":
        longest = max(range(200), key=lambda row: len(fresh[row]))
        looked = plain[longest].attention[:, : len(fresh[longest])].argmax(dim=1)
        assert looked.tolist() == list(range(len(fresh[longest])))[::-1]
