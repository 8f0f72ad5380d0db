import numpy as np

from tasks.experiment.recommend.augmentation import of_copies, with_copies

IMAGE = np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)


def test_copies_by_hand() -> None:
    assert with_copies(IMAGE, "none").tolist() == IMAGE.tolist()
    assert with_copies(IMAGE, "flips")[1].tolist() == [[3, 2, 1], [6, 5, 4]]
    up, down, left, right = with_copies(IMAGE, "shifts")[1:].tolist()
    assert (up, down) == ([[4, 5, 6], [4, 5, 6]], [[1, 2, 3], [1, 2, 3]])
    assert (left, right) == ([[2, 3, 3], [5, 6, 6]], [[1, 1, 2], [4, 4, 5]])
    assert len(with_copies(IMAGE, "shifts-and-flips")) == 6


def test_a_shift_is_a_fourteenth_of_the_side_and_colours_stay() -> None:
    photo = np.random.default_rng(1).integers(0, 256, (1, 28, 42, 3), np.uint8)
    up, _, left, _ = with_copies(photo, "shifts")[1:]
    assert (up[:26] == photo[0, 2:]).all()
    assert (left[:, :39] == photo[0, :, 3:]).all()


def test_a_copy_is_found_by_its_image() -> None:
    images = np.arange(5 * 2 * 3, dtype=np.uint8).reshape(5, 2, 3)
    grown, places = with_copies(images, "flips"), of_copies(np.array([1, 4]), 5, 2)
    assert grown[places].tolist() == with_copies(images[[1, 4]], "flips").tolist()
