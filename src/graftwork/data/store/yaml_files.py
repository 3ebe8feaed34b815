"""YAML files of users, read in one place: plain data of a sensible size, whatever the file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graftwork.errors import UsageError

if TYPE_CHECKING:
    from yaml import Node

MOST_BYTES = 1 << 20
MOST_VALUES = 100_000
"""Names and values at most, each counted as often as aliases (`*name`) repeat it."""


def read_yaml(file: Path, what: str) -> Any:
    """What a YAML file holds. what: what it should be, for messages ("recipe").

    Raises UsageError where there is no such file, it can't be read, is no YAML, or is far larger than any `what`.
    """
    if not file.is_file():
        raise UsageError(f"There is no {what} file {file}.")
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UsageError(f"{file} is larger than {MOST_BYTES >> 20} MB. That is no {what}.")
        text = content.decode("utf-8")
    except ValueError as error:
        raise UsageError(f"{file} is not valid YAML: {error}") from None
    except OSError as error:
        raise UsageError(f"{file} can't be read: {error.strerror or error}") from None
    return parse_yaml(text, str(file), what)


def parse_yaml(text: str, called: str, what: str) -> Any:
    """The same of a text that was read. called: where it comes from, for messages."""
    import yaml

    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}, set()) > MOST_VALUES:
            raise UsageError(
                f"{called} holds more than {MOST_VALUES:,} values, its aliases written out. That is no {what}."
            )
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError, OverflowError, TypeError, AttributeError) as error:
        raise UsageError(f"{called} is not valid YAML: {error}") from None
    except RecursionError:
        raise UsageError(f"{called} is nested too deeply. That is no {what}.") from None


def _size(node: Node, known: dict[int, int], above: set[int]) -> int:
    """Values below a node. Raises ValueError where it holds itself. known: of nodes that were met before."""
    key = id(node)
    if key in above:
        raise ValueError("an alias stands for something that it is in")
    if key not in known:
        above.add(key)
        parts = node.value if isinstance(node.value, list) else []
        flat = [one for part in parts for one in (part if isinstance(part, tuple) else (part,))]
        known[key] = 1 + sum(_size(one, known, above) for one in flat)
        above.discard(key)
    return known[key]
