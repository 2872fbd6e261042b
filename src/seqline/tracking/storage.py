"""Where a version's package lies on this machine, every byte checked before it is used."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlparse

from seqline.errors import SeqlineError
from seqline.tracking.packaging import package_digest
from seqline.tracking.store import Tracking

if TYPE_CHECKING:
    from seqline.tracking.registry import RegisteredVersion


def package_folder(tracking: Tracking, version: RegisteredVersion) -> Path:
    """Find the version's package on this machine, every byte as registered. Treat it as read-only.

    A package in the project's own store is used where it lies; one on a server is fetched once, into
    `.seqline/cache`.

    Raises:
        SeqlineError: It is missing, cannot be reached, or was altered.
    """
    from mlflow.exceptions import MlflowException

    hint = f"restore its files, or go back with `seqline rollback {version.name}`"
    expected = version.tags.get("package_sha256", "")
    if not expected:
        raise SeqlineError(version.uri, "not registered by seqline: it has no digest", hint=hint)
    try:
        folder = _located(tracking, version, expected)
        digest = package_digest(folder) if folder.is_dir() else ""
    except (MlflowException, OSError) as error:
        reason = str(error).splitlines()[0][:300]
        raise SeqlineError(version.uri, f"its package cannot be reached ({reason})", hint=hint) from None
    if not digest:
        raise SeqlineError(version.uri, f"its package is missing: no folder {folder}", hint=hint)
    if digest != expected:
        raise SeqlineError(
            version.uri, f"its package was altered: {folder}", f"sha256 {expected[:12]}...", hint
        )
    return folder


def _located(tracking: Tracking, version: RegisteredVersion, digest: str) -> Path:
    location = tracking.client.get_model_version_download_uri(version.name, str(version.version))
    if location.startswith("models:/m-"):
        location = tracking.client.get_logged_model(location.removeprefix("models:/")).artifact_location
    if location.startswith("file:"):
        return Path(unquote(urlparse(location).path))
    cached = tracking.state / "cache" / "packages" / digest
    if not cached.is_dir() or package_digest(cached) != digest:
        import mlflow.artifacts

        shutil.rmtree(cached, ignore_errors=True)
        cached.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cached.parent) as temporary:
            fetched = mlflow.artifacts.download_artifacts(
                artifact_uri=version.uri,
                dst_path=temporary,
                tracking_uri=tracking.uri,
                registry_uri=tracking.uri,
            )
            Path(fetched).replace(cached)
    return cached
