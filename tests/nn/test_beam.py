from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from seqline.batch import BEGIN_ID, END_ID, PADDING_ID, SequenceBatch
from seqline.nn.beam import Hypothesis, Marks, beam_search, copy_unknown, greedy, length_penalty
from seqline.nn.encoder_decoder import EncoderDecoder

MARKS = Marks(begin=BEGIN_ID, end=END_ID, forbidden=(PADDING_ID, BEGIN_ID))
VOCAB = 7


@dataclass(frozen=True)
class WordBefore:
    """A state that only knows the row's table of chances."""

    table: Tensor

    def select(self, rows: Tensor) -> WordBefore:
        return WordBefore(self.table[rows])

    def follow(self, rows: Tensor) -> WordBefore:
        return self


class Chain:
    """A first-order chain: log-probabilities by the word before, (R, V, V); attention looks at that word's place."""

    def step(self, ids: Tensor, state: WordBefore) -> tuple[Tensor, Tensor, WordBefore]:
        rows = torch.arange(len(ids))
        return state.table[rows, ids], F.one_hot(ids, VOCAB).float(), state


def chains(rows: int, *, seed: int, sharpness: float = 2.0) -> WordBefore:
    generator = torch.Generator().manual_seed(seed)
    return WordBefore((sharpness * torch.randn(rows, VOCAB, VOCAB, generator=generator)).log_softmax(-1))


def log_prob_of(table: Tensor, tokens: list[int]) -> float:
    return sum(float(table[a, b]) for a, b in itertools.pairwise([BEGIN_ID, *tokens, END_ID]))


def best_of_all(table: Tensor, *, max_length: int, alpha: float) -> tuple[float, list[int]]:
    words = [word for word in range(VOCAB) if word not in (PADDING_ID, BEGIN_ID, END_ID)]
    every = itertools.chain.from_iterable(
        itertools.product(words, repeat=length) for length in range(1, max_length + 1)
    )
    scored = (
        (log_prob_of(table, [*tokens]) / length_penalty(len(tokens) + 1, alpha), [*tokens])
        for tokens in every
    )
    return max(scored)


@pytest.mark.parametrize("alpha", [0.0, 0.8])
def test_a_beam_wider_than_all_beginnings_finds_the_best_sequence_of_all(alpha: float) -> None:
    state = chains(12, seed=4, sharpness=1.0)
    found = beam_search(Chain(), state, rows=12, marks=MARKS, max_length=4, beam_size=256, alpha=alpha)
    for table, hypotheses in zip(state.table, found, strict=True):
        score, tokens = best_of_all(table, max_length=4, alpha=alpha)
        assert hypotheses[0].tokens.tolist() == tokens
        assert hypotheses[0].score == pytest.approx(score, abs=1e-5)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), alpha=st.sampled_from([0.0, 0.6, 1.0]), max_length=st.integers(1, 9))
def test_a_beam_of_one_is_greedy_decoding_and_a_wider_one_never_scores_less(
    seed: int, alpha: float, max_length: int
) -> None:
    state = chains(6, seed=seed)
    plain = greedy(Chain(), state, rows=6, marks=MARKS, max_length=max_length, alpha=alpha)
    one = beam_search(Chain(), state, rows=6, marks=MARKS, max_length=max_length, beam_size=1, alpha=alpha)
    five = beam_search(
        Chain(), state, rows=6, marks=MARKS, max_length=max_length, beam_size=5, alpha=alpha, n_best=6
    )
    for row, (answer, alone, best) in enumerate(zip(plain, one, five, strict=True)):
        assert (alone[0].tokens.tolist(), alone[0].log_prob) == (answer.tokens.tolist(), answer.log_prob)
        assert best[0].score >= answer.score
        if alpha == 0:
            assert best[0].log_prob >= answer.log_prob
        assert [h.score for h in best] == sorted((h.score for h in best), reverse=True)
        assert len({tuple(h.tokens.tolist()) for h in best}) == len(best)
        for hypothesis in best:
            tokens = hypothesis.tokens.tolist()
            assert not {PADDING_ID, BEGIN_ID, END_ID} & set(tokens)
            assert hypothesis.log_prob == pytest.approx(log_prob_of(state.table[row], tokens), abs=1e-4)
            # The chain looks at the word before, so attention tells whether rows kept their own history.
            assert hypothesis.attention.argmax(dim=1).tolist() == [BEGIN_ID, *tokens][:-1]


