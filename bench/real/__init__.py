"""Real public data through the chain: `python -m bench.real NAME`; the figures stand in docs/results.md."""
