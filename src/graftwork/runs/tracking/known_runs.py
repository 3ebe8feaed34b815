"""Which MLflow runs a call has begun, so that a resumed one goes on with them."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from graftwork.data.store.typed import misfit
from graftwork.data.store.writing import write_text


@dataclass
class KnownRuns:
    """Ids by name, kept in `file`; None keeps nothing. store: where they are, without a password, since it stands in
    the file; those of another one are forgotten."""

    file: Path | None
    store: str
    _ids: dict[str, str] = field(default_factory=dict)

    def get(self, name: str) -> str | None:
        return self._ids.get(name)

    def put(self, name: str, id_: str) -> None:
        self._ids[name] = id_
        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_text(self.file, json.dumps({"store": self.store, "runs": self._ids}, indent=1))


def known_runs(file: Path | None, store: str, *, resume: bool) -> KnownRuns:
    """Those of the call that is resumed. A file that is damaged or of another store is passed over: new ones begin."""
    ids: dict[str, str] = {}
    if file is not None and resume:
        with suppress(OSError, ValueError):
            found = json.loads(file.read_text(encoding="utf-8"))
            if not misfit(found, dict[str, object]) and found.get("store") == store:
                runs = found.get("runs")
                if not misfit(runs, dict[str, str]):
                    ids = {name: one for name, one in runs.items() if re.fullmatch(r"[0-9a-zA-Z_-]{1,64}", one)}
    return KnownRuns(file, store, ids)
