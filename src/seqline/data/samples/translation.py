"""The embedded translation sample: English sentences of a small grammar and their German.

The two languages put their words in different places, and German marks what English leaves to order: after "that" and
"because" the verb goes to the end, a participle or infinitive goes there too, a time at the front pulls the verb before
the subject, an indefinite object stands after time and place and a definite one before them, and article and adjective
follow gender, case and number. So a dictionary alone gets most words and few sentences right. Some people have names that
hardly anybody has: most of those in the test stand in no training sentence, so they can only be copied.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seqline.data.samples.grammar import Split, Stream
from seqline.data.samples.pairs import sentence, write_pairs

DEFAULT_SEED = 20260101
TRAIN_ROWS = 8000
TEST_ROWS = 800
NAME_SHARE = 0.25
RARE_NAME_SHARE = 0.3
TIME_SHARE = 0.6
PLACE_SHARE = 0.5
ADJECTIVE_SHARE = 0.5
PLURAL_SHARE = 0.3


@dataclass(frozen=True)
class Noun:
    """A noun: English singular and plural, German gender (m, f, n), singular and plural."""

    one: str
    many: str
    gender: str
    german: str
    germans: str


@dataclass(frozen=True)
class Verb:
    """A verb: English third person, base and participle; German third person, plural or infinitive, participle."""

    third: str
    base: str
    done: str
    german: str
    germans: str
    getan: str


@dataclass(frozen=True)
class Phrase:
    """A noun phrase in both languages.

    Attributes:
        english: Its words.
        german: Its words, in the case it was made for.
        is_plural: Whether its verb is.
        is_definite: Whether it comes before time and place in German.
    """

    english: str
    german: str
    is_plural: bool
    is_definite: bool


def _nouns(*lines: str) -> tuple[Noun, ...]:
    return tuple(Noun(*line.split()) for line in lines)


def _verbs(*lines: str) -> tuple[Verb, ...]:
    return tuple(Verb(*line.split()) for line in lines)


PEOPLE = _nouns(
    "teacher teachers m Lehrer Lehrer", "woman women f Frau Frauen", "child children n Kind Kinder",
    "man men m Mann Männer", "girl girls n Mädchen Mädchen", "baker bakers m Bäcker Bäcker",
    "sister sisters f Schwester Schwestern", "brother brothers m Bruder Brüder",
    "doctor doctors f Ärztin Ärztinnen", "singer singers m Sänger Sänger", "cat cats f Katze Katzen",
    "dog dogs m Hund Hunde", "horse horses n Pferd Pferde", "painter painters f Malerin Malerinnen",
)  # fmt: skip
THINGS = _nouns(
    "book books n Buch Bücher", "ball balls m Ball Bälle", "apple apples m Apfel Äpfel",
    "flower flowers f Blume Blumen", "car cars n Auto Autos", "letter letters m Brief Briefe",
    "lamp lamps f Lampe Lampen", "table tables m Tisch Tische", "bottle bottles f Flasche Flaschen",
    "picture pictures n Bild Bilder", "chair chairs m Stuhl Stühle", "clock clocks f Uhr Uhren",
    "boat boats n Boot Boote", "hat hats m Hut Hüte", "map maps f Karte Karten", "knife knives n Messer Messer",
)  # fmt: skip
TRANSITIVE = _verbs(
    "buys buy bought kauft kaufen gekauft", "finds find found findet finden gefunden",
    "sees see seen sieht sehen gesehen", "draws draw drawn zeichnet zeichnen gezeichnet",
    "carries carry carried trägt tragen getragen", "loves love loved liebt lieben geliebt",
    "cleans clean cleaned putzt putzen geputzt", "sells sell sold verkauft verkaufen verkauft",
    "hides hide hidden versteckt verstecken versteckt", "needs need needed braucht brauchen gebraucht",
    "forgets forget forgotten vergisst vergessen vergessen", "shows show shown zeigt zeigen gezeigt",
)  # fmt: skip
INTRANSITIVE = _verbs(
    "sleeps sleep slept schläft schlafen geschlafen", "works work worked arbeitet arbeiten gearbeitet",
    "sings sing sung singt singen gesungen", "laughs laugh laughed lacht lachen gelacht",
    "waits wait waited wartet warten gewartet", "eats eat eaten isst essen gegessen",
    "dances dance danced tanzt tanzen getanzt", "cries cry cried weint weinen geweint",
)  # fmt: skip
ADJECTIVES = {
    "old": "alt", "new": "neu", "small": "klein", "beautiful": "schön", "big": "groß", "red": "rot", "green": "grün",
    "cheap": "billig", "heavy": "schwer", "white": "weiß", "young": "jung", "tired": "müd", "hungry": "hungrig",
    "friendly": "freundlich",
}  # fmt: skip
OF_PEOPLE = ("old", "new", "small", "beautiful", "big", "young", "tired", "hungry", "friendly")
OF_THINGS = ("old", "new", "small", "beautiful", "big", "red", "green", "cheap", "heavy", "white")
TIMES = {
    "today": "heute",
    "now": "jetzt",
    "often": "oft",
    "always": "immer",
    "soon": "bald",
    "again": "wieder",
}
PLACES = {
    "in the garden": "im Garten", "at school": "in der Schule", "in the city": "in der Stadt",
    "on the street": "auf der Straße", "in the kitchen": "in der Küche", "at the lake": "am See",
    "behind the house": "hinter dem Haus", "under the tree": "unter dem Baum",
}  # fmt: skip
NAMES = (
    "Ada", "Karim", "Mei", "Otto", "Lena", "Tomás", "Priya", "Jonas", "Amara", "Felix", "Ines", "Ravi",
    "Zoe", "Emil", "Noor", "Hugo",
)  # fmt: skip
# Of a rare name: 14 * 12 * 10 of them.
SYLLABLES = (
    ("Bel", "Dor", "Fal", "Gri", "Hal", "Jor", "Kel", "Lor", "Mar", "Nel", "Pel", "Sal", "Tor", "Vel"),
    ("a", "do", "ga", "i", "ki", "lo", "ma", "ni", "o", "ri", "ta", "vu"),
    ("ber", "dan", "fin", "kas", "lin", "mon", "nas", "rik", "sa", "wen"),
)
KNOWING = {"knows": "weiß", "thinks": "glaubt", "says": "sagt", "hopes": "hofft"}

# Definite and indefinite articles by case and gender, `p` for plurals; the accusative differs for masculine ones only.
_THE = {"nom": {"m": "der", "f": "die", "n": "das", "p": "die"}}
_THE["acc"] = {**_THE["nom"], "m": "den"}
_A = {"nom": {"m": "ein", "f": "eine", "n": "ein"}}
_A["acc"] = {**_A["nom"], "m": "einen"}
# Endings of the adjective after each of them; after no article, plural.
_ENDING_AFTER_THE = {"nom": {"m": "e", "f": "e", "n": "e", "p": "en"}}
_ENDING_AFTER_THE["acc"] = {**_ENDING_AFTER_THE["nom"], "m": "en"}
_ENDING_AFTER_A = {"nom": {"m": "er", "f": "e", "n": "es", "p": "e"}}
_ENDING_AFTER_A["acc"] = {**_ENDING_AFTER_A["nom"], "m": "en"}


def compose(stream: Stream, split: Split) -> tuple[str, str]:
    """Draw one sentence: English and German."""
    frame = stream.weighted({"plain": 0.55, "question": 0.12, "knows": 0.18, "because": 0.15})
    if frame == "knows":
        english_verb = stream.pick(tuple(KNOWING))
        who, clause = _subject(stream, is_person=True), _clause(stream, "last")
        english = f"{who.english} {english_verb} that {clause[0]} ."
        return sentence(english), sentence(f"{who.german} {KNOWING[english_verb]} , dass {clause[1]} .")
    if frame == "because":
        first, second = _clause(stream, "second"), _clause(stream, "last")
        return (
            sentence(f"{first[0]} because {second[0]} ."),
            sentence(f"{first[1]} , weil {second[1]} ."),
        )
    if frame == "question":
        english, german = _clause(stream, "first")
        return sentence(f"{english} ?"), sentence(f"{german} ?")
    english, german = _clause(stream, "second", may_front=True)
    return sentence(f"{english} ."), sentence(f"{german} .")


def write_translation(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file under `folder`; rows have `id`, `english`, `german`."""
    write_pairs(
        folder,
        compose,
        sample="translation",
        columns=("english", "german"),
        train_rows=TRAIN_ROWS,
        test_rows=TEST_ROWS,
        seed=seed,
    )


