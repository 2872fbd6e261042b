"""Model versions: registered once for each content, found by alias, checked before use.

A version is what a model folder and its recipe are, not when it was made: registering the same content
again gives the version that is there. Nothing is registered before its package was reloaded and answered as
the model in memory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from seqline.config import sections_of
from seqline.errors import InputError, SeqlineError
from seqline.files import MANIFEST_NAME, check_name, read_json, sha256_file, sha256_json, verify_manifest
from seqline.recipe import Recipe
from seqline.serving.model_folder import content_files
from seqline.tracking.ledger import Ledger
from seqline.tracking.lineage import Lineage
from seqline.tracking.origin import Origin
from seqline.tracking.packaging import Package, model_folder_of, save_package
from seqline.tracking.storage import package_folder
from seqline.tracking.store import Tracking, connect, experiment_id

CHAMPION = "champion"
CHALLENGER = "challenger"
# What the answers of a model depend on besides its files; how it was trained is in the weights.
CONTENT_SECTIONS = ("task", "input", "target", "model")
_LOCK_SECONDS = 300.0
_PREFIX = "seqline."


@dataclass(frozen=True)
class RegisteredVersion:
    """One version of a model.

    Attributes:
        name: The model.
        version: Its number.
        run_id: MLflow run it came from.
        aliases: Aliases it bears.
        tags: Its tags without the prefix `seqline.`: content_key, package_sha256, lineage, decision, ...
        created: Whether this very call made it (`register` only).
    """

    name: str
    version: int
    run_id: str
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    created: bool = False

    @property
    def content_key(self) -> str:
        """Digest of the content."""
        return self.tags.get("content_key", "")

    @property
    def uri(self) -> str:
        """What MLflow calls it."""
        return f"models:/{self.name}/{self.version}"


@contextmanager
def model_lock(tracking: Tracking, name: str) -> Iterator[None]:
    """One change of a model's versions and aliases at a time, over all processes of this project.

    Raises:
        SeqlineError: Another process held the lock for 300 s.
    """
    folder = tracking.state / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{check_name(name)}.lock"
    try:
        with FileLock(path, timeout=_LOCK_SECONDS):
            yield
    except Timeout:
        raise SeqlineError(
            str(path),
            f"another process changes {name} for more than {_LOCK_SECONDS:.0f} s",
            hint="try again later",
        ) from None


def ledger_of(root: Path, name: str) -> Ledger:
    """Open the ledger of a model."""
    return Ledger(root / ".seqline" / "ledger", name)


def content_key(model_folder: Path, recipe: Recipe) -> str:
    """Digest of all that a model's answers depend on: weights, tokenizer, description, recipe sections."""
    files = {name: sha256_file(model_folder / name) for name in content_files(model_folder)}
    return sha256_json({"files": files, "recipe": sections_of(recipe, *CONTENT_SECTIONS)})


def register(
    tracking: Tracking,
    name: str,
    *,
    model_folder: Path,
    evaluate_folder: Path,
    recipe: Recipe,
    lineage: Lineage,
    run_id: str,
    origin: Origin | None = None,
) -> RegisteredVersion:
    """Make a version of a model folder, or find the one that is there, and alias it `challenger`.

    Args:
        tracking: Where.
        name: The model.
        model_folder: Complete model folder (`artifacts/NAME/train`).
        evaluate_folder: Complete evaluation of that model (`artifacts/NAME/evaluate`).
        recipe: Its recipe.
        lineage: Where it came from; kept as tags.
        run_id: MLflow run of a new version.
        origin: What `seqline rebuild` needs; goes into the package of a new version.

    Returns:
        The version; `created` tells whether it is new.

    Raises:
        InputError: A folder is not complete, or the evaluation is of another model.
        GateRefused: The weights are not finite, or the reloaded package answers differently.
        SeqlineError: A file was altered.
    """
    trained, evaluation = verify_manifest(model_folder), verify_manifest(evaluate_folder)
    if evaluation.get("model", sha256_json(trained["files"])) != sha256_json(trained["files"]):
        raise InputError(
            str(evaluate_folder),
            f"an evaluation of another model than the one in {model_folder}",
            hint=f"run `seqline evaluate {name}` first",
        )
    key = content_key(model_folder, recipe)
    evaluated = {
        "evaluation_sha256": sha256_file(evaluate_folder / MANIFEST_NAME),
        **_scores(evaluate_folder, recipe),
    }
    with model_lock(tracking, name):
        found = _with_content(tracking, name, key)
        created = found is None
        version = (
            _create(tracking, name, model_folder, key=key, run_id=run_id, lineage=lineage, origin=origin)
            if found is None
            else found.version
        )
        set_tags(tracking, name, version, evaluated)
        tracking.client.set_registered_model_alias(name, CHALLENGER, str(version))
    registered = get_version(tracking, name, version)
    return RegisteredVersion(**{**registered.__dict__, "created": created})


def _scores(evaluate_folder: Path, recipe: Recipe) -> dict[str, str]:
    metrics = read_json(evaluate_folder / "metrics.json")
    wanted = {"accuracy", "macro_f1", recipe.gate.metric}
    wanted |= {f"baseline.{recipe.gate.baseline}.{recipe.gate.metric}"}
    return {
        f"metric.{key}": repr(float(metrics[key])) for key in sorted(wanted) if metrics.get(key) is not None
    }


def _with_content(tracking: Tracking, name: str, key: str) -> RegisteredVersion | None:
    """Find the newest version of this content whose package is intact."""
    for version in reversed(versions(tracking, name)):
        if version.content_key == key:
            try:
                package_folder(tracking, version)
            except SeqlineError:
                continue
            return version
    return None


