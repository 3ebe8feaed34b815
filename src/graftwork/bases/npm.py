"""A tarball of npm, or of whatever registry the user's own npm is set to; by HTTPS, so that npm need not be there."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from graftwork.bases.catalogue import Package
from graftwork.errors import FetchError

REGISTRY = "https://registry.npmjs.org/"
SECONDS = 60.0
_PIECE = 1 << 18


def downloaded(package: Package, folder: Path, progress: Callable[[int], None]) -> Path:
    """The tarball of `package`, below `folder`. progress: told how many bytes are there.

    Raises FetchError where it can't be had, with the reason.
    """
    import http.client
    import urllib.error
    import urllib.request

    settings = npm_settings()
    registry = registry_for(package.name, settings)
    address = address_of(package, registry)
    request = urllib.request.Request(address, headers={"User-Agent": "graftwork"})
    told = _authorization(registry, settings)
    if told:
        request.add_unredirected_header("Authorization", told)  # the registry's own, for nobody else
    target, called = folder / "package.tgz", f"{package.name} {package.version}"
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as source, open(target, "wb") as file:
            held = 0
            while piece := source.read(_PIECE):
                held += len(piece)
                if held > package.size:
                    break
                file.write(piece)
                progress(held)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise FetchError(f"{called} is not in the npm registry {registry} (any more)") from error
        raise FetchError(f"the npm registry {registry} refused {called}: {error.code} {error.reason}") from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
        why = getattr(error, "reason", None) or error
        raise FetchError(
            f"there is no way to the npm registry {registry} for {called} (is there a network, a proxy to be set?): "
            f"{why or type(error).__name__}"
        ) from error
    return target


def address_of(package: Package, registry: str) -> str:
    """Where a registry has the tarball of a package; npm's own and all that follow it.

    Raises FetchError for a registry that is no web address.
    """
    if urlsplit(registry).scheme not in ("https", "http"):
        raise FetchError(f"the npm registry is set to '{registry}'. Expected an address such as {REGISTRY}")
    plain = package.name.rpartition("/")[2]
    return f"{registry.rstrip('/')}/{quote(package.name, safe='@/')}/-/{plain}-{quote(package.version)}.tgz"


def registry_for(name: str, settings: Mapping[str, str]) -> str:
    """The registry for a package, by its scope where the user has set one for that."""
    scope = name.partition("/")[0] if name.startswith("@") else ""
    return settings.get(f"{scope}:registry") or settings.get("registry") or REGISTRY


def npm_settings() -> dict[str, str]:
    """What npm would go by: the environment over the user's `.npmrc`, over the machine's. One in the folder at hand is
    not read: it may be anybody's, and could ask for what the environment holds."""
    asked = {key.lower(): value for key, value in os.environ.items() if key.lower().startswith("npm_config_") and value}
    found: dict[str, str] = {}
    own = Path(asked.get("npm_config_userconfig") or Path.home() / ".npmrc")
    machine = Path(asked.get("npm_config_globalconfig") or "/etc/npmrc")
    for file in (machine, own):
        try:
            found |= _lines(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
    return found | {key.removeprefix("npm_config_"): value for key, value in asked.items()}


def _lines(text: str) -> dict[str, str]:
    """`key = value`, with `${NAME}` of the environment."""
    found = {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.lstrip().startswith(("#", ";")):
            filled = re.sub(r"\$\{(\w+)\}", lambda match: os.environ.get(match[1], match[0]), value.strip())
            found[key.strip()] = filled.strip("\"'")
    return found


def _authorization(registry: str, settings: Mapping[str, str]) -> str:
    """What the user's settings say to a registry: `//host/path/:_authToken=…`; nothing to any other."""
    parts = urlsplit(registry)
    path = f"//{parts.netloc}{parts.path}".rstrip("/")
    while path.strip("/"):
        for place in (path, f"{path}/"):
            if token := settings.get(f"{place}:_authToken"):
                return f"Bearer {token}"
            if basic := settings.get(f"{place}:_auth"):
                return f"Basic {basic}"
            name, secret = settings.get(f"{place}:username"), settings.get(f"{place}:_password")
            if name and secret:
                plain = base64.b64decode(secret).decode()
                return "Basic " + base64.b64encode(f"{name}:{plain}".encode()).decode()
        path = path.rpartition("/")[0]
    return ""