def _clause(stream: Stream, verb_place: str, *, may_front: bool = False) -> tuple[str, str]:
    """A clause in both languages; `verb_place` is where German puts the finite verb: first, second or last."""
    subject = _subject(stream, is_person=False)
    is_transitive = stream.chance(0.65)
    verb = stream.pick(TRANSITIVE if is_transitive else INTRANSITIVE)
    thing = _phrase(stream, THINGS, "acc") if is_transitive else None
    time = stream.pick(tuple(TIMES)) if stream.chance(TIME_SHARE) else ""
    place = stream.pick(tuple(PLACES)) if stream.chance(PLACE_SHARE) else ""
    is_fronted = may_front and time != "" and stream.chance(0.5)
    english_first, english_verb, finite, last = _verb_forms(
        stream, verb, subject, is_question=verb_place == "first"
    )
    english = [
        *([time, ","] if is_fronted else []), english_first, subject.english, english_verb,
        thing.english if thing else "", place, "" if is_fronted else time,
    ]  # fmt: skip
    objects = [thing.german if thing else ""]
    times = ["" if is_fronted else TIMES.get(time, ""), PLACES.get(place, "")]
    middle = [*objects, *times] if thing and thing.is_definite else [*times, *objects]
    if verb_place == "last":
        german = [subject.german, *middle, last, finite]
    elif verb_place == "first":
        german = [finite, subject.german, *middle, last]
    elif is_fronted:
        german = [TIMES[time], finite, subject.german, *middle, last]
    else:
        german = [subject.german, finite, *middle, last]
    return _joined(english), _joined(german)


