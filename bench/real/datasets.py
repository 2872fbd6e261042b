"""The shared public data as rows of seqline: by name, a function from their folder to rows of train and test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bench.real import continued, histories, labels, pairs, recordings, tags, traces
from bench.real.rows import Rows

DATASETS: dict[str, Callable[[Path], Rows]] = {
    "agnews": labels.agnews,
    "atis": labels.atis,
    "atis_slots": tags.atis_slots,
    "babi": pairs.babi,
    "captions": recordings.captions,
    "chunks": tags.chunks,
    "dbpedia": labels.dbpedia,
    "dialogs": pairs.dialogs,
    "emotion": labels.emotion,
    "etth": histories.etth,
    "exchange_rate": histories.exchange_rate,
    "fsdd": recordings.fsdd,
    "gene_family": labels.gene_family,
    "hmp": traces.hmp,
    "imdb": labels.imdb,
    "italy": traces.italy,
    "jsb": continued.jsb,
    "m4": histories.m4,
    "multi30k": pairs.multi30k,
    "multi30k_fr": pairs.multi30k_fr,
    "names": labels.names,
    "osuleaf": traces.osuleaf,
    "ptb": continued.ptb,
    "shakespeare": continued.shakespeare,
    "snips": labels.snips,
    "snips_slots": tags.snips_slots,
    "spam": labels.spam,
    "speak": recordings.fsdd,
    "splice": labels.splice,
    "tatoeba_en_hi": pairs.tatoeba,
    "tatoeba_hi_en": pairs.tatoeba,
    "trec": labels.trec,
    "univariate_daily": histories.univariate_daily,
    "univariate_monthly": histories.univariate_monthly,
    "univariate_yearly": histories.univariate_yearly,
    "upos": tags.upos,
    "vowels": traces.vowels,
    "walmart": histories.walmart,
    "wikitext2": continued.wikitext2,
}
