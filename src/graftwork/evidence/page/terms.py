"""One line for each score, for who meets its name for the first time."""

from __future__ import annotations

import re

from graftwork.tasks.metrics.metric import Metric

_TERMS = {
    "accuracy": "share of rows that get the right answer",
    "balanced_accuracy": "share of right answers of each class by itself, then the mean: rare classes count as much",
    "macro_f1": "how well each class is found and how seldom given wrongly, mean of the classes",
    "micro_f1": "how many labels are found and how few given wrongly, all labels counted together",
    "log_loss": "punishes being sure and wrong; 0 is perfect",
    "calibration_error": "how far the stated certainty is from the share that is right, on average",
    "mcc": "agreement beyond what always giving common answers would reach; 0 is none, 1 perfect",
    "top5_accuracy": "share of rows whose right answer is among the five likeliest",
    "subset_accuracy": "share of rows whose labels are all right, none missing and none too many",
    "average_precision": "how far up the right labels stand when rows are sorted by certainty; 1 is perfect",
    "rmse": "typical error in the unit of the target, in which large errors weigh more",
    "mae": "average distance from the truth, in the unit of the target",
    "r2": "share of the differences between rows that it explains; 0 is no better than the mean, 1 perfect",
    "spearman": "how well the order of the rows is right; 0 is chance, 1 perfect",
    "eer": "share of wrong answers where strangers taken and known ones refused are equally many",
    "tar_at_far_0.01": "share of known ones that are recognised if 1 of 100 strangers may be taken for known",
    "tar_at_far_0.001": "the same if 1 of 1,000 strangers may be",
    "rank1": "share of rows whose most similar other row shows the same one",
    "episode_accuracy": "share of right answers on classes that training never had, after a few examples of each",
    "reciprocal_rank": "1 where the right one comes first, 1/2 where second, 1/3 where third; the mean",
    "median_rank": "the place at which the right one stands in half of the searches, or before",
}
_RECALL = re.compile(r"(?:(forward|backward)_)?recall_at_(\d+)")


def term(metric: Metric) -> str:
    """What a metric says, in one line; empty for one that is not known here and says nothing itself."""
    found = _RECALL.fullmatch(metric.name)
    if metric.meaning or found is None:
        return metric.meaning or _TERMS.get(metric.name, "")
    way = {"forward": ", the second input searched by the first", "backward": ", the first searched by the second"}
    places = "first" if found[2] == "1" else f"among the first {found[2]}"
    return f"share of searches in which the right one is {places}{way.get(found[1] or '', '')}"
