"""What figures of tokens are counted in.

Perplexity, nats a token and hits are shares of tokens, and a token is what the vocabulary calls so: a model that knows
fewer words has an easier text before it. Nats a character are of the text itself, as far as both read the same of it.
"""

from __future__ import annotations

from seqline.data.spelling import Speller
from seqline.recipe import InputSection, TargetSection

_OF_TOKENS = frozenset({"nats_per_token", "perplexity", "hit_at_5", "token_accuracy"})
_OF_TEXT = frozenset({"nats_per_character"})
# Settings of a section that do not change what is read of a text.
_LEAVES_TEXT_ALONE = frozenset({"column", "vocab_size", "min_count", "padding", "alphabet"})


def unit_of_tokens(metric: str, vocabulary: Speller, section: InputSection | TargetSection) -> str:
    """What a figure is counted in; empty where it depends on neither tokens nor how the text is read.

    Args:
        metric: A key of `evaluation.metrics.METRICS`.
        vocabulary: What the tokens are from.
        section: How the text is read: of an input, or of a target that is written.
    """
    if metric not in _OF_TOKENS | _OF_TEXT:
        return ""
    settings = section.model_dump(exclude=set(_LEAVES_TEXT_ALONE))
    reading = ", ".join(f"{name} {value}" for name, value in sorted(settings.items()))
    if metric in _OF_TEXT:
        return f"characters read with {reading}"
    return f"tokens of vocabulary {vocabulary.fingerprint[:12]} read with {reading}"
