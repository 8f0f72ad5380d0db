"""How much memory it takes to read your own data: `python -m tests.benchmarks.reading [MiB]`.

An .npz of that size (default: 150 MiB) of colour images of 64 × 64 pixels, read in a process of its own; the figure is
the process's peak less what it had before, as a multiple of the data.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

WRITE = """
import sys, numpy as np
n = int(sys.argv[2]) * 2**20 // (64 * 64 * 3)
images = np.random.default_rng(0).integers(0, 256, (n, 64, 64, 3), np.uint8)
np.savez(sys.argv[1], x_train=images, y_train=np.arange(n) % 10)
"""
READ = """
import sys, time
from pathlib import Path
from tasks.experiment.data.ingestion import import_data

def peak():  # in KiB, of this program alone: getrusage counts what its parent had
    return int(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))

before, started = peak(), time.perf_counter()
import_data(Path(sys.argv[1]))
print(peak() - before, time.perf_counter() - started)
"""


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 150
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "data.npz")
        subprocess.run([sys.executable, "-c", WRITE, file, str(size)], check=True)
        environment = os.environ | {"HEADSTART_ARTIFACTS": str(Path(folder) / "artifacts")}
        read = subprocess.run(
            [sys.executable, "-c", READ, file], check=True, env=environment, capture_output=True, text=True
        )
    kibibytes, seconds = map(float, read.stdout.split())
    peak = kibibytes / 1024
    print(f"{size} MiB of images: {peak:.0f} MiB at most, {peak / size:.2f} × the data, in {seconds:.1f} s")


if __name__ == "__main__":
    main()
