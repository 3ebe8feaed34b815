"""Facts and claims: the vocabulary in which techniques say what they need, take away and occupy.

A fact comes from the task, the base, the table or a technique. A refusal is built from these words, so each entry
reads well behind "needs" and says how to get it.
"""

from __future__ import annotations

FACTS: dict[str, str] = {
    "hard_labels": "one class per row: use a classification target, and nothing that mixes rows",
    "classes": "classes to predict: use --task classification or multilabel",
    "mixable_targets": "targets that can be mixed by weight: use --task classification, multilabel or regression",
    "comparable_predictions": "predictions of which two can be held against each other: use another task",
    "probabilities": "predictions that are probabilities: use --task classification or multilabel",
    "sampled_answers": "answers that can be drawn from predictions: use --task classification, multilabel, regression, "
    "quantile-regression or tagging",
    "real_targets": "numbers to predict: use --task regression",
    "logged_choices": "logged choices and what they brought: use --task bandit and --role reward=COLUMN",
    "trainable_features": "a base of which at least one block is trained",
    "dropout": "a base or head with dropout in the trained blocks, so that two passes differ",
    "norm_layers": "a base with normalisation layers: use a Transformer, or a CNN that has them",
    "batch_norm": "a base with batch norm: use an image or sound model that has it, such as a folder with a ResNet, a "
    "MobileNet or YAMNet; Transformers normalise each row by itself",
    "only_class_targets": "one class a row in every target: use --task classification",
    "linear_layers": "a base whose blocks hold linear or convolution layers",
    "several_inputs": "use more inputs: several columns of texts, images or sounds, or one of them with a table",
    "target_column": "a target column, which all inputs predict together: use another --task than retrieval",
    "known_classes": "classes that training knows: use another --task than few-shot",
    "several_targets": "two targets or more: use --target once for each",
    "row_identity": "rows that stay what they are in the table, so that what was said of a row before holds for it",
    "batch_parts": "batches that mean the same in parts",
    "episodes": "episodes, by which classes that come later are learned: use --task few-shot",
    "row_sampling": "batches whose rows are drawn one by one",
    "domain": "a domain column: --role domain=COLUMN",
    "group": "a group column: --role group=COLUMN",
    "rollouts": "rollouts and what they brought: --role rollout=COLUMN --role step=COLUMN --role reward=COLUMN",
    "text_inputs": "a text column; use --kind COLUMN=text where one is not recognised",
    "image_inputs": "an image column; use --kind COLUMN=image where one is not recognised",
    "audio_inputs": "an audio column; use --kind COLUMN=audio where one is not recognised",
    "table_inputs": "number or category columns; use --kind COLUMN=number where one is not recognised",
    "only_image_inputs": "no inputs but images, since the rest of a row would not be mixed: use mixup, which mixes all",
    "other_views": "an image or audio column, of which another view shows the same; use --kind COLUMN=image "
    "where one is not recognised",
    "spectrogram": "a base that reads spectrograms: use mel-cnn, mel-gru or a folder with YAMNet or AST",
    "signals": "an image or audio column, whose pixels or samples can be changed little by little (numbers and "
    "categories can't; for texts there is fgm); use --kind COLUMN=image or COLUMN=audio where one is not recognised",
    "embeddings": "a text column, and a base that can start behind its embedding; use --kind COLUMN=text where one is "
    "not recognised",
    "continuous_inputs": "a column of images, sounds or texts, whose pixels, samples or embeddings can be changed "
    "little by little (numbers and categories can't)",
    "row_features": "heads that read a vector a row: use a task without labels of tokens or places",
    "solvable_heads": "a head that can be solved on features: use a task whose head reads a vector a row",
    "gradients": "heads that are learned step by step: boosting is solved once, on features that stay as they are, and "
    "passes no gradient on. Use --set head=linear or head=mlp",
    "named_loss": "a loss that other libraries know by its name: use --task classification, multilabel, regression or "
    "quantile-regression",
    "row_outputs": "numbers or classes to predict of a row: use --task classification, multilabel or regression",
    "token_outputs": "labels of the tokens of a text: use --task tagging",
    "hidden_tokens": "tokens of texts that were hidden: use graft pretrain",
    "hidden_pixels": "pixels of pictures that were hidden: use graft pretrain",
    "hidden_frames": "patches of spectrograms that were hidden: use graft pretrain",
    "two_views": "two views of each row: use graft pretrain",
    "two_sides": "two inputs that belong together: use --task retrieval",
    "row_targets": "targets of a row as a whole: use a task without boxes, masks or labels of places, which would not "
    "be moved along",
}

CLAIMS: dict[str, str] = {
    "fusion": "how several inputs are fused",
    "trainable parameters": "which parameters of the base are trained",
    "head initialisation": "what the head starts from",
    "final head": "what the head is in the end",
    "sampler": "how rows make a batch",
    "task loss": "the loss of the task",
    "head kind": "which kind of head predicts",
    "target weights": "how much each target counts",
    "final weights": "which weights are kept at the end",
    "domain features": "how features depend on the domain",
    "statistics": "by what the base is normalised at prediction",
    "image mixing": "how images are mixed",
    "attack": "how the inputs are attacked",
}
