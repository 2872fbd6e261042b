"""The whole network for one tag a step: word vectors, features of their letters, recurrent layers, scores, chain.

The letters of a word come as UTF-8 bytes (`extras["characters"]`), so that no alphabet has to be learnt and no letter is
unknown: what a rare word ends with says more of its part of speech than its vector can.

Legend: B batch, T steps, E embedding, C tags, V vocabulary, K letters, L letter features, N words, F state features.

Source: Huang, Xu and Yu, "Bidirectional LSTM-CRF models for sequence tagging", 2015; Lample et al., "Neural architectures
for named entity recognition", 2016 (letters by LSTM); Ma and Hovy, "End-to-end sequence labeling via bi-directional
LSTM-CNNs-CRF", 2016 (letters by convolution).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqline.batch import PADDING_ID, UNKNOWN_ID, SequenceBatch
from seqline.nn.alignment import align_left
from seqline.nn.crf import Transitions
from seqline.nn.dropout import FeatureDropout
from seqline.nn.recurrent import Recurrent

CHARACTERS = "characters"
# Ids of letters: 0 is padding, a byte b is b + 1, then the marks of a word's begin and end.
NUM_CHARACTERS = 259
_CONVOLUTION_WIDTH = 3


class CharacterCNN(nn.Module):
    """Letters to features of a word: a convolution over neighbouring letters, the largest value of each feature.

    Args:
        embedding_dim: Of a letter.
        features: L.
        dropout: Rate on letter vectors, one mask for all letters of a word.

    Source: Santos and Zadrozny, "Learning character-level representations for part-of-speech tagging", 2014.
    """

    def __init__(self, *, embedding_dim: int, features: int, dropout: float) -> None:
        super().__init__()
        self.output_size = features
        self.embedding = _letter_embedding(embedding_dim)
        self.dropout = FeatureDropout(rate=dropout)
        self.convolution = nn.Conv1d(embedding_dim, features, _CONVOLUTION_WIDTH, padding="same")
        nn.init.xavier_uniform_(self.convolution.weight)

    def forward(self, characters: Tensor) -> Tensor:
        """Read words int64 (N, K), at least one letter each, 0 after them: features (N, L)."""
        letters = self.dropout(self.embedding(characters))
        values: Tensor = self.convolution(letters.transpose(1, 2))
        return values.masked_fill((characters == PADDING_ID).unsqueeze(1), -torch.inf).amax(2).relu()


class CharacterLSTM(nn.Module):
    """Letters to features of a word: the last state of an LSTM from each side.

    Args:
        embedding_dim: Of a letter.
        features: L, an even number.
        dropout: Rate on letter vectors, one mask for all letters of a word.
    """

    def __init__(self, *, embedding_dim: int, features: int, dropout: float) -> None:
        super().__init__()
        if features % 2:
            raise ValueError(f"{features} features cannot be halved between two directions")
        self.output_size = features
        self.embedding = _letter_embedding(embedding_dim)
        self.dropout = FeatureDropout(rate=dropout)
        self.recurrent = Recurrent(
            cell="lstm",
            nonlinearity="tanh",
            input_size=embedding_dim,
            hidden_size=features // 2,
            num_layers=1,
            bidirectional=True,
            layer_dropout=0.0,
        )

    def forward(self, characters: Tensor) -> Tensor:
        """Read words int64 (N, K), at least one letter each, 0 after them: features (N, L)."""
        lengths = (characters != PADDING_ID).sum(1)
        states = self.recurrent(self.dropout(self.embedding(characters)), lengths)
        half = self.output_size // 2
        last = states[torch.arange(len(lengths), device=lengths.device), lengths - 1, :half]
        return torch.cat([last, states[:, 0, half:]], dim=1)


class SequenceTagger(nn.Module):
    """Token ids to scores of tags at each step.

    A sequence's answer does not depend on its batch, on the width or the side of the padding, or on what stands in it.

    Args:
        vocab_size: V; id 0 is padding, 1 is unknown.
        num_tags: C.
        embedding_dim: E.
        embedding_std: Standard deviation that vectors start with.
        hidden_size: Units of each direction of each layer.
        num_layers: Recurrent layers.
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn.
        bidirectional: Whether a second cell reads from the end.
        dropout: Rate on the states that tags are scored from.
        embedding_dropout: Rate on a step's features (word and letters), one mask for all steps.
        word_dropout: Rate of words that are read as unknown while training, their letters kept.
        layer_dropout: Rate between recurrent layers, one mask for all steps.
        characters: A key of `CHARACTER_READERS`, or none.
        character_dim: Of a letter's vector.
        character_features: L.
        crf: Whether moves between tags are scored too.

    Raises:
        KeyError: For an unknown cell or reader of letters.
        ValueError: For a nonlinearity that the cell does not have, or a rate outside [0, 1).
    """

    def __init__(
        self,
        *,
        vocab_size: int,
        num_tags: int,
        embedding_dim: int,
        embedding_std: float,
        hidden_size: int,
        num_layers: int,
        cell: str,
        nonlinearity: str,
        bidirectional: bool,
        dropout: float,
        embedding_dropout: float,
        word_dropout: float,
        layer_dropout: float,
        characters: str,
        character_dim: int,
        character_features: int,
        crf: bool,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=PADDING_ID)
        nn.init.normal_(self.embedding.weight, std=embedding_std)
        nn.init.zeros_(self.embedding.weight[PADDING_ID])
        self.characters = (
            None
            if characters == "none"
            else CHARACTER_READERS[characters](
                embedding_dim=character_dim, features=character_features, dropout=embedding_dropout
            )
        )
        self.word_dropout = word_dropout
        self.embedding_dropout = FeatureDropout(rate=embedding_dropout)
        letters = character_features if self.characters else 0
        self.recurrent = Recurrent(
            cell=cell,
            nonlinearity=nonlinearity,
            input_size=embedding_dim + letters,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=bidirectional,
            layer_dropout=layer_dropout,
        )
        self.dropout = nn.Dropout(dropout)
        self.tags = nn.Linear(self.recurrent.output_size, num_tags)
        nn.init.xavier_uniform_(self.tags.weight)
        nn.init.zeros_(self.tags.bias)
        self.transitions = Transitions(num_tags=num_tags) if crf else None

    def forward(self, batch: SequenceBatch) -> Tensor:
        """Score the tags of a batch.

        Args:
            batch: inputs int64 (B, T), padded on either side; with letters, extras["characters"] int64 (B, T, K): at least
                one of each real step's is not 0, and 0 stands only after the others. The targets are not read.

        Returns:
            float32, also under autocast: emissions (B, W, C), W the longest sequence's steps, aligned left; with a CRF
            a packed `seqline.nn.crf.Chain` (B, 2 + C + W, C).
        """
        ids, mask = align_left(batch.inputs, batch.lengths, batch.mask)
        embedded = self._embedded(ids.masked_fill(~mask, PADDING_ID), mask, batch)
        states = self.recurrent(self.embedding_dropout(embedded), batch.lengths)
        # A small share of the work, and its digits are those of the answer.
        with torch.autocast(states.device.type, enabled=False):
            emissions: Tensor = self.tags(self.dropout(states).float())
            return emissions if self.transitions is None else self.transitions(emissions).packed()

    def _embedded(self, ids: Tensor, mask: Tensor, batch: SequenceBatch) -> Tensor:
        if self.training and self.word_dropout > 0:
            hidden = (torch.rand(ids.shape, device=ids.device) < self.word_dropout) & mask
            ids = ids.masked_fill(hidden, UNKNOWN_ID)
        words: Tensor = self.embedding(ids)
        if self.characters is None:
            return words
        # Real steps stand in the same order before and after the alignment: picked here and laid out there.
        characters = batch.extras[CHARACTERS][batch.mask]
        characters = characters[:, : int((characters != PADDING_ID).sum(1).max())]
        features = self.characters(characters)
        letters = features.new_zeros(*mask.shape, features.shape[1]).masked_scatter(
            mask.unsqueeze(2), features
        )
        return torch.cat([words, letters.to(words.dtype)], dim=2)


def _letter_embedding(embedding_dim: int) -> nn.Embedding:
    embedding = nn.Embedding(NUM_CHARACTERS, embedding_dim, padding_idx=PADDING_ID)
    bound = (3 / embedding_dim) ** 0.5
    nn.init.uniform_(embedding.weight, -bound, bound)
    nn.init.zeros_(embedding.weight[PADDING_ID])
    return embedding


CHARACTER_READERS: dict[str, type[CharacterCNN] | type[CharacterLSTM]] = {
    "cnn": CharacterCNN,
    "lstm": CharacterLSTM,
}
