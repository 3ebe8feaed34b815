"""Addresses of clusters as people write them, and the cluster of this machine."""

from __future__ import annotations

import os
import socket

import pytest

from graftwork.cluster.address import listens, of_this_machine, parsed
from graftwork.errors import UsageError


@pytest.mark.parametrize("text", ["auto", "10.0.0.1:6379", "head.local:1", " head:6379 ", "[::1]:6379"])
def test_an_address_is_taken_as_it_is_written(text: str) -> None:
    assert parsed(text) == text.strip()


@pytest.mark.parametrize(
    "text", ["", "head", "head:", ":6379", "head:0", "head:65536", "head:6379/x", "a b:1", "local"]
)
def test_what_is_no_address_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(UsageError, match="Expected auto"):
        parsed(text)


def test_a_password_is_refused_and_not_said_again() -> None:
    with pytest.raises(UsageError) as error:
        parsed("me:hunter2@head:6379")
    assert "hunter2" not in str(error.value)


def test_ray_client_is_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match="Run the command on a machine of the cluster"):
        parsed("ray://head:10001")


def test_the_cluster_of_this_machine(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    assert of_this_machine() == ("", False)
    noted = tmp_path / "ray" / "ray_current_cluster"
    noted.parent.mkdir()
    noted.write_text("10.0.0.1:6379")
    assert of_this_machine() == ("10.0.0.1:6379", False)
    noted.write_text("what is this")
    assert of_this_machine() == ("", False)
    monkeypatch.setenv("RAY_ADDRESS", "head:1")
    assert of_this_machine() == ("head:1", True)


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="only root gives a file to another user")
def test_an_address_that_another_user_noted_is_not_believed(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    noted = tmp_path / "ray" / "ray_current_cluster"
    noted.parent.mkdir()
    noted.write_text("10.0.0.1:6379")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    assert of_this_machine() == ("10.0.0.1:6379", False)  # of root
    os.chown(noted, 4321, 4321)
    assert of_this_machine() == ("", False)


def test_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        assert listens(place)
    assert not listens(place, 1.0)