def _verb_forms(
    stream: Stream, verb: Verb, subject: Phrase, *, is_question: bool
) -> tuple[str, str, str, str]:
    """English before the subject and after it, the German finite verb and what goes to the end."""
    many = subject.is_plural
    tense = stream.weighted({"present": 0.5, "perfect": 0.25, "modal": 0.25})
    if tense == "perfect":
        helper, finite = ("have", "haben") if many else ("has", "hat")
        forms = ("", f"{helper} {verb.done}") if not is_question else (helper, verb.done)
        return (*forms, finite, verb.getan)
    if tense == "modal":
        modal, one, more = stream.pick(
            (("can", "kann", "können"), ("must", "muss", "müssen"), ("will", "wird", "werden"))
        )
        forms = ("", f"{modal} {verb.base}") if not is_question else (modal, verb.base)
        return (*forms, more if many else one, verb.germans)
    finite = verb.germans if many else verb.german
    if is_question:
        return "do" if many else "does", verb.base, finite, ""
    return "", verb.base if many else verb.third, finite, ""


def _subject(stream: Stream, *, is_person: bool) -> Phrase:
    if is_person or stream.chance(NAME_SHARE):
        is_rare = stream.chance(RARE_NAME_SHARE)
        name = "".join(stream.pick(part) for part in SYLLABLES) if is_rare else stream.pick(NAMES)
        return Phrase(name, name, is_plural=False, is_definite=True)
    return _phrase(stream, PEOPLE, "nom")


def _phrase(stream: Stream, nouns: tuple[Noun, ...], case: str) -> Phrase:
    """A noun with its article and perhaps an adjective, the German in one case."""
    noun = stream.pick(nouns)
    is_plural, is_definite = stream.chance(PLURAL_SHARE), stream.chance(0.5)
    form = "p" if is_plural else noun.gender
    adjectives = OF_PEOPLE if nouns is PEOPLE else OF_THINGS
    adjective = stream.pick(adjectives) if stream.chance(ADJECTIVE_SHARE) else ""
    endings = (_ENDING_AFTER_THE if is_definite else _ENDING_AFTER_A)[case]
    german_adjective = ADJECTIVES[adjective] + endings[form] if adjective else ""
    german_article = _THE[case][form] if is_definite else _A[case].get(form, "")
    word = noun.many if is_plural else noun.one
    return Phrase(
        _joined([_english_article(adjective or word, is_plural, is_definite), adjective, word]),
        _joined([german_article, german_adjective, noun.germans if is_plural else noun.german]),
        is_plural=is_plural,
        is_definite=is_definite,
    )


def _english_article(following: str, is_plural: bool, is_definite: bool) -> str:
    if is_definite:
        return "the"
    if is_plural:
        return ""
    return "an" if following[0] in "aeiou" else "a"


def _joined(words: list[str]) -> str:
    return " ".join(word for word in words if word)