def _create(
    tracking: Tracking,
    name: str,
    model_folder: Path,
    *,
    key: str,
    run_id: str,
    lineage: Lineage,
    origin: Origin | None,
) -> int:
    from mlflow.exceptions import MlflowException

    from seqline.serving.predictor import Predictor

    client = tracking.client
    predictor = Predictor.load(model_folder)
    logged = client.create_logged_model(experiment_id(tracking, name), name=name, source_run_id=run_id)
    with tempfile.TemporaryDirectory() as temporary:
        try:
            package = save_package(
                model_folder,
                Path(temporary) / "package",
                predictor=predictor,
                run_id=run_id,
                model_id=logged.model_id,
                origin=origin,
            )
            client.log_model_artifacts(logged.model_id, str(package.folder))
        except BaseException:
            client.finalize_logged_model(logged.model_id, "FAILED")
            raise
    client.finalize_logged_model(logged.model_id, "READY")
    try:
        client.create_registered_model(name, tags={f"{_PREFIX}name": name})
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    # Tags come with the creation, so no kill leaves a version without its content key.
    made = client.create_model_version(
        name,
        source=f"models:/{logged.model_id}",
        run_id=run_id,
        model_id=logged.model_id,
        tags={f"{_PREFIX}{key}": value for key, value in _version_tags(package, key, lineage).items()},
    )
    return int(made.version)


def _version_tags(package: Package, key: str, lineage: Lineage) -> dict[str, str]:
    return {
        **{tag: value for tag, value in lineage.tags().items() if value},
        "content_key": key,
        "package_sha256": package.digest,
        "model_bytes": str(package.model_bytes),
        "reload_difference": f"{package.reload_difference:.3g}",
    }


def set_tags(tracking: Tracking, name: str, version: int, tags: Mapping[str, str]) -> None:
    """Set tags of a version, `seqline.` in front of each name; those that say so already are left alone."""
    present = get_version(tracking, name, version).tags
    for key, value in tags.items():
        if present.get(key) != value:
            tracking.client.set_model_version_tag(name, str(version), f"{_PREFIX}{key}", value)


def aliases_of(tracking: Tracking, name: str) -> dict[str, int]:
    """Alias -> version; empty for a model that is not registered."""
    # Asked for by name, a model that is not there is forbidden on a server with logins; a search leaves it out.
    found = tracking.client.search_registered_models(f"name = '{name}'")
    return {
        alias: int(version)
        for model in found
        if model.name == name
        for alias, version in model.aliases.items()
    }


def get_version(tracking: Tracking, name: str, version: int) -> RegisteredVersion:
    """One version by its number.

    Raises:
        InputError: There is no such version.
    """
    from mlflow.exceptions import MlflowException

    try:
        found = tracking.client.get_model_version(name, str(version))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        raise InputError(
            f"{name} version {version}", "not in the registry", hint=f"see `seqline history {name}`"
        ) from None
    return _read(found, aliases_of(tracking, name))


def versions(tracking: Tracking, name: str) -> list[RegisteredVersion]:
    """All versions of a model, the oldest first."""
    aliases = aliases_of(tracking, check_name(name))
    found = []
    token = None
    while True:
        page = tracking.client.search_model_versions(f"name = '{name}'", page_token=token)
        found += [_read(version, aliases) for version in page]
        token = page.token
        if not token:
            return sorted(found, key=lambda version: version.version)


def _read(version: object, aliases: Mapping[str, int]) -> RegisteredVersion:
    number = int(version.version)  # type: ignore[attr-defined]
    tags: Mapping[str, str] = version.tags or {}  # type: ignore[attr-defined]
    return RegisteredVersion(
        name=str(version.name),  # type: ignore[attr-defined]
        version=number,
        run_id=str(version.run_id or ""),  # type: ignore[attr-defined]
        aliases=tuple(sorted(alias for alias, target in aliases.items() if target == number)),
        tags={key.removeprefix(_PREFIX): value for key, value in tags.items() if key.startswith(_PREFIX)},
    )


def with_alias(tracking: Tracking, name: str, alias: str) -> RegisteredVersion | None:
    """Find the version that bears an alias."""
    number = aliases_of(tracking, check_name(name)).get(alias)
    return None if number is None else get_version(tracking, name, number)


def champion(tracking: Tracking, name: str) -> RegisteredVersion | None:
    """Find the version that answers; None before the first promotion."""
    return with_alias(tracking, name, CHAMPION)


def champion_folder(root: Path, name: str) -> Path:
    """Locate the champion's model folder, checked, for `Predictor.load`.

    Raises:
        InputError: There is no champion.
        SeqlineError: Its package is missing or was altered.
    """
    tracking = connect(root)
    version = champion(tracking, name)
    if version is None:
        raise InputError(
            name, "no champion yet", hint=f"run `seqline run {name}`, or see `seqline history {name}`"
        )
    return model_folder_of(package_folder(tracking, version))


def delete_version(tracking: Tracking, name: str, version: int) -> None:
    """Delete a version that bears no alias. MLflow itself would delete the live champion without a word.

    Raises:
        InputError: There is no such version, or it bears an alias.
    """
    with model_lock(tracking, name):
        found = get_version(tracking, name, version)
        if found.aliases:
            raise InputError(
                f"{name} version {version}",
                f"it bears the alias {' and '.join(found.aliases)}",
                "a version without alias",
                f"promote or roll back to another version first (`seqline rollback {name}`)",
            )
        tracking.client.delete_model_version(name, str(version))
