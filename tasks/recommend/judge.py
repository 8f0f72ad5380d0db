"""embed, judge: what a body makes of the labelled images, and one repetition of one method's cross-validation."""

from pathlib import Path

import numpy as np

from tasks.experiment.data.splits import Problem
from tasks.experiment.recommend.methods import Judging, Method
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import write_json


@stage()
def embed(B: Problem, method: Method, seed: int) -> Artifact:
    """Store inputs.npy: what the head of a network with this start gets of each labelled image, computed once."""
    from tasks.experiment.networks.trainer import set_threads
    from tasks.experiment.recommend.making import Bench

    set_threads()
    inputs = Bench.of(B, method, seed).inputs
    return save("embed", lambda folder: np.save(folder / "inputs.npy", inputs))


@stage(run_name="judge {method.name}, repetition {repetition}")
def judge(
    B: Problem, method: Method, judging: Judging, seed: int, repetition: int, inputs: Artifact | None, share: float = 1
) -> Artifact:
    """Store judged.npz (see Judged) and size.json: the network's number of weights.

    inputs: what `embed` stored of the method's start, if its head is fitted to it. share: of a fold's training images.
    """
    from tasks.experiment.networks.trainer import set_threads
    from tasks.experiment.recommend.judging import judge
    from tasks.experiment.recommend.making import Bench

    set_threads()
    bench = Bench.of(B, method, seed, np.load(inputs.folder() / "inputs.npy") if inputs else None)
    judged = judge(bench, judging, repetition, share)
    weights = bench.untrained().count_params()

    def write(folder: Path) -> None:
        judged.save(folder / "judged.npz")
        write_json(folder / "size.json", {"weights": weights})

    return save("judge", write)
