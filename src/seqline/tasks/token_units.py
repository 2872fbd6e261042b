"""What figures of tokens are counted in.

Perplexity and nats a token depend on the vocabulary: a model that knows fewer words has an easier text before it. Hits do
not, since foretelling the unknown token is none, unless the vocabulary decides where a token ends (byte pairs). Nats a
character are of the text itself, as far as both read the same of it.
"""

from __future__ import annotations

from seqline.data.spelling import Speller
from seqline.recipe import InputSection, TargetSection

_OF_VOCABULARY = frozenset({"nats_per_token", "perplexity"})
_OF_HITS = frozenset({"hit_at_5", "token_accuracy"})
_OF_TEXT = frozenset({"nats_per_character"})
# Settings of a section that do not change what is read of a text. Inputs that are foretold are read whole.
_LEAVES_TEXT_ALONE = frozenset({"column", "vocab_size", "min_count", "padding", "alphabet"})
_CUTS = frozenset({"max_length", "keep"})


def unit_of_tokens(metric: str, vocabulary: Speller, section: InputSection | TargetSection) -> str:
    """What a figure is counted in; empty where it depends on neither tokens nor how the text is read.

    Args:
        metric: A key of `evaluation.metrics.METRICS`.
        vocabulary: What the tokens are from.
        section: How the text is read: of an input, or of a target that is written.
    """
    if metric not in _OF_VOCABULARY | _OF_HITS | _OF_TEXT:
        return ""
    aside = _LEAVES_TEXT_ALONE | (_CUTS if isinstance(section, InputSection) else frozenset())
    settings = section.model_dump(exclude=set(aside))
    reading = ", ".join(f"{name} {value}" for name, value in sorted(settings.items()))
    if metric in _OF_TEXT:
        return f"characters read with {reading}"
    if metric in _OF_HITS and settings.get("tokenizer") != "bpe":
        return f"tokens read with {reading}"
    return f"tokens of vocabulary {vocabulary.fingerprint[:12]} read with {reading}"
