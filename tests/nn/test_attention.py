from __future__ import annotations

import pytest
import torch

from seqline.nn.attention import ATTENTIONS, AdditiveAttention, Attention, DotAttention, GeneralAttention

QUERY, MEMORY, HIDDEN = 4, 6, 5


def some_attention(name: str) -> Attention:
    return ATTENTIONS[name](
        query_size=QUERY, memory_size=QUERY if name == "dot" else MEMORY, hidden_size=HIDDEN
    )


def some_reading(attention: Attention) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    queries, memory = torch.randn(2, 3, QUERY), torch.randn(2, 7, attention.memory_size)
    return queries, memory, torch.arange(7) < torch.tensor([[7], [4]])


@pytest.mark.parametrize("name", ATTENTIONS)
def test_weights_sum_to_one_over_real_steps_and_are_zero_on_padding(name: str) -> None:
    attention = some_attention(name)
    queries, memory, mask = some_reading(attention)
    contexts, weights = attention(queries, attention.keys(memory), memory, mask)
    assert contexts.shape == (2, 3, attention.memory_size)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(2, 3))
    assert (weights[1, :, 4:] == 0).all()
    torch.testing.assert_close(contexts, torch.einsum("but,btm->bum", weights, memory))


@pytest.mark.parametrize("name", ATTENTIONS)
def test_what_stands_in_the_padding_changes_nothing(name: str) -> None:
    attention = some_attention(name)
    queries, memory, mask = some_reading(attention)
    junk = torch.where(mask.unsqueeze(-1), memory, torch.full_like(memory, 1e4))
    clean = attention(queries, attention.keys(memory), memory, mask)
    dirty = attention(queries, attention.keys(junk), junk, mask)
    torch.testing.assert_close(clean[0], dirty[0])
    torch.testing.assert_close(clean[1], dirty[1])


@pytest.mark.parametrize("name", ATTENTIONS)
def test_queries_do_not_see_each_other(name: str) -> None:
    attention = some_attention(name)
    queries, memory, mask = some_reading(attention)
    together, _ = attention(queries, attention.keys(memory), memory, mask)
    alone, _ = attention(queries[:, 1:2], attention.keys(memory), memory, mask)
    torch.testing.assert_close(together[:, 1:2], alone)


def test_additive_scores_are_bahdanaus() -> None:
    attention = AdditiveAttention(query_size=QUERY, memory_size=MEMORY, hidden_size=HIDDEN)
    queries, memory, mask = some_reading(attention)
    hidden = torch.tanh(
        attention.query_layer.weight @ queries[1, 2]
        + attention.memory_layer.weight @ memory[1, 3]
        + attention.memory_layer.bias
    )
    expected = attention.score_layer.weight[0] @ hidden
    torch.testing.assert_close(attention.scores(queries, attention.keys(memory))[1, 2, 3], expected)
    assert mask[1, 3]


def test_dot_scores_are_products_and_general_scores_are_learnt_ones() -> None:
    dot = DotAttention(query_size=2, memory_size=2, hidden_size=0)
    query, memory = torch.tensor([[[1.0, 2.0]]]), torch.tensor([[[3.0, 4.0], [0.0, 1.0]]])
    assert dot.scores(query, dot.keys(memory)).tolist() == [[[11.0, 2.0]]]
    general = GeneralAttention(query_size=2, memory_size=2, hidden_size=0)
    with torch.no_grad():
        general.memory_layer.weight.copy_(torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    assert general.scores(query, general.keys(memory)).tolist() == [[[10.0, 1.0]]]


def test_no_attention_reads_the_mean_of_the_real_steps() -> None:
    attention = some_attention("none")
    queries, memory, mask = some_reading(attention)
    contexts, _ = attention(queries, attention.keys(memory), memory, mask)
    torch.testing.assert_close(contexts[1, 0], memory[1, :4].mean(dim=0))


def test_dot_refuses_sizes_it_cannot_compare() -> None:
    with pytest.raises(ValueError, match="query of 4 with a memory of 6"):
        DotAttention(query_size=4, memory_size=6, hidden_size=0)
