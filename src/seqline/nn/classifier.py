"""The whole network for one label a sequence: embedding, recurrent layers, pooling, head.

Legend: B batch, T steps, D features, E embedding, C classes, V vocabulary.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from seqline.batch import PADDING_ID, SequenceBatch
from seqline.nn.alignment import align_left
from seqline.nn.dropout import FeatureDropout, StepDropout
from seqline.nn.heads import ClassificationHead
from seqline.nn.pooling import POOLINGS
from seqline.nn.recurrent import Recurrent


class SequenceClassifier(nn.Module):
    """Token ids or features to one logit for each class.

    A text's answer does not depend on its batch: not on its neighbours, not on the width or the side of the
    padding, not on the ids that stand in the padding.

    Args:
        num_classes: C.
        vocab_size: V, for inputs that are token ids; id 0 is padding (its vector is and stays zero), 1 is unknown.
        features: D, for inputs that are features; the recurrent layers read them as they are.
        embedding_dim: E, of token ids.
        embedding_std: Standard deviation that vectors start with. Small: the first steps see gates near their
            biases, and few rows are learned sooner. 1: words move little from where they start.
        hidden_size: Units of each direction of each layer.
        num_layers: Recurrent layers.
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn.
        bidirectional: Whether a second cell reads from the end.
        pooling: A key of `seqline.nn.pooling.POOLINGS`.
        head_size: Units of a hidden layer before the classes; 0 for none.
        head_activation: Of that layer.
        dropout: Rate on the pooled features.
        embedding_dropout: Rate on embedding features, one mask for all steps.
        word_dropout: Rate of whole steps set to zero.
        layer_dropout: Rate between recurrent layers, one mask for all steps.

    Raises:
        KeyError: For an unknown cell, pooling or activation.
        ValueError: For a nonlinearity that the cell does not have, a rate outside [0, 1), or both or none of vocab_size
            and features.
    """

    def __init__(
        self,
        *,
        num_classes: int,
        vocab_size: int | None = None,
        features: int | None = None,
        embedding_dim: int,
        embedding_std: float,
        hidden_size: int,
        num_layers: int,
        cell: str,
        nonlinearity: str,
        bidirectional: bool,
        pooling: str,
        head_size: int,
        head_activation: str,
        dropout: float,
        embedding_dropout: float,
        word_dropout: float,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        if (vocab_size is None) == (features is None):
            raise ValueError("one of vocab_size and features says what the inputs are")
        self.embedding: nn.Embedding | None = None
        if vocab_size is not None:
            self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=PADDING_ID)
            nn.init.normal_(self.embedding.weight, std=embedding_std)
            nn.init.zeros_(self.embedding.weight[PADDING_ID])
        self.word_dropout = StepDropout(rate=word_dropout)
        self.embedding_dropout = FeatureDropout(rate=embedding_dropout)
        self.recurrent = Recurrent(
            cell=cell,
            nonlinearity=nonlinearity,
            input_size=features or embedding_dim,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=bidirectional,
            layer_dropout=layer_dropout,
        )
        self.pooling = POOLINGS[pooling](
            input_size=self.recurrent.output_size, directions=self.recurrent.directions
        )
        self.head = ClassificationHead(
            input_size=self.pooling.output_size,
            num_classes=num_classes,
            head_size=head_size,
            head_activation=head_activation,
            dropout=dropout,
        )

    def forward(self, batch: SequenceBatch) -> Tensor:
        """Score a batch.

        Args:
            batch: inputs int64 (B, T) or float32 (B, T, D), padded on either side; the targets are not read.

        Returns:
            Logits float32 (B, C), also under autocast.
        """
        steps, mask = align_left(batch.inputs, batch.lengths, batch.mask)
        if self.embedding is None:
            embedded = steps.masked_fill(~mask.unsqueeze(2), 0.0)
        else:
            embedded = self.embedding(steps.masked_fill(~mask, PADDING_ID))
        embedded = self.embedding_dropout(self.word_dropout(embedded, mask))
        states = self.recurrent(embedded, batch.lengths)
        pooled = self.pooling(states, batch.lengths, mask)
        # The head is a small share of the work; its digits are those of the answer.
        with torch.autocast(pooled.device.type, enabled=False):
            logits: Tensor = self.head(pooled)
        return logits
