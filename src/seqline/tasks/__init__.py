"""What a task is: the verbs that every stage, the gate and the server call."""

from __future__ import annotations

from seqline.tasks.base import Task


def task_named(name: str) -> Task:
    """The task of a recipe.

    Imported here and not above because tasks load torch, which most commands never need.
    """
    from seqline.tasks.classification import Classification

    return {"classification": Classification}[name]()
