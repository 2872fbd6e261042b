"""What a journey through the chain leaves in MLflow: one run with settings, curves, scores, lineage and pictures."""

from __future__ import annotations

from seqline.files import read_json, verify_manifest
from seqline.recipe import Recipe
from seqline.tracking.approval import approve
from seqline.tracking.lineage import collect_lineage
from seqline.tracking.origin import collect_origin
from seqline.tracking.promotion import Decision, is_decided, promote
from seqline.tracking.registry import RegisteredVersion, content_key, register, versions
from seqline.tracking.runs import (
    Tracking,
    finish_run,
    log_artifacts,
    log_epochs,
    log_metrics,
    log_params,
    log_tags,
    start_run,
)
from seqline.workspace import Workspace


def registered_already(tracking: Tracking, name: str, recipe: Recipe) -> RegisteredVersion | None:
    """The version of what `artifacts/NAME/train` holds, if there is one."""
    folder = Workspace(tracking.root).artifact_folder(name, "train")
    if not (folder / "manifest.json").is_file():
        return None
    key = content_key(folder, recipe)
    return next(
        (version for version in reversed(versions(tracking, name)) if version.content_key == key), None
    )


def log_journey(tracking: Tracking, name: str, *, recipe: Recipe, run_id: str) -> None:
    """Write what the stages left behind into a run; what is there already is not written twice."""
    train_folder, evaluate_folder = (
        Workspace(tracking.root).artifact_folder(name, "train"),
        Workspace(tracking.root).artifact_folder(name, "evaluate"),
    )
    log_params(tracking, run_id, recipe.model_dump(mode="json"))
    log_epochs(tracking, run_id, read_json(train_folder / "history.json")["epochs"])
    log_metrics(tracking, run_id, read_json(evaluate_folder / "metrics.json"))
    log_tags(tracking, run_id, collect_lineage(tracking.root, name, recipe).tags())
    statistics = Workspace(tracking.root).artifact_folder(name, "prepare") / "statistics.json"
    validation = Workspace(tracking.root).artifact_folder(name, "validate") / "result.json"
    pages = [evaluate_folder / part for part in ("report.html", "metrics.json", "details.json", "plots")]
    recipe_file = Workspace(tracking.root).recipe_path(name)
    log_artifacts(tracking, run_id, [*pages, statistics, validation, recipe_file, tracking.root / "dvc.lock"])


def register_artifacts(
    tracking: Tracking, name: str, *, recipe: Recipe, run_id: str | None = None
) -> RegisteredVersion:
    """Register what the stages made; the same content gives the version that is there.

    Args:
        tracking: Where.
        name: The model.
        recipe: Its recipe.
        run_id: The run of this journey; None starts one if the content is new, and ends it.
    """
    train_folder, evaluate_folder = (
        Workspace(tracking.root).artifact_folder(name, "train"),
        Workspace(tracking.root).artifact_folder(name, "evaluate"),
    )
    verify_manifest(train_folder)
    verify_manifest(evaluate_folder)
    known = registered_already(tracking, name, recipe)
    own_run = None
    if run_id is None:
        run_id = known.run_id if known else (own_run := start_run(tracking, name))
    try:
        log_journey(tracking, name, recipe=recipe, run_id=run_id)
        version = register(
            tracking,
            name,
            model_folder=train_folder,
            evaluate_folder=evaluate_folder,
            recipe=recipe,
            lineage=collect_lineage(tracking.root, name, recipe),
            run_id=run_id,
            origin=collect_origin(tracking.root, name),
        )
    except BaseException:
        if own_run:
            finish_run(tracking, own_run, status="FAILED")
        raise
    if own_run:
        finish_run(tracking, own_run)
    return version


def promote_artifacts(
    tracking: Tracking, name: str, *, recipe: Recipe, version: int | None = None, again: bool = False
) -> Decision:
    """Judge a version, by default the challenger, by what the stages made; see `promotion.promote`.

    Returns:
        The decision; its outcome `held` is a challenger that passed and waits for `approve_artifacts`.
    """
    workspace = Workspace(tracking.root)
    return promote(
        tracking,
        name,
        recipe=recipe,
        prepare_folder=workspace.artifact_folder(name, "prepare"),
        evaluate_folder=workspace.artifact_folder(name, "evaluate"),
        version=version,
        again=again,
    )


def approve_artifacts(
    tracking: Tracking, name: str, *, recipe: Recipe, reason: str = "", who: str = ""
) -> Decision:
    """Approve the challenger that is held; see `approval.approve`."""
    workspace = Workspace(tracking.root)
    return approve(
        tracking,
        name,
        recipe=recipe,
        prepare_folder=workspace.artifact_folder(name, "prepare"),
        evaluate_folder=workspace.artifact_folder(name, "evaluate"),
        reason=reason,
        who=who,
    )


def settled_already(tracking: Tracking, name: str, *, recipe: Recipe) -> bool:
    """Whether what the stages made is registered and decided about; see `promotion.is_decided`."""
    version = registered_already(tracking, name, recipe)
    workspace = Workspace(tracking.root)
    return version is not None and is_decided(
        tracking,
        name,
        version.version,
        recipe=recipe,
        prepare_folder=workspace.artifact_folder(name, "prepare"),
        evaluate_folder=workspace.artifact_folder(name, "evaluate"),
    )
