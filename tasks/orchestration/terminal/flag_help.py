"""What `--help` says of a flag beside its description: what it takes, in plain words, its range and its default."""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

TYPES = {"integer": "INTEGER", "number": "NUMBER", "string": "TEXT", "array": "JSON-LIST", "boolean": "true|false"}
DEFAULT = re.compile(r" ?\((default|ifdef): .*\)$", re.DOTALL)  # as pydantic puts it
UNDEFINED = "default: null (undefined)\n"  # of a group of flags that need not be given


def describe_flags(flags: type[BaseModel]) -> dict[str, dict[str, Any]]:
    """The JSON schema of each flag's value, by the flag's name (--experiment.target-samples)."""
    schema = flags.model_json_schema()
    return dict(_described("--", schema, schema.get("$defs", {})))


def _described(prefix: str, schema: dict[str, Any], models: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, value in schema["properties"].items():
        flag = prefix + name.replace("_", "-")
        for kind in (value, *value.get("anyOf", ())):
            if "$ref" in kind:
                yield from _described(f"{flag}.", models[kind["$ref"].rsplit("/", 1)[-1]], models)
        yield flag, value


def plain_help(value: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """argparse's options of a flag whose value has this schema, in plain words."""
    kinds = [kind for kind in value.get("anyOf", [value]) if kind.get("type") != "null"]
    notes = [_range(kinds[0])]
    if "$ref" not in value and "default" in value:
        default = value["default"]
        shown = "empty" if default is None else default if isinstance(default, str) else json.dumps(default)
        notes.append(f"default: {shown}")
    note = "; ".join(filter(None, notes)).replace("%", "%%")
    text = DEFAULT.sub("", options.get("help") or "")
    if any("$ref" in kind for kind in kinds):  # a group of flags; pydantic says "set NAME from JSON string"
        text = f"{'One of these, or t' if len(kinds) > 1 else 'T'}he settings below as one JSON object."
    return options | {"metavar": "|".join(map(_takes, kinds)), "help": f"{text} ({note})" if note else text}


def plain_group(options: dict[str, Any]) -> dict[str, Any]:
    """argparse's options of a group of flags, in plain words."""
    return options | {"description": (options.get("description") or "").removeprefix(UNDEFINED)}


def _takes(kind: dict[str, Any]) -> str:
    if "enum" in kind:
        return "{" + ",".join(map(str, kind["enum"])) + "}"
    return TYPES.get(kind.get("type", ""), "JSON")


def _range(kind: dict[str, Any]) -> str:
    low, above, high = (kind.get(name) for name in ("minimum", "exclusiveMinimum", "maximum"))
    if low is not None and high is not None:
        return f"{low:,} to {high:,}"
    parts = [f"at least {low:,}"] if low is not None else [f"above {above:,}"] if above is not None else []
    return ", ".join([*parts, f"at most {high:,}"] if high is not None else parts)
