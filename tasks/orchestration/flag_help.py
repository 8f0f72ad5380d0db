"""What `--help` says of a flag beside its description: what it takes, in plain words, its range and its default."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

TYPES = {"integer": "INTEGER", "number": "NUMBER", "string": "TEXT", "array": "JSON-LIST"}
DEFAULT = re.compile(r" ?\((default|ifdef): .*\)$", re.DOTALL)  # as argparse's caller has put it

UNDEFINED = re.compile(r"^default: .* \(undefined\)\n?")


def describe_flags(flags: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """The JSON schema of each flag's value, by the flag's name (--experiment.target-samples)."""
    schema = flags.model_json_schema()
    return dict(_described("--", schema, schema.get("$defs", {})))


def _described(prefix: str, schema: dict[str, Any], models: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in schema["properties"].items():
        flag = prefix + name.replace("_", "-")
        for kind in value.get("anyOf", [value]):
            if "$ref" in kind:
                yield from _described(f"{flag}.", models[kind["$ref"].rsplit("/", 1)[-1]], models)
        if "$ref" not in value:
            yield flag, value


def plain_help(value: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """argparse's options of a flag whose value has this schema, in plain words."""
    kinds = [kind for kind in value.get("anyOf", [value]) if kind.get("type") != "null"]
    said = {"metavar": TYPES[kinds[0]["type"]]} if "enum" not in kinds[0] and kinds[0].get("type") in TYPES else {}
    if len(kinds) > 1 and "enum" in kinds[0]:  # one of some words, or a model, which has flags of its own
        said, options = {"metavar": "|".join([*kinds[0]["enum"], "JSON"])}, options | {"help": value["description"]}
    default = value.get("default")
    shown = "empty" if default is None else default if isinstance(default, str) else json.dumps(default)
    notes = "; ".join(filter(None, [_range(kinds[0]), f"default: {shown}"]))
    return (
        options | said | {"help": f"{DEFAULT.sub('', options.get('help') or '')} ({notes.replace('%', '%%')})".strip()}
    )


def without_technical_default(description: str | None) -> str | None:
    """What is said of a group of flags, without the line of pydantic-settings' on a model that is not given."""
    return description and UNDEFINED.sub("", description)


def _range(kind: dict[str, Any]) -> str:
    low, above, high = (kind.get(name) for name in ("minimum", "exclusiveMinimum", "maximum"))
    if low is not None and high is not None:
        return f"{low:,} to {high:,}"
    parts = [f"at least {low:,}"] if low is not None else [f"above {above:,}"] if above is not None else []
    return ", ".join([*parts, f"at most {high:,}"] if high is not None else parts)
