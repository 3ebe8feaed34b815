"""A transformers classifier of the same size as a model of the project, for its speed alone: its head is random.

Settings: base (folder), classes, out (folder).
"""

from __future__ import annotations

from transformers import AutoModelForSequenceClassification, AutoTokenizer

from harness.measure import settings_and_answer


def main() -> None:
    settings, answer = settings_and_answer()
    model = AutoModelForSequenceClassification.from_pretrained(settings["base"], num_labels=settings["classes"])
    model.save_pretrained(settings["out"])
    AutoTokenizer.from_pretrained(settings["base"]).save_pretrained(settings["out"])
    answer.write_text("{}")


if __name__ == "__main__":
    main()
