"""Fashion-MNIST: its four IDX files, known by the hash of their content, and its classes."""

from pathlib import Path

from tasks.experiment.data.dataset import DataSet, KnownFile

NAME = "fashion-mnist"


# Of the decompressed content: gzip files differ between mirrors, content does not.
FILES = {
    "train-images-idx3-ubyte": KnownFile(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888", 47_040_016
    ),
    "train-labels-idx1-ubyte": KnownFile("bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9", 60_008),
    "t10k-images-idx3-ubyte": KnownFile("5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b", 7_840_016),
    "t10k-labels-idx1-ubyte": KnownFile("0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34", 10_008),
}
CLASS_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
VALIDATION_IMAGES = 5_000


def data_set() -> DataSet:
    """The handle of the four files in data/raw, once they are there."""
    return DataSet(classes=CLASS_NAMES, image_shape=(28, 28), validation_images=VALIDATION_IMAGES, raw=FILES)


def is_valid(path: Path) -> bool:
    """Whether this is the file of that name, by size and content."""
    return FILES[path.name].is_at(path)
