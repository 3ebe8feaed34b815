"""Jobs by the names under which people know them: what is called otherwise here, and what is not supported yet."""

from __future__ import annotations

CALLED: dict[str, tuple[str, ...]] = {
    "classification": (
        "text-classification", "image-classification", "audio-classification", "tabular-classification", "sentiment",
        "sentiment-analysis", "binary", "binary-classification", "multiclass", "multiclass-classification",
        "multi-class", "categorical", "intent", "spam", "topic", "classifier", "sequence-classification",
    ),
    "multilabel": ("multi-label", "multilabel-classification", "multi-label-classification"),
    "regression": ("tabular-regression", "numeric", "continuous", "scoring", "rating", "regressor"),
    "quantile-regression": ("quantile", "quantiles", "interval-regression", "prediction-intervals", "pinball"),
    "tagging": (
        "ner", "named-entity-recognition", "token-classification", "pos", "pos-tagging", "slot-filling", "chunking",
    ),
    "retrieval": (
        "search", "semantic-search", "similarity", "sentence-similarity", "matching", "embedding", "embeddings",
        "feature-extraction", "image-text-matching", "clip", "dual-encoder", "ranking",
    ),
    "identity": (
        "verification", "face-verification", "face-recognition", "speaker-verification", "speaker-recognition",
        "re-identification", "metric-learning", "identification",
    ),
    "bandit": (
        "contextual-bandit", "contextual-bandits", "bandits", "off-policy", "policy", "logged-choices",
        "counterfactual", "uplift",
    ),
    "few-shot": ("fewshot", "meta-learning", "one-shot"),
}  # fmt: skip
"""By task, other names of the same job."""

UNSUPPORTED: dict[str, tuple[str, ...]] = {
    "finding objects in images": (
        "detection", "object-detection", "detect", "bounding-box", "bounding-boxes", "bbox", "yolo", "objects",
    ),
    "segmentation": ("segmentation", "semantic-segmentation", "instance-segmentation", "image-segmentation", "mask"),
    "keypoints, poses and depth": ("keypoints", "keypoint-detection", "pose", "pose-estimation", "depth-estimation"),
    "text generation": (
        "generation", "text-generation", "chat", "causal-lm", "completion", "instruction-tuning", "sft",
        "language-modeling", "text2text-generation", "seq2seq",
    ),
    "translation": ("translation", "translate", "machine-translation"),
    "summaries": ("summarization", "summarisation", "summary"),
    "answers to questions": ("question-answering", "qa", "extractive-qa", "visual-question-answering", "vqa"),
    "transcripts of speech": ("asr", "speech-recognition", "automatic-speech-recognition", "transcription", "stt"),
    "speech from text": ("tts", "text-to-speech"),
    "images from text": ("text-to-image", "image-generation", "diffusion"),
    "captions of images": ("captioning", "image-captioning", "image-to-text", "ocr"),
    "forecasts of time series": ("forecasting", "forecast", "time-series", "time-series-forecasting"),
    "clusters": ("clustering", "cluster", "topic-modeling"),
    "outliers without labels": ("anomaly-detection", "anomaly", "outlier-detection", "novelty-detection"),
    "recommendations": ("recommendation", "recommender", "collaborative-filtering"),
    "survival times": ("survival", "survival-analysis"),
    "preferences between answers": ("rlhf", "dpo"),
}  # fmt: skip
"""Jobs in words, and their names."""

ELSEWHERE: dict[str, tuple[str, ...]] = {
    "Acting in an environment is graft rl; a reward as the objective of a task is the technique reward; logged choices "
    "are --task bandit, and rollouts --task decision.": ("reinforcement-learning", "rl", "ppo", "grpo", "reward"),
    "To decide from logged rollouts is called 'decision' here.": ("offline-rl", "imitation", "behaviour-cloning"),
}  # fmt: skip
"""Jobs that are here and no task of their own, or that another one does: what to say, and their names."""


def about(name: str) -> str:
    """A sentence on a job that is called otherwise here, or that is not supported yet; empty for a name that says
    nothing.

    >>> about("Semantic_Search"), about("object detection")
    ("It is called 'retrieval' here.", 'finding objects in images is not supported yet.')
    """
    plain = name.strip().lower().replace("_", "-").replace(" ", "-")
    task = next((task for task, names in CALLED.items() if plain in names), None)
    if task is not None:
        return f"It is called '{task}' here."
    said = next((said for said, names in ELSEWHERE.items() if plain in names), None)
    if said is not None:
        return said
    job = next((job for job, names in UNSUPPORTED.items() if plain in names), None)
    return f"{job} is not supported yet." if job is not None else ""
