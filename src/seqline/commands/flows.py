"""The project's flows, loaded from `flows/`, which is not part of the package."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from seqline.errors import InputError
from seqline.workspace import Workspace


def load_flow(workspace: Workspace, name: str) -> Any:
    """Load `flows/NAME_flow.py` with Prefect pointed at the project.

    Where the servers of `seqline up` run, the flow run shows there; else Prefect starts a temporary server.

    Raises:
        InputError: There is no such flow.
        SeqlineError: The server that `PREFECT_API_URL` names does not answer, or refuses the login.
    """
    from seqline.prefect_server import require_prefect
    from seqline.services import environment_of

    module = f"{name}_flow"
    path = workspace.root / "flows" / f"{module}.py"
    if not path.is_file():
        raise InputError(str(path), "no such file", "the flow that runs the chain")
    for key, value in environment_of(workspace).items():
        os.environ.setdefault(key, value)
    require_prefect(os.environ)
    # One flow calls another: they are modules of one folder, as Prefect's own loader sees them.
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    return importlib.import_module(module)
