"""graftwork.runs.bases.memory: what Linux and its containers say is free."""

from __future__ import annotations

from pathlib import Path

import pytest

from graftwork.runs.bases.memory import free_memory

MEMINFO = "MemTotal:       24000000 kB\nMemFree:          500000 kB\nMemAvailable:   20000000 kB\n"
V1 = "4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n"
GB = 1 << 30


def written(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, 20_480_000_000),
        (
            {"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": f"{4 * GB}\n"},
            20_480_000_000,  # what is used is not known
        ),
        (
            {
                "proc/self/cgroup": "0::/a\n",
                "sys/fs/cgroup/a/memory.max": f"{4 * GB}\n",
                "sys/fs/cgroup/a/memory.current": f"{3 * GB}\n",
                "sys/fs/cgroup/a/memory.stat": f"anon 5\ninactive_file {GB}\nactive_file 7\n",
            },
            2 * GB,
        ),
        (
            {
                "proc/self/cgroup": "0::/a\n",
                "sys/fs/cgroup/a/memory.max": "max\n",
                "sys/fs/cgroup/a/memory.current": "5\n",
            },
            20_480_000_000,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/memory/docker/a/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/memory/docker/a/memory.usage_in_bytes": "5\n",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": f"{2 * GB}\n",
                "sys/fs/cgroup/memory/memory.usage_in_bytes": f"{3 * GB}\n",
                "sys/fs/cgroup/memory/memory.stat": f"inactive_file 1\ntotal_inactive_file {GB // 2}\n",
            },
            0,  # more is used than may be
        ),
    ],
)
def test_free(files: dict[str, str], free: int, tmp_path: Path) -> None:
    assert free_memory(written(tmp_path, {"proc/meminfo": MEMINFO, **files})) == free


def test_elsewhere_half_of_what_is_built_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}.__getitem__)
    assert free_memory(tmp_path) == 2_048_000
    monkeypatch.delattr("os.sysconf")
    assert free_memory(tmp_path) is None
