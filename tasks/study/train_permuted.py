"""train_A_permuted: a network that learned A's images with permuted labels: what they teach without their labels."""

from pathlib import Path

from prefect.logging import get_run_logger

from tasks.experiment.data.splits import Examples, Problem, TrainingData
from tasks.experiment.errors import DivergedError
from tasks.experiment.networks.blueprints import load_blueprint
from tasks.experiment.networks.model_files import save_model
from tasks.experiment.networks.recipe import Training
from tasks.experiment.networks.train_network import lost_network, train_network
from tasks.experiment.randomness import generator
from tasks.orchestration.stage import stage
from tasks.storage.artifacts import Artifact, save


@stage(run_name="train_A_permuted seed {seed}")
def train_A_permuted(A: Problem, training: Training, seed: int) -> Artifact:
    """Store model.keras: as train_A's, but which training image has which label is random.

    If training diverges, so does all that starts from this network, and the study goes on.
    """
    from tasks.experiment.networks.resident_images import resident_images
    from tasks.experiment.networks.trainer import set_threads

    set_threads()
    parts = A.parts()
    given = parts["training"]
    permuted = Examples(given.rows, generator(seed, "labels/A").permutation(given.labels))
    data = TrainingData(resident_images(A.data), permuted, parts["validation"], len(A.classes))
    blueprint = load_blueprint(A.start)
    try:
        model, _ = train_network(blueprint, data, training, seed, task="A")
    except DivergedError as error:
        get_run_logger().warning("train_A_permuted seed %d: %s. The study answers without this control", seed, error)
        model = lost_network(blueprint, training, data.classes, seed)

    def write(folder: Path) -> None:
        save_model(model, folder / "model.keras")

    return save("train_A_permuted", write)
