"""What a task is: the verbs that every stage, the gate and the server call."""

from __future__ import annotations

from seqline.tasks.base import Task


def task_named(name: str) -> Task:
    """The task of a recipe.

    Imported here and not above because tasks load torch, which most commands never need.
    """
    from seqline.tasks.classification import Classification
    from seqline.tasks.generation import Generation
    from seqline.tasks.music import MusicGeneration
    from seqline.tasks.tagging import Tagging

    tasks: dict[str, type[Task]] = {
        "classification": Classification,
        "generation": Generation,
        "music": MusicGeneration,
        "tagging": Tagging,
    }
    return tasks[name]()
