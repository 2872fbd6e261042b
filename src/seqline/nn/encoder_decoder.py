"""The encoder-decoder: a source sequence, or a vector, to a target sequence of words.

The encoder is the same stack of recurrent layers that the other networks have; its states are the memory the
decoder attends to, and the state of each direction that has read everything makes the decoder's first state.
A source is token ids or feature vectors; a single vector (captioning) is a sequence of one step.

Legend: B batch, T source steps, D source features, U target steps, E embedding, V target vocabulary.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqline.batch import BEGIN_ID, PADDING_ID, SequenceBatch
from seqline.nn.alignment import align_left
from seqline.nn.decoder import AttentionDecoder, DecoderState
from seqline.nn.dropout import FeatureDropout, StepDropout
from seqline.nn.pooling import LastPooling
from seqline.nn.recurrent import Recurrent


class EncoderDecoder(nn.Module):
    """Recurrent encoder, attention decoder, and a projection to the target vocabulary.

    An answer does not depend on its batch: not on the other rows, the width or side of the padding, or what
    stands in it.

    Args:
        source_vocab_size: Token ids of the source; 0 when it is made of feature vectors.
        input_size: D; 0 when the source is made of token ids.
        target_vocab_size: V; ids 0 padding, 1 unknown, 2 begin, 3 end.
        embedding_dim: E, of source and target words.
        embedding_std: Standard deviation that word vectors start with.
        hidden_size: Units of each direction of each encoder layer.
        decoder_size: Units of each decoder layer; 0 for as many as the encoder's directions have together.
        num_layers: Of the encoder, and of the decoder.
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn; tanh for the others.
        bidirectional: Whether the encoder also reads from the end.
        attention: A key of `seqline.nn.attention.ATTENTIONS`.
        input_feeding: Whether the decoder takes the readout of the step before.
        tie_embeddings: Whether a target word has one vector, for reading and for predicting it.
        teacher_forcing_ratio: In training, the chance that a step takes the true word before; otherwise it
            takes the network's own. 1 is plain teacher forcing.
        dropout: Rate on readouts.
        embedding_dropout: Rate on embedding features of source and target, one mask for all steps.
        word_dropout: Rate of whole source steps set to zero.
        layer_dropout: Rate between stacked layers, one mask for all steps.

    Raises:
        KeyError: For an unknown cell or attention.
        ValueError: For sizes that do not fit, a rate outside [0, 1), or neither or both of
            `source_vocab_size` and `input_size`.

    Source: Sutskever, Vinyals and Le, "Sequence to sequence learning with neural networks", 2014; Bahdanau et
        al., 2015; Luong et al., 2015; Bengio et al., "Scheduled sampling for sequence prediction with recurrent
        neural networks", 2015; Press and Wolf, "Using the output embedding to improve language models", 2017.
    """

    def __init__(
        self,
        *,
        source_vocab_size: int,
        input_size: int,
        target_vocab_size: int,
        embedding_dim: int,
        embedding_std: float,
        hidden_size: int,
        decoder_size: int,
        num_layers: int,
        cell: str,
        nonlinearity: str,
        bidirectional: bool,
        attention: str,
        input_feeding: bool,
        tie_embeddings: bool,
        teacher_forcing_ratio: float,
        dropout: float,
        embedding_dropout: float,
        word_dropout: float,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        if (source_vocab_size > 0) == (input_size > 0):
            raise ValueError("a source is made of token ids or of feature vectors: give one size")
        if not 0 <= teacher_forcing_ratio <= 1:
            raise ValueError(f"teacher_forcing_ratio {teacher_forcing_ratio} is not in [0, 1]")
        self.teacher_forcing_ratio = teacher_forcing_ratio
        self.source: nn.Embedding | nn.Linear
        if source_vocab_size > 0:
            self.source = nn.Embedding(source_vocab_size, embedding_dim, padding_idx=PADDING_ID)
            nn.init.normal_(self.source.weight, std=embedding_std)
            nn.init.zeros_(self.source.weight[PADDING_ID])
        else:
            self.source = nn.Linear(input_size, embedding_dim)
            nn.init.xavier_uniform_(self.source.weight)
            nn.init.zeros_(self.source.bias)
        self.encoder = Recurrent(
            cell=cell,
            nonlinearity=nonlinearity,
            input_size=embedding_dim,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=bidirectional,
            layer_dropout=layer_dropout,
        )
        memory_size = self.encoder.output_size
        self.summary = LastPooling(input_size=memory_size, directions=self.encoder.directions)
        self.decoder = AttentionDecoder(
            cell=cell,
            nonlinearity=nonlinearity,
            embedding_dim=embedding_dim,
            hidden_size=decoder_size or memory_size,
            num_layers=num_layers,
            memory_size=memory_size,
            summary_size=memory_size,
            attention=attention,
            input_feeding=input_feeding,
            layer_dropout=layer_dropout,
        )
        self.target_embedding = nn.Embedding(target_vocab_size, embedding_dim)
        nn.init.normal_(self.target_embedding.weight, std=embedding_std)
        # Tied weights are one parameter used twice, never two names: a weights file may hold each once only.
        self.output_weight = (
            None if tie_embeddings else nn.Parameter(torch.empty(target_vocab_size, embedding_dim))
        )
        if self.output_weight is not None:
            nn.init.xavier_uniform_(self.output_weight)
        self.output_bias = nn.Parameter(torch.zeros(target_vocab_size))
        self.word_dropout = StepDropout(rate=word_dropout)
        self.embedding_dropout = FeatureDropout(rate=embedding_dropout)
        self.dropout = nn.Dropout(dropout)

    def begin(self, batch: SequenceBatch) -> DecoderState:
        """Read the sources: the decoder's state before the first target word.

        Args:
            batch: inputs int64 (B, T) or float32 (B, T, D), padded on either side; the targets are not read.

        Returns:
            A state whose memory is left-aligned and as wide as the longest source.
        """
        inputs, mask = _aligned(batch)
        if isinstance(self.source, nn.Embedding):
            embedded = self.source(inputs.masked_fill(~mask, PADDING_ID))
        else:
            embedded = torch.tanh(self.source(inputs.masked_fill(~mask.unsqueeze(-1), 0.0)))
        embedded = self.embedding_dropout(self.word_dropout(embedded, mask))
        states = self.encoder(embedded, batch.lengths)
        # Once here, not in each attention: a state of the padding must not reach a sum, not even times 0.
        memory = states.masked_fill(~mask.unsqueeze(-1), 0.0)
        return self.decoder.begin(memory, mask, self.summary(states, batch.lengths, mask))

    def step(self, ids: Tensor, state: DecoderState) -> tuple[Tensor, Tensor, DecoderState]:
        """Predict the next word of each target.

        Args:
            ids: int64 (B,), the words before; `BEGIN_ID` first.
            state: What `begin` or the step before gave.

        Returns:
            Log-probabilities float32 (B, V), attention weights float32 (B, T), and the state after.
        """
        readout, weights, state = self.decoder.step(self.target_embedding(ids), state)
        return self._logits(readout).log_softmax(dim=-1), weights, state

    def forward(self, batch: SequenceBatch) -> Tensor:
        """Predict each target word from the words before it.

        Args:
            batch: With targets int64 (B, U), each ended by `END_ID`, 0 = padding after it.

        Returns:
            Logits float32 (B, U, V), also under autocast; what stands in the padding means nothing.

        Raises:
            ValueError: The batch has no targets.
        """
        if batch.targets is None:
            raise ValueError("teacher forcing needs targets; to answer without them, decode")
        before = torch.cat([torch.full_like(batch.targets[:, :1], BEGIN_ID), batch.targets[:, :-1]], dim=1)
        state = self.begin(batch)
        if self.training and self.teacher_forcing_ratio < 1:
            return self._scheduled(before, state)
        readouts, _ = self.decoder(self.embedding_dropout(self.target_embedding(before)), state)
        return self._logits(self.dropout(readouts))

    def attend(self, batch: SequenceBatch) -> Tensor:
        """Where the decoder looks while it writes the targets of a batch: float32 (B, U, T)."""
        if batch.targets is None:
            raise ValueError("attention over known targets needs targets")
        before = torch.cat([torch.full_like(batch.targets[:, :1], BEGIN_ID), batch.targets[:, :-1]], dim=1)
        _, weights = self.decoder(self.target_embedding(before), self.begin(batch))
        looked: Tensor = weights
        return looked

    def _scheduled(self, before: Tensor, state: DecoderState) -> Tensor:
        """Logits where each step takes the true word before or, by chance, the likeliest one of the step before."""
        is_true = torch.rand(before.shape, device=before.device) < self.teacher_forcing_ratio
        own = before[:, 0]
        logits = []
        for truth, keep in zip(before.unbind(1), is_true.unbind(1), strict=True):
            # There is no own word before the first: `own` starts as BEGIN, like the truth.
            embedded = self.embedding_dropout(
                self.target_embedding(torch.where(keep, truth, own)).unsqueeze(1)
            )
            readout, _, state = self.decoder.step(embedded.squeeze(1), state)
            logits.append(self._logits(self.dropout(readout)))
            own = logits[-1].detach().argmax(dim=-1)
        return torch.stack(logits, dim=1)

    def _logits(self, readouts: Tensor) -> Tensor:
        """Score all words, one matrix product for all steps: readouts (..., E) to float32 (..., V)."""
        weight = self.target_embedding.weight if self.output_weight is None else self.output_weight
        return F.linear(readouts, weight, self.output_bias).float()


def _aligned(batch: SequenceBatch) -> tuple[Tensor, Tensor]:
    """Inputs with the real steps first, (B, W) or (B, W, D), and their mask (B, W)."""
    if batch.inputs.dim() == 2:
        return align_left(batch.inputs, batch.lengths, batch.mask)
    width = batch.inputs.shape[1]
    steps = torch.arange(width, device=batch.inputs.device).expand(len(batch.lengths), width)
    places, mask = align_left(steps, batch.lengths, batch.mask)
    return batch.inputs.gather(1, places.unsqueeze(-1).expand(-1, -1, batch.inputs.shape[2])), mask