def test_the_search_itself_narrows_to_greedy_at_width_one() -> None:
    """Without the short cut for a beam of 1: the same search must come to the same sequences."""
    from seqline.nn import beam

    state = chains(40, seed=9)
    plain = greedy(Chain(), state, rows=40, marks=MARKS, max_length=8)
    found: list[list[Hypothesis]] = [[] for _ in range(40)]
    beams, moved, words = beam._first_beams(40, 1, width=VOCAB), state, torch.full((40,), BEGIN_ID)
    for position in range(9):
        log_probs, weights, moved = Chain().step(words, moved)
        allowed = beam._allowed(log_probs, MARKS, position=position, max_length=8)
        beam._advance(beams, allowed, weights, found, end=END_ID, alpha=0.0, is_last=position == 8)
        words = beams.tokens[:, :, -1].flatten()
    assert [h.tokens.tolist() for (h,) in found] == [h.tokens.tolist() for h in plain]
    assert [h.log_prob for (h,) in found] == [h.log_prob for h in plain]


def test_a_beam_finds_what_greedy_decoding_misses() -> None:
    table = torch.full((1, VOCAB, VOCAB), 1e-6)
    table[0, BEGIN_ID, [4, 5]] = torch.tensor([0.6, 0.4])
    table[0, 4, [4, 5, 6, END_ID]] = torch.tensor([0.25, 0.25, 0.25, 0.25])
    table[0, 5, END_ID] = 1.0
    table[0, 6, END_ID] = 1.0
    state = WordBefore(table.log())
    plain = greedy(Chain(), state, rows=1, marks=MARKS, max_length=5)[0]
    best, *others = beam_search(Chain(), state, rows=1, marks=MARKS, max_length=5, beam_size=3, n_best=3)[0]
    assert plain.tokens.tolist()[0] == 4
    assert best.tokens.tolist() == [5]
    assert best.log_prob > plain.log_prob
    assert len(others) == 2


def test_a_length_penalty_prefers_longer_sequences() -> None:
    table = torch.full((1, VOCAB, VOCAB), 1e-9)
    table[0, BEGIN_ID, [4, 5]] = torch.tensor([0.49, 0.51])
    table[0, 4, 6] = table[0, 5, END_ID] = 1.0
    table[0, 6, [6, END_ID]] = torch.tensor([0.02, 0.98])
    state = WordBefore(table.log())
    for alpha, tokens in ((0.0, [5]), (2.0, [4, 6])):
        best = beam_search(Chain(), state, rows=1, marks=MARKS, max_length=6, beam_size=2, alpha=alpha)[0][0]
        assert best.tokens.tolist() == tokens
        assert best.attention.shape == (len(tokens), VOCAB)


def test_no_sequence_is_empty_however_likely_the_end() -> None:
    table = torch.full((1, VOCAB, VOCAB), 1e-3)
    table[0, :, END_ID] = 0.99
    table[0, BEGIN_ID, 5] = 2e-3
    state = WordBefore(table.log())
    for beam_size in (1, 4):
        best = beam_search(Chain(), state, rows=1, marks=MARKS, max_length=3, beam_size=beam_size)[0][0]
        assert best.tokens.tolist() == [5]
        assert best.log_prob == pytest.approx(log_prob_of(state.table[0], [5]), abs=1e-5)


