"""The errors a user can meet, each with the exit code it ends the command with.

A message says where, what was found, what was expected and what to do. The command line prints it without a
traceback; anything that is not a `SeqlineError` is a defect of ours and keeps its traceback.
"""

from __future__ import annotations


class SeqlineError(Exception):
    """A failure with a message for the user.

    Args:
        where: File and line, recipe key, or model the message is about.
        found: What was found there.
        expected: What was expected instead; left out where it goes without saying.
        hint: What to do about it.
    """

    exit_code = 1

    def __init__(self, where: str, found: str, expected: str = "", hint: str = "") -> None:
        self.where = where
        self.found = found
        self.expected = expected
        self.hint = hint
        parts = [f"{where}: {found}"]
        if expected:
            parts.append(f"  expected: {expected}")
        if hint:
            parts.append(f"  to do:    {hint}")
        super().__init__("\n".join(parts))


class InputError(SeqlineError):
    """Bad input or a bad recipe: nothing was written."""

    exit_code = 2


class ValidationFailed(SeqlineError):
    """The data broke a critical expectation."""

    exit_code = 3


class GateRefused(SeqlineError):
    """The challenger did not pass the gate; the champion stays."""

    exit_code = 4
