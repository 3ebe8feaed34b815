"""graftwork.threads: quotas as containers have them, what the user set stays, and when it is decided."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graftwork import threads
from graftwork.threads import cpu_quota, prepare, usable


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


V1 = "4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n1:cpuset:/docker/a\n"


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "200000 100000\n"}, 2.0),
        (
            {
                "proc/self/cgroup": "0::/a/b\n",
                "sys/fs/cgroup/a/cpu.max": "200000 100000\n",
                "sys/fs/cgroup/a/b/cpu.max": "50000 100000",
            },
            0.5,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            3.0,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "rubbish"}, None),
        ({"proc/self/cgroup": "\x00:::\n0::/../../x\n"}, None),
        ({}, None),
    ],
)
def test_quotas(files: dict[str, str], quota: float | None, tmp_path: Path) -> None:
    assert cpu_quota(write(tmp_path, files)) == quota


def test_a_quota_limits_the_threads_and_the_affinity_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "allowed", lambda: 4)
    root = write(tmp_path, {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"})
    assert usable(root) == 2
    write(tmp_path, {"sys/fs/cgroup/cpu.max": "20000 100000\n"})
    assert usable(root) == 1
    write(tmp_path, {"sys/fs/cgroup/cpu.max": "900000 100000\n"})
    assert usable(root) == 4


@pytest.mark.parametrize("named", ["OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"])
def test_what_the_user_set_stays(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable", lambda: 1)
    monkeypatch.setattr(threads, "allowed", lambda: 8)
    mine = {named: "mine", "OMP_NUM_THREADS": "3"}
    prepare(mine)
    assert mine == {named: "mine", "OMP_NUM_THREADS": "3"}
    empty: dict[str, str] = {}
    prepare(empty)
    assert empty == {**threads.WAITING, "OMP_NUM_THREADS": "1"}


def test_without_a_quota_the_number_is_left_to_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "usable", lambda: 8)
    monkeypatch.setattr(threads, "allowed", lambda: 8)
    empty: dict[str, str] = {}
    prepare(empty)
    assert "OMP_NUM_THREADS" not in empty


LISTED = """
sys.argv = ["graft", "list", "tasks"]
try:
    graftwork.cli.main.main()
except SystemExit:
    pass
"""
ASKED = """
import json, os, sys
import {module}
{call}
print(json.dumps([{{k: os.environ.get(k) for k in {names}}}, "torch" in sys.modules]))
"""


@pytest.mark.parametrize(
    ("module", "call", "set_"),
    [
        ("graftwork", "graftwork.fit", False),
        (
            "graftwork.cli.main",
            "sys.argv = ['graft', 'list', 'tasks']\ntry: graftwork.cli.main.main()\nexcept SystemExit: pass",
            True,
        ),
    ],
)
def test_the_command_line_decides_before_torch_and_python_never(module: str, call: str, set_: bool) -> None:
    given = {name: value for name, value in os.environ.items() if name not in threads.WAITING}
    program = ASKED.format(module=module, call=call, names=list(threads.WAITING))
    done = subprocess.run([sys.executable, "-c", program], env=given, capture_output=True, text=True, check=True)
    found, _ = json.loads(done.stdout.splitlines()[-1])
    assert found == (threads.WAITING if set_ else dict.fromkeys(threads.WAITING))
