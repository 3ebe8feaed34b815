"""examples/clusters: the files for Kubernetes and Slurm say what they must, and the job does its steps in order."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "examples" / "clusters"
JOB = FOLDER / "slurm.sbatch"
RAY = re.search(r"^ray==(.*)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.fixture(scope="module")
def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / "kuberay.yaml").read_text(encoding="utf-8")))


def containers(cluster: dict[str, Any]) -> list[dict[str, Any]]:
    groups = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    return [container for group in groups for container in group["template"]["spec"]["containers"]]


def test_the_cluster_asks_for_a_token_and_holds_none(documents: list[dict[str, Any]]) -> None:
    cluster = documents[0]
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    assert cluster["spec"]["authOptions"] == {"mode": "token"}
    assert "RAY_AUTH_TOKEN" not in (FOLDER / "kuberay.yaml").read_text(encoding="utf-8")


def test_one_image_and_one_version_of_ray_everywhere(documents: list[dict[str, Any]]) -> None:
    assert RAY is not None
    assert documents[0]["spec"]["rayVersion"] == RAY[1]
    assert len({container["image"] for container in containers(documents[0])}) == 1


def test_pods_ask_for_what_they_may_have_and_see_the_same_data(documents: list[dict[str, Any]]) -> None:
    cluster, claim = documents
    for container in containers(cluster):
        resources = container["resources"]
        assert resources["requests"] == resources["limits"]
        assert {"cpu", "memory"} <= resources["limits"].keys()
        assert {mount["mountPath"] for mount in container["volumeMounts"]} == {"/data", "/cache"}
        named = {one["name"]: one["value"] for one in container["env"]}
        assert named["RAY_USAGE_STATS_ENABLED"] == "0"
        assert named["GRAFTWORK_CACHE"] == "/cache"
    for group in [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]:
        volumes = {one["name"]: one for one in group["template"]["spec"]["volumes"]}
        assert volumes["data"]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
        assert "emptyDir" in volumes["cache"], "a cache has one writer, its pod"
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert cluster["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_the_job_is_sound_bash() -> None:
    subprocess.run(["bash", "-n", JOB], check=True)
    text = JOB.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert {"--nodes", "--ntasks-per-node", "--cpus-per-task", "--mem", "--time"} <= set(
        re.findall(r"^#SBATCH (--[a-z-]+)=", text, flags=re.MULTILINE)
    )
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", JOB], check=True)


STAND_IN = """#!/usr/bin/env bash
echo "$(basename "$0") $*" >> "$TOLD"
"""
SRUN = (
    STAND_IN
    + """
while [[ "$1" == -* ]]; do if [ "$1" = -w ]; then shift; fi; shift; done
exec "$@"
"""
)
RAY_STARTED = (
    STAND_IN
    + """
if [ "$1" = start ]; then echo "token: $(cat "$RAY_AUTH_TOKEN_PATH")" >> "$TOLD"; fi
"""
)
# The job ends with this command, and its token with it: the nodes that start beside it are waited for.
GRAFT = (
    STAND_IN
    + """
for _ in $(seq 600); do [ "$(grep -c '^token: ' "$TOLD")" -ge 3 ] && break; sleep 0.1; done
echo "$RAY_AUTH_MODE $RAY_ADDRESS" >> "$TOLD"
stat -c %a "$RAY_AUTH_TOKEN_PATH" >> "$TOLD"
exit "${CODE:-0}"
"""
)


def submitted(place: Path, *arguments: str, **environment: str) -> tuple[int, list[str]]:
    """The job with stand-ins: its exit code, and what was called in order."""
    (place / "bin").mkdir()
    programs = {
        "srun": SRUN,
        "ray": RAY_STARTED,
        "graft": GRAFT,
        "hostname": "#!/usr/bin/env bash\necho 10.0.0.7 fe80::1\n",
        "scontrol": "#!/usr/bin/env bash\nprintf '%s\\n' one two three\n",
    }
    for name, text in programs.items():
        program = place / "bin" / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
    told = place / "told"
    told.touch()
    slurm = {"SLURM_JOB_ID": "40123", "SLURM_JOB_NODELIST": "n[1-3]", "SLURM_CPUS_PER_TASK": "8"}
    paths = {
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "TOLD": str(told),
        "SLURM_SUBMIT_DIR": str(place),
    }
    done = subprocess.run(["bash", JOB, *arguments], env={**os.environ, **slurm, **paths, **environment}, timeout=120)
    return done.returncode, told.read_text().splitlines()


def test_the_job_starts_a_head_then_the_others_then_the_command(tmp_path: Path) -> None:
    code, told = submitted(tmp_path, "predict", "runs/my model", "new.csv", "--out", "p.csv")
    assert code == 0
    address = "10.0.0.7:20123"
    started = [line for line in told if line.startswith("ray start")]
    assert sorted(started)[-1].startswith("ray start --head --node-ip-address=10.0.0.7 --port=20123")
    assert sum(f"--address={address}" in line for line in started) == 2
    assert told.index(f"ray status --address={address}") < told.index("graft predict runs/my model new.csv --out p.csv")
    assert f"token {address}" in told
    tokens = {line for line in told if line.startswith("token: ")}
    assert len(tokens) == 1
    assert re.fullmatch(r"token: [0-9a-f]{64}", tokens.pop())
    assert "600" in told
    assert not any(re.search(r"[0-9a-f]{64}", line) for line in told if not line.startswith("token: "))
    assert not any("ray stop" in line for line in told)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".graft-ray")] == []


def test_the_job_ends_as_the_command_does(tmp_path: Path) -> None:
    assert submitted(tmp_path, "predict", CODE="3")[0] == 3


def test_a_job_without_a_command_says_what_it_takes(tmp_path: Path) -> None:
    code, told = submitted(tmp_path)
    assert (code, told) == (2, [])
