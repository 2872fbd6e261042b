"""`make bench`: each line is a ratio of two ways to do the same, measured side by side in this run.

More than 1 means that ours is faster. Sizes are those of IMDb: 64 reviews of 150 to 250 tokens, hidden size 128.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from seqline.nn.recurrent import Recurrent

BATCH, STEPS, FEATURES = 64, 250, 128
ROUNDS = 7


def measured(ways: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Median seconds of each way, taking turns so that a busy moment hits all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for way in ways.values():
        way()
    for _ in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main() -> None:
    torch.manual_seed(0)
    inputs = torch.randn(BATCH, STEPS, FEATURES)
    lengths = torch.randint(150, STEPS + 1, (BATCH,))
    ours = Recurrent(
        cell="lstm", nonlinearity="tanh", input_size=FEATURES, hidden_size=FEATURES,
        num_layers=1, bidirectional=True, layer_dropout=0.0,
    )  # fmt: skip
    peer = nn.LSTM(FEATURES, FEATURES, batch_first=True, bidirectional=True)

    def bucketed() -> None:
        ours(inputs, lengths).sum().backward()

    def bucketed_bf16() -> None:
        with torch.autocast("cpu", torch.bfloat16):
            states = ours(inputs, lengths)
        states.float().sum().backward()

    def packed() -> None:
        states, _ = peer(pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False))
        pad_packed_sequence(states, batch_first=True)[0].sum().backward()

    seconds = measured({"ours": bucketed, "ours in bf16": bucketed_bf16, "torch, packed": packed})
    print(f"forward and backward of a bidirectional LSTM, {torch.get_num_threads()} threads")
    for name, value in seconds.items():
        print(
            f"{name:<16} {value * 1000:8.0f} ms   {seconds['torch, packed'] / value:5.1f} times torch, packed"
        )


if __name__ == "__main__":
    main()
