"""`make bench`: the trainer and the flow against plain Keras, the notebook's script, peers and the machine.

Everything is timed in one run, turn by turn, and quoted as medians and ratios: absolute times are this machine's.
"""

import argparse
import json
import resource
from pathlib import Path

from tasks.storage.roots import ROOT
from tests.benchmarks.judged import cross_validation, recommendation
from tests.benchmarks.large_body import large_body
from tests.benchmarks.machines import machines
from tests.benchmarks.peers import timed_peers
from tests.benchmarks.processes import first_task, study, whole_flow
from tests.benchmarks.rows import found, show
from tests.benchmarks.trainer import ALONE, CORES, SIDE_BY_SIDE, SourceTask, epoch_of_a, roofline, target_pair


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="counted rounds of the short measurements")
    parser.add_argument("--whole-rounds", type=int, default=3, help="counted rounds of whole processes")
    parser.add_argument("--study", action="store_true", help="the whole study and a deployment too, ten minutes more")
    parser.add_argument("--json", type=Path, default=ROOT / "artifacts" / "bench.json")
    parser.add_argument("--machines", action="store_true", help="Dask and S3 too, ten minutes more")
    arguments = parser.parse_args()
    rows, notebook = whole_flow(arguments.whole_rounds)
    rows += large_body() + recommendation()
    rows += [first_task(), *study()] if arguments.study else []
    rows += machines() if arguments.machines else []
    show(rows)

    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    task = SourceTask()
    epochs = epoch_of_a(task, arguments.rounds)
    rows += epochs + target_pair(task, notebook) + roofline(task, epochs) + cross_validation(arguments.rounds)
    ours = [found(epochs, name) for name in (ALONE, SIDE_BY_SIDE)]
    rows += timed_peers(task.x, task.y, ours, arguments.rounds)
    show(rows)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    arguments.json.write_text(json.dumps({"cores": CORES, "bench_peak_mib": own, "rows": rows}, indent=1))
    print(f"Written: {arguments.json}")


if __name__ == "__main__":
    main()
