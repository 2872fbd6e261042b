"""`python -m bench.promotions`: what the gate and the registry promise, at full size. Minutes; `--rounds 5` for a look.

Promoters at once, each a process with a model of its own: the best is champion, replaying the ledger gives the alias.
Simulated promotions: how often an equal model passes by luck, and how often one that is two points better is seen.
Writers at once on the project's sqlite: no point of a metric is lost.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

TESTS = Path(__file__).parents[1] / "tests"
for folder in ("tracking", "evaluation"):
    sys.path.insert(0, str(TESTS / folder))

from promoters import run_rounds, write_metrics  # noqa: E402
from test_gates import correlated, gate  # noqa: E402

from seqline.evaluation.gates import judge  # noqa: E402
from seqline.evaluation.intervals import wilson  # noqa: E402
from seqline.tracking.runs import connect  # noqa: E402

EQUAL, BETTER = (0.93, 0.93), (0.93, 0.95)
WRITERS, METRICS = 8, 200


def promotions(folder: Path, *, promoters: int, rounds: int) -> bool:
    """Run the rounds; says which of them went wrong."""
    start = time.perf_counter()
    results = run_rounds(folder / "rounds", database(folder), promoters=promoters, rounds=rounds)
    wrong = []
    for number, result in enumerate(results):
        try:
            result.check(promoters)
        except AssertionError as error:
            wrong.append(f"  round {number}: {error}")
    seconds = time.perf_counter() - start
    print(
        f"{promoters} promoters at once, {rounds} rounds: right {rounds - len(wrong)} times; {seconds:.0f} s"
    )
    print("\n".join(wrong), end="\n" if wrong else "")
    return not wrong


def database(folder: Path) -> Path:
    """MLflow takes seconds to make its tables: once, then copied."""
    connect(folder / "empty")
    return folder / "empty" / ".seqline" / "mlflow.db"


def simulated(truth: Sequence[float], *, trials: int) -> int:
    """How many of so many promotions pass; the challenger's accuracy is the second of `truth`, rows 2,000."""
    passed = sum(judge(gate(), correlated(seed, (truth[0], truth[1]))).passed for seed in range(trials))
    low, high = wilson(passed, trials)
    words = f"{truth[0]:.2f} against {truth[1]:.2f}, 2,000 rows"
    print(
        f"{words}: {passed} of {trials:,} pass, {passed / trials:.1%} (95 % interval {low:.1%} to {high:.1%})"
    )
    return passed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--promoters", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--trials", type=int, default=1_000)
    chosen = parser.parse_args()
    good = [
        simulated(EQUAL, trials=chosen.trials) <= math.floor(0.05 * chosen.trials),
        simulated(BETTER, trials=chosen.trials) >= math.ceil(0.8 * chosen.trials),
    ]
    with tempfile.TemporaryDirectory() as temporary:
        kept = write_metrics(Path(temporary), writers=WRITERS, metrics=METRICS)
        print(f"{WRITERS} writers of {METRICS} points each on sqlite: {WRITERS * METRICS - sum(kept)} lost")
        good.append(sum(kept) == WRITERS * METRICS)
        good.append(promotions(Path(temporary), promoters=chosen.promoters, rounds=chosen.rounds))
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
