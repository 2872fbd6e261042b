"""What a task is: the verbs that every stage, the gate and the server call."""

from __future__ import annotations

from seqline.tasks.base import Task


def task_named(name: str) -> Task:
    """The task of a recipe.

    Imported here and not above because tasks load torch, which most commands never need.
    """
    from seqline.tasks.classification import Classification
    from seqline.tasks.estimation import Estimation
    from seqline.tasks.forecasting import Forecasting
    from seqline.tasks.generation import Generation
    from seqline.tasks.music import MusicGeneration
    from seqline.tasks.regression import Regression
    from seqline.tasks.synthesis import Synthesis
    from seqline.tasks.tagging import Tagging
    from seqline.tasks.translation import Answering, Captioning, Dialogue, Translation

    tasks: dict[str, type[Task]] = {
        "classification": Classification,
        "estimation": Estimation,
        "forecasting": Forecasting,
        "generation": Generation,
        "music": MusicGeneration,
        "regression": Regression,
        "synthesis": Synthesis,
        "tagging": Tagging,
        "translation": Translation,
        "answering": Answering,
        "captioning": Captioning,
        "dialogue": Dialogue,
    }
    return tasks[name]()
