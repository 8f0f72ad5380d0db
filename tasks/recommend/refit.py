"""refit: the recommended model, made of all labelled images; and what it says of the test images, if there are any."""

from pathlib import Path
from typing import Any

from tasks.experiment.data.splits import Problem
from tasks.experiment.networks.bodies.inference import predict
from tasks.experiment.networks.model_files import save_model
from tasks.experiment.networks.tuning.grid import Recipe
from tasks.experiment.recommend.methods import Judging, Method
from tasks.experiment.scores import confusion_matrix, score
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save
from tasks.storage.files import write_json


@stage(run_name="refit {method.name}")
def refit(B: Problem, method: Method, judging: Judging, recipe: Recipe, seed: int) -> Artifact:
    """Store model.keras, and test.json: its scores on the test images; empty if there are none."""
    from tasks.experiment.networks.trainer import set_threads
    from tasks.experiment.recommend.making import Bench

    set_threads()
    model, test = Bench.of(B, method, seed).make(recipe, judging.penalties), B.parts().get("test")
    scores: dict[str, Any] = {}
    if test:
        probabilities = predict(model, B.data.images("test")[test.rows])
        found = {"confusion": confusion_matrix(probabilities, test.labels), "images": len(test)}
        scores = {**score(probabilities, test.labels), **found}

    def write(folder: Path) -> None:
        save_model(model, folder / "model.keras")
        write_json(folder / "test.json", scores)

    return save("refit", write)
