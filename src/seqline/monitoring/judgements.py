"""What was found about one batch with one champion, as it is kept: a JSON file that anyone can read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqline.errors import SeqlineError
from seqline.files import read_json, write_json
from seqline.monitoring.drift import DriftReport

# Another format is judged anew.
_FORMAT = 1


@dataclass(frozen=True)
class Judgement:
    """One batch, judged once by one version.

    Attributes:
        model: Name of the model.
        version: The champion at that time.
        content_key: What that version is; numbers begin anew in a new registry.
        batch: Name of the file.
        sha256: Of its bytes.
        report: What was found.
    """

    model: str
    version: int
    content_key: str
    batch: str
    sha256: str
    report: DriftReport

    @property
    def judged(self) -> bool:
        """Whether the batch had enough rows."""
        return self.report.judged

    @property
    def drifted(self) -> bool:
        """Whether any signal moved."""
        return self.report.drifted

    @property
    def verdict(self) -> str:
        """`DRIFTED`, `not drifted` or `not judged`."""
        return ("DRIFTED" if self.drifted else "not drifted") if self.judged else "not judged"

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; `drifted`, `judged` and `moved` stand at the top for those who read nothing else."""
        return {
            "format": _FORMAT,
            "model": self.model,
            "version": self.version,
            "content_key": self.content_key,
            "batch": self.batch,
            "sha256": self.sha256,
            "judged": self.judged,
            "drifted": self.drifted,
            "moved": self.report.moved,
            "report": self.report.to_dict(),
        }

    def save(self, path: Path) -> None:
        """Write the file."""
        write_json(path, self.to_dict())

    @classmethod
    def load(cls, path: Path) -> Judgement | None:
        """Read the file; None where it is missing, damaged or of another format: it can be made again."""
        try:
            value = read_json(path)
            if value["format"] != _FORMAT:
                return None
            names = ("model", "version", "content_key", "batch", "sha256")
            return cls(**{name: value[name] for name in names}, report=DriftReport.from_dict(value["report"]))
        except (SeqlineError, KeyError, TypeError, ValueError, AttributeError):
            return None