def test_a_sequence_that_will_not_end_is_cut_and_says_so() -> None:
    table = torch.full((1, VOCAB, VOCAB), 1e-3)
    table[0, :, 4] = 0.99
    state = WordBefore(table.log())
    for answer in (
        greedy(Chain(), state, rows=1, marks=MARKS, max_length=3)[0],
        beam_search(Chain(), state, rows=1, marks=MARKS, max_length=3, beam_size=1)[0][0],
    ):
        assert (answer.tokens.tolist(), answer.was_cut) == ([4, 4, 4], True)
        assert answer.log_prob == pytest.approx(log_prob_of(state.table[0], [4, 4, 4]), abs=1e-5)
    ended = WordBefore(torch.full((1, VOCAB, VOCAB), 0.1).log().index_fill(2, torch.tensor([END_ID]), 0.0))
    assert not greedy(Chain(), ended, rows=1, marks=MARKS, max_length=3)[0].was_cut


def test_a_network_answers_a_row_alone_as_in_any_batch() -> None:
    torch.manual_seed(2)
    network = EncoderDecoder(
        source_vocab_size=20, input_size=0, target_vocab_size=15, embedding_dim=8, embedding_std=1.0,
        hidden_size=8, decoder_size=0, num_layers=1, cell="gru", nonlinearity="tanh", bidirectional=True, attention="general",
        input_feeding=True, tie_embeddings=False, teacher_forcing_ratio=1.0, dropout=0.0,
        embedding_dropout=0.0, word_dropout=0.0, layer_dropout=0.0,
    ).eval()  # fmt: skip
    lengths = torch.tensor([3, 9, 1, 6])
    mask = torch.arange(9) < lengths[:, None]
    inputs = torch.randint(4, 20, (4, 9)) * mask

    def answers(rows: slice) -> list[list[Hypothesis]]:
        batch = SequenceBatch(inputs[rows], lengths[rows], mask[rows])
        with torch.inference_mode():
            state = network.begin(batch)
        count = len(lengths[rows])
        return beam_search(
            network, state, rows=count, marks=MARKS, max_length=12, beam_size=4, alpha=0.7, n_best=3
        )

    together = answers(slice(0, 4))
    for row in range(4):
        alone = answers(slice(row, row + 1))[0]
        for one, other in zip(alone, together[row], strict=True):
            assert one.tokens.tolist() == other.tokens.tolist()
            assert one.log_prob == pytest.approx(other.log_prob, abs=1e-4)
            width = int(lengths[row])
            torch.testing.assert_close(one.attention, other.attention[:, :width], atol=1e-5, rtol=1e-5)
    targets = torch.nn.utils.rnn.pad_sequence(
        [torch.cat([h[0].tokens, torch.tensor([END_ID])]) for h in together], batch_first=True
    )
    with torch.inference_mode():
        log_probs = network(SequenceBatch(inputs, lengths, mask, targets)).log_softmax(-1)
    chosen = log_probs.gather(2, targets.unsqueeze(2)).squeeze(2) * (targets != PADDING_ID)
    for row, total in enumerate(chosen.sum(1).tolist()):
        assert together[row][0].log_prob == pytest.approx(total, abs=1e-4)


def test_unknown_words_are_copied_from_where_the_network_looked() -> None:
    attention = torch.tensor([[0.1, 0.2, 0.7], [0.8, 0.1, 0.1], [0.0, 0.3, 0.2]])
    answer = Hypothesis(torch.tensor([1, 8, 1]), -1.0, -1.0, False, attention)
    words, source = ["[UNK]", "sieht", "[UNK]"], ["Ada", "sees", "Grace"]
    assert copy_unknown(answer, words, source, unknown=1) == ["Grace", "sieht", "sees"]
    known = {"sees": "schaut"}
    assert copy_unknown(answer, words, source, unknown=1, dictionary=known) == ["Grace", "sieht", "schaut"]
    assert copy_unknown(answer, words, source[:2], unknown=1) == ["sees", "sieht", "sees"]


def test_impossible_searches_are_refused() -> None:
    for wrong in ({"beam_size": 0}, {"n_best": 4}, {"alpha": -0.1}, {"max_length": 0}):
        asked = {"beam_size": 2, "n_best": 1, "alpha": 0.0, "max_length": 3} | wrong
        with pytest.raises(ValueError, match="expected at least"):
            beam_search(Chain(), chains(1, seed=0), rows=1, marks=MARKS, **asked)  # type: ignore[arg-type]
