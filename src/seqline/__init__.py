"""seqline keeps recurrent models trained, tested and promoted on sequence data."""

__version__ = "0.1.0"
