"""Classes given by name or by number, and the order of names."""

from tasks.experiment.errors import UnusableInputError

NAMED_CLASSES = 50  # in a message
DIGITS = 9  # more are no number of a class


def class_numbers(
    given: tuple[int | str, ...], classes: tuple[str, ...], numbers: tuple[int, ...] = ()
) -> tuple[int, ...]:
    """The places in `classes` of those given by name or number. Raises UnusableInputError if unknown or repeated."""
    places = tuple(class_number(name, classes, numbers) for name in given)
    if twice := [place for place in places if places.count(place) > 1]:
        raise UnusableInputError(f"target_classes names {classes[twice[0]]!r} twice: give different classes")
    return places


def class_number(given: int | str, classes: tuple[str, ...], numbers: tuple[int, ...] = ()) -> int:
    """The place in `classes` of the one given by (case aside) name or by number.

    Where names are numbers, a number is a name: 2 is the folder "2" or "02", wherever it stands. Otherwise it is one
    of `numbers`, those that the data have; empty: they count from 0.

    Raises UnusableInputError, with the names that exist, if there is no such class.
    """
    text, numbers = str(given).lower(), numbers or tuple(range(len(classes)))
    places = {name.lower(): place for place, name in enumerate(classes)}
    if text in places:
        return places[text]
    values = {place: int(name) for place, name in enumerate(classes) if _is_number(name)}
    if _is_number(text):
        same = [place for place, value in (values or dict(enumerate(numbers))).items() if value == int(text)]
        if len(same) == 1:
            return same[0]
    known = ", ".join(classes[:NAMED_CLASSES]) + (", …" if len(classes) > NAMED_CLASSES else "")
    number = "" if values else f"a number {numbers[0]}–{numbers[-1]} or "
    raise UnusableInputError(f"no class {given!r}: give {number}one of {known}")


def in_order(names: list[str]) -> list[str]:
    """Names that are numbers by their value, then the others by the alphabet."""
    return sorted(names, key=lambda name: (not _is_number(name), int(name) if _is_number(name) else 0, name))


def _is_number(name: str) -> bool:
    return name.isascii() and name.isdecimal() and len(name) <= DIGITS
