"""`track=` of a call: what its listener hears is also written, as curves that TensorBoard or MLflow draws."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar, get_args

from graftwork.errors import UsageError, nearest
from graftwork.runs.listener import Listener
from graftwork.runs.tracking.folders import TRACK
from graftwork.runs.tracking.known_runs import KnownRuns, known_runs
from graftwork.runs.tracking.mlflow import MlflowRuns, check_mlflow, named_uri, shown_uri
from graftwork.runs.tracking.tensorboard import TensorBoard, check_tensorboard
from graftwork.runs.tracking.tracking import Tracking
from graftwork.runs.tracking.writer import End

Track = Literal["tensorboard", "mlflow"]
ARTIFACTS = ("recipe.yaml", "report.html", "ablation.html", "tune.html")
"""Of what a call leaves in its folder, what MLflow keeps with the run: never a table, never a model."""
Given = ParamSpec("Given")
Result = TypeVar("Result")


def tracked(call: Callable[Given, Result]) -> Callable[Given, Result]:
    """A function with the arguments `track`, `out`, `resume` and `listener`; it need not look at `track`.

    Raises UsageError for a tracker that there is not, one whose package is missing, and one that has no folder to write
    to, before anything else is done.
    """

    @wraps(call)
    def writing(*args: Given.args, **kwargs: Given.kwargs) -> Result:
        if kwargs.get("track") is None:
            return call(*args, **kwargs)
        out = None if kwargs.get("out") is None else Path(str(kwargs["out"]))
        listener = kwargs.get("listener") or Listener()
        assert isinstance(listener, Listener)
        kwargs["listener"] = hearing = tracking(str(kwargs["track"]), listener, out, resume=bool(kwargs.get("resume")))
        how: End = "failed"
        try:
            result = call(*args, **kwargs)
            how = "stopped" if getattr(result, "interrupted", False) else "finished"
            return result
        except KeyboardInterrupt:
            how = "stopped"
            raise
        finally:
            hearing.close(how, [] if out is None else [out / name for name in ARTIFACTS if (out / name).is_file()])

    return writing


def tracking(track: str, listener: Listener, out: Path | None, *, resume: bool) -> Tracking:
    """The listener that writes, and hands on to `listener`, which is told where to look."""
    if track not in get_args(Track):
        raise UsageError(f"track is '{track}'. {nearest(track, get_args(Track))}")
    if track == "tensorboard":
        check_tensorboard()
        folder = _below(out, track)
        listener.note(f"tracking: curves go to {folder}. Look at them with: tensorboard --logdir {folder}")
        return Tracking(listener, partial(TensorBoard, folder), str(folder))
    check_mlflow()
    uri, name = named_uri(), "graftwork" if out is None else str(out)
    if uri:
        where = shown_uri(uri)
        listener.note(
            f"tracking: settings and scores go to MLflow at {where}, which MLFLOW_TRACKING_URI names, and so do notes, "
            "recipe.yaml and report.html, which quotes some rows; no table and no model does"
        )
        known = partial(KnownRuns, None, where)
        if out is not None:
            known = partial(known_runs, out / TRACK / "mlflow.json", where, resume=resume)
        return Tracking(listener, lambda: MlflowRuns(uri, name, known()), where)
    folder = _below(out, track) / "mlruns"
    uri = folder.absolute().as_uri()
    listener.note(
        f"tracking: MLflow runs go to {folder} (MLFLOW_TRACKING_URI names no other place). Look at them with: "
        f"MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri {folder}"
    )
    return Tracking(
        listener,
        lambda: MlflowRuns(uri, name, known_runs(folder.parent / "mlflow.json", uri, resume=resume)),
        str(folder),
    )


def _below(out: Path | None, track: str) -> Path:
    if out is None:
        raise UsageError(
            f"--track {track} writes below --out, and there is none. Name a folder: --out runs/mine (in Python "
            "out='runs/mine')."
        )
    return out / TRACK
