"""Classes given by name or by number."""

from tasks.experiment.errors import UnusableInputError

NAMED_CLASSES = 50  # in a message


def class_numbers(names: tuple[int | str, ...], classes: tuple[str, ...]) -> tuple[int, ...]:
    """The numbers of classes given by name or number. Raises UnusableInputError for an unknown or repeated one."""
    numbers = tuple(class_number(name, classes) for name in names)
    if twice := [number for number in numbers if numbers.count(number) > 1]:
        raise UnusableInputError(f"target_classes names {classes[twice[0]]!r} twice: give different classes")
    return numbers


def class_number(name: int | str, classes: tuple[str, ...]) -> int:
    """The number of a class given by (case aside) name or by number; a name that is a number is a name.

    Raises UnusableInputError, with the names that exist, if there is no such class.
    """
    numbers: dict[int | str, int] = {}
    for number in range(len(classes)):
        numbers |= {number: number, str(number): number}
    numbers |= {known.lower(): number for number, known in enumerate(classes)}
    key = name.lower() if isinstance(name, str) else name
    if key not in numbers:
        known = ", ".join(classes[:NAMED_CLASSES]) + (", …" if len(classes) > NAMED_CLASSES else "")
        raise UnusableInputError(f"no class {name!r}: give a number 0–{len(classes) - 1} or one of {known}")
    return numbers[key]
