"""A fine-tuned Transformer teaches a small GRU, which predicts many times as fast; most rows have no label."""

import tempfile
import time
from pathlib import Path

import pandas as pd

import graftwork as gw

DATA = Path(__file__).parent / "data"


def seconds(model: gw.Model, texts: list[str]) -> float:
    began = time.perf_counter()
    model.predict(texts)
    return time.perf_counter() - began


def main() -> None:
    rows, test = pd.read_csv(DATA / "train.csv"), pd.read_csv(DATA / "test.csv")
    labelled, unlabelled = rows.iloc[:240], rows.iloc[240:][["text"]]

    with tempfile.TemporaryDirectory() as folder:
        tuned = gw.Recipe(techniques=[gw.WarmStart(), gw.Partial(2)], training=gw.Training(epochs=4))
        teacher = gw.fit(labelled, target="label", test=test, recipe=tuned, out=Path(folder) / "teacher")
        print(f"teacher: {teacher.report.verdict()}")

        alone = gw.Recipe(base="gru:width=64", techniques=[], training=gw.Training(epochs=30))
        small = gw.fit(labelled, target="label", test=test, recipe=alone)
        print(f"on labels alone: {small.report.verdict()}")

        taught = gw.Recipe(
            base="gru:width=64",
            techniques=[gw.Distil(f"{folder}/teacher", temperature=2.0), gw.DistilFeatures(f"{folder}/teacher")],
            training=gw.Training(epochs=12),
        )
        student = gw.fit(labelled, target="label", unlabelled=unlabelled, test=test, recipe=taught)
        print(f"distilled: {student.report.verdict()}")

        texts = test.text.tolist()
        print(f"the student predicts {seconds(teacher, texts) / seconds(student, texts):.0f} times as fast")


if __name__ == "__main__":
    main()
