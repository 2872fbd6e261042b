"""The embedded dialogue sample: a turn of small talk, and the turn that answers it.

An answer follows from its turn in kind (a question of time is answered by a time) and takes words over from it (the drink
that was offered, the name that was given), while much of it is free: there are several right answers, and a network is
judged by how likely it holds the one that was given.
"""

from __future__ import annotations

from pathlib import Path

from seqline.data.samples.grammar import Split, Stream
from seqline.data.samples.pairs import sentence, write_pairs

DEFAULT_SEED = 20260101
TRAIN_ROWS = 5000
TEST_ROWS = 600

# A word of a group may stand in a turn as {group}; the answer's {group} is the same word, {group2} another one.
GROUPS = {
    "drink": ("tea", "coffee", "lemonade", "cocoa", "apple juice", "water"),
    "dish": ("soup", "pasta", "rice", "a salad", "pancakes", "an omelette", "fish", "curry"),
    "place": ("the market", "the lake", "the museum", "the library", "the station", "the old town", "the beach"),
    "hobby": ("chess", "tennis", "the violin", "football", "the piano", "cards", "table tennis", "the guitar"),
    "weather": ("sunny", "rainy", "cold", "windy", "warm", "foggy", "stormy"),
    "day": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "hour": ("seven", "eight", "nine", "ten", "noon", "half past three", "five", "half past six"),
    "name": ("Lena", "Karim", "Mei", "Otto", "Ines", "Ravi", "Zoe", "Emil", "Noor", "Hugo"),
    "thing": ("umbrella", "bicycle", "laptop", "jacket", "map", "ticket", "phone", "suitcase"),
    "animal": ("a dog", "a cat", "two rabbits", "a parrot", "three hens", "a goldfish"),
    "price": ("four", "twelve", "twenty", "seven", "fifteen", "thirty"),
}  # fmt: skip
# Turns by what they want, and the answers that fit all of them.
TOPICS: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (
        ("would you like some {drink} ?", "can I get you some {drink} ?", "do you want {drink} or {drink2} ?"),
        ("yes , {drink} would be lovely .", "no , thank you , I just had {drink} .", "I would rather have {drink2} , please ."),
    ),
    (
        ("what did you have for dinner , {dish} ?", "shall we cook {dish} tonight ?", "do you like {dish} ?"),
        ("I never get tired of {dish} .", "no , let us have {dish2} instead .", "only when {name} makes it ."),
    ),
    (
        ("how do I get to {place} ?", "is it far to {place} ?", "please , where is {place} ?"),
        (
            "{place} is just around the corner .", "take the tram at {hour} , it stops at {place} .",
            "I am sorry , I am not from here .",
        ),
    ),
    (
        ("shall we go to {place} on {day} ?", "are you free on {day} ?", "let us meet at {place} on {day} ."),
        (
            "{day} is fine , see you at {hour} .", "not on {day} , but {day2} would work .",
            "sorry , on {day} I have to visit {name} .",
        ),
    ),
    (
        ("do you play {hobby} ?", "how long have you played {hobby} ?", "who taught you {hobby} ?"),
        (
            "I have played {hobby} since I was {price} .", "my brother {name} taught me {hobby} .",
            "no , but I want to learn it .",
        ),
    ),
    (
        ("will it be {weather} on {day} ?", "it is so {weather} today .", "I hope it stays {weather} until {day} ."),
        ("they say it will be {weather2} by the evening .", "I love it when it is {weather} .", "then we should stay at home ."),
    ),
    (
        (
            "when does the train to {place} leave ?", "at what time do you open on {day} ?", "what time is it ?",
            "when shall we meet at {place} ?",
        ),
        ("at {hour} , I think .", "at {hour} , if nothing is late .", "it is almost {hour} ."),
    ),
    (
        ("hello , my name is {name} .", "hi , I am {name} , and you ?", "have you met {name} ?"),
        ("nice to meet you , {name} .", "hello {name} , I am {name2} .", "{name} and I are old friends ."),
    ),
    (
        ("have you seen my {thing} ?", "I cannot find my {thing} .", "is this your {thing} , {name} ?"),
        ("your {thing} is on the table .", "I think {name2} took the {thing} .", "did you leave the {thing} at {place} ?"),
    ),
    (
        ("do you have any pets , {name} ?", "is it true that you have {animal} ?", "I would love to have {animal} ."),
        (
            "yes , we have {animal} and {animal2} .", "no , my flat is too small for {animal} .",
            "{animal} would be too much work for me .",
        ),
    ),
    (
        ("how much is the {thing} ?", "what does this {thing} cost ?", "did you pay {price} euros for the {thing} ?"),
        ("the {thing} is {price} euros .", "only {price} euros , it is second hand .", "I do not know , ask {name} ."),
    ),
)  # fmt: skip

# What a turn may begin with.
OPENERS = (
    "by the way , ", "{name} , ", "well , ", "listen {name} , ", "excuse me , ", "so , ", "hey {name} , ",
    "one more thing , ",
)  # fmt: skip
OPENER_SHARE = 0.6


def compose(stream: Stream, split: Split) -> tuple[str, str]:
    """Draw one turn and its answer."""
    turns, answers = stream.pick(TOPICS)
    words: dict[str, str] = {}
    opener = stream.pick(OPENERS) if stream.chance(OPENER_SHARE) else ""
    return _filled(stream, opener + stream.pick(turns), words), _filled(stream, stream.pick(answers), words)


def write_dialogue(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file under `folder`; rows have `id`, `turn`, `answer`."""
    write_pairs(
        folder,
        compose,
        sample="dialogue",
        columns=("turn", "answer"),
        train_rows=TRAIN_ROWS,
        test_rows=TEST_ROWS,
        seed=seed,
    )


def _filled(stream: Stream, text: str, words: dict[str, str]) -> str:
    """Put a word into every slot; slots filled before keep theirs."""
    for group, options in GROUPS.items():
        for slot, other in ((group, f"{group}2"), (f"{group}2", group)):
            if f"{{{slot}}}" in text and slot not in words:
                words[slot] = stream.pick([option for option in options if option != words.get(other)])
            text = text.replace(f"{{{slot}}}", words.get(slot, ""))
    return sentence(text)
