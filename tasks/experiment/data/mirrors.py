"""Where Fashion-MNIST's files can be had: what is there, an installed package, HTTPS mirrors, the package registry."""

from collections.abc import Iterator
from pathlib import Path

from tasks.experiment.data.fashion_mnist import FILES, is_valid
from tasks.experiment.data.mirror_kinds import DebianPackage, Folder, Mirror, MirrorError, Progress, Website
from tasks.experiment.errors import UnusableInputError
from tasks.storage.locks import remove, temporary_folder
from tasks.storage.roots import data_root

PACKAGE = "dataset-fashion-mnist"
PACKAGE_FILES = Path("usr/share/datasets/fashion-mnist")
PACKAGE_FOLDER = "/" / PACKAGE_FILES
MIRRORS = (
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
)
TIMEOUT_SECONDS = 20.0  # of silence from a mirror
APT_SECONDS = 300.0  # for each step with the Debian package


class NoDataError(RuntimeError):
    """No mirror gave the data set; the message says why each one failed and what to do."""


class TransientNoDataError(NoDataError):
    """No mirror gave the data set, but one of them may if tried again."""


def in_order(private: Path, progress: Progress) -> Iterator[Mirror]:
    """All mirrors, the one to be asked first first. private: an empty folder for them to use."""
    yield Folder(data_root() / "raw")
    yield Folder(PACKAGE_FOLDER)
    for address in MIRRORS:
        yield Website(address, TIMEOUT_SECONDS, progress)
    yield DebianPackage(PACKAGE, PACKAGE_FILES, APT_SECONDS, private)


def fetch(progress: Progress = lambda file, done, total: None) -> list[Path]:
    """The four files in data/raw, each put there by the first mirror that has it; a valid one is kept as it is.

    Raises TransientNoDataError if trying again may help, else NoDataError.
    """
    raw = data_root() / "raw"
    try:
        raw.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInputError(
            f"the data folder {raw} can't be made ({error.strerror}): set HEADSTART_DATA to one that can be written to"
        ) from error
    files = [raw / name for name in FILES]
    missing = [file for file in files if not is_valid(file)]
    if not missing:
        return files
    errors: list[list[MirrorError]] = []  # of each mirror
    with temporary_folder(data_root()) as private:
        for mirror in in_order(private, progress):
            errors.append(list(_take(mirror, missing, private)))
            missing = [file for file in missing if not is_valid(file)]
    if missing:
        may_pass = any(error.may_pass for failed in errors for error in failed)
        reasons = "\n".join(f"  - {failed[0]}" for failed in errors if failed)
        raise (TransientNoDataError if may_pass else NoDataError)(
            f"Fashion-MNIST could not be had from any source:\n{reasons}\n"
            f"What to do: put {', '.join(file.name for file in missing)} (or the same with .gz) into {raw}, "
            f"or install the Debian package {PACKAGE}, or connect to the internet; then run again."
        )
    return files


def _take(mirror: Mirror, missing: list[Path], private: Path) -> Iterator[MirrorError]:
    """Put what a mirror has of the missing files in their place; yields why it could not give the others."""
    for file in missing:
        try:
            new = private / file.name
            new.write_bytes(mirror.get(file.name, FILES[file.name]))
            if file.is_dir():
                remove(file)
            new.replace(file)
        except OSError as error:
            yield MirrorError(str(error))
        except MirrorError as error:
            yield error
            if error.for_all:
                return
