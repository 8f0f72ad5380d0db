"""The benchmark's part of the machine: how near the trainer comes to its peak."""

import os
import subprocess
import sys

from tests.benchmarks.parts.trainer import CORES, SourceTask
from tests.benchmarks.rows import Row


def roofline(task: SourceTask, side_by_side: Row) -> list[Row]:
    """Float32 GEMM peak of all cores (NumPy's BLAS, 2048³), and the side-by-side trainer's fraction of it."""
    script = (
        "import numpy as np, time\n"
        "a = np.ones((2048, 2048), np.float32); a @ a; best = 9e9\n"
        "for _ in range(10):\n t = time.perf_counter(); a @ a; best = min(best, time.perf_counter() - t)\n"
        "print(2 * 2048**3 / best)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENBLAS_")}
    peak = float(
        subprocess.run([sys.executable, "-c", script], env=environment, check=True, capture_output=True).stdout
    )
    kernels = [784 * 100, 100 * 100, 100 * 100, 100 * 8]
    # Forward and weight gradients for every layer, input gradients for all but the first: 2 FLOP a weight each.
    flop = len(task.data.training) * 2 * (3 * sum(kernels) - kernels[0])
    assert side_by_side.figure
    rate = flop / side_by_side.figure / 1e9
    machine = Row(f"float32 GEMM peak, {CORES} cores", peak / 1e9, unit="GFLOP/s")
    return [machine, Row("trainer side by side", rate, "fraction", machine, goal=0.4, unit="GFLOP/s")]
