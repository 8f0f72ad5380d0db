"""`make bench`: the trainer and the flow against plain Keras, the notebook's script, peers and the machine.

Everything is timed in one run, turn by turn, and quoted as medians and ratios: absolute times are this machine's.
"""

import argparse
import json
import resource
import sys
import time
from pathlib import Path

from tasks.experiment.networks.trainer import set_threads
from tasks.storage.roots import ROOT
from tests.benchmarks.effort import FULL, QUICK
from tests.benchmarks.parts.judged import cross_validation, recommendation
from tests.benchmarks.parts.large_body import large_body
from tests.benchmarks.parts.machines import machines
from tests.benchmarks.parts.processes import first_task, study, whole_flow
from tests.benchmarks.parts.roofline import roofline
from tests.benchmarks.parts.trainer import CORES, SourceTask, epoch_of_a, target_pair
from tests.benchmarks.rows import show


def main() -> None:
    parser = argparse.ArgumentParser("make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the same rows and ratios, rougher, in six minutes")
    parser.add_argument("--study", action="store_true", help="the whole study and a deployment too, ten minutes more")
    parser.add_argument("--machines", action="store_true", help="Dask and S3 too, ten minutes more")
    parser.add_argument(
        "--json", type=Path, help="default: artifacts/bench.json, of --quick artifacts/bench-quick.json"
    )
    arguments = parser.parse_args()
    effort, began = QUICK if arguments.quick else FULL, time.perf_counter()
    file = arguments.json or ROOT / "artifacts" / ("bench-quick.json" if arguments.quick else "bench.json")

    def begin(part: str) -> None:
        print(f"{time.perf_counter() - began:5.0f} s  {part}", file=sys.stderr)

    set_threads()  # before any part that computes here
    begin("the notebook's script and the whole flow")
    rows, script = whole_flow(effort)
    begin("a large body")
    rows += large_body(effort)
    begin("a recommendation")
    rows += recommendation(effort)
    if arguments.study:
        begin("a deployment and the study")
        rows += [first_task(), *study()]
    if arguments.machines:
        begin("Dask and S3")
        rows += machines()
    begin("the trainer and its peers")
    task = SourceTask()
    epochs, side_by_side = epoch_of_a(task, effort.rounds)
    rows += epochs + target_pair(task, script) + roofline(task, side_by_side)
    begin("cross-validation")
    rows += cross_validation(effort)
    show(rows, effort.title)
    taken = time.perf_counter() - began
    found = {"cores": CORES, "quick": arguments.quick, "seconds": taken, "rows": [row.described() for row in rows]}
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    file.write_text(json.dumps(found | {"bench_peak_mib": own}, indent=1))
    print(f"After {taken / 60:.1f} minutes{', with --quick' if arguments.quick else ''}: {file}")


if __name__ == "__main__":
    main()
