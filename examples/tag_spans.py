"""Spans of texts: names of people and places, learned from sentences and read from new ones."""

import random

import graftwork as gw

PEOPLE = ("Anna Schmidt", "Li Wei", "John", "Maria Lopez", "Omar", "Ines Okafor")
PLACES = ("Paris", "Berlin", "New York", "Tokyo", "Lima")
FORMS = ("{who} lives in {where}.", "Yesterday I met {who} in {where}", "In {where} it rains.", "Nobody was there.")


def sentences(count: int, seed: int) -> list[dict[str, object]]:
    """Rows as json lines hold them: a text, and its spans by character."""
    draw, rows = random.Random(seed), []
    for at in range(count):
        form, spans, text = draw.choice(FORMS), [], f"{at}: "
        for part in form.replace("{", "\0{").replace("}", "}\0").split("\0"):
            label = {"{who}": "PERSON", "{where}": "PLACE"}.get(part)
            words = draw.choice(PEOPLE if label == "PERSON" else PLACES) if label else part
            if label:
                spans.append({"start": len(text), "end": len(text) + len(words), "label": label})
            text += words
        rows.append({"text": text, "spans": spans})
    return rows


def main() -> None:
    train, valid, test = sentences(400, seed=0), sentences(80, seed=1), sentences(200, seed=2)
    recipe = gw.Recipe(
        base="gru:width=64", task="tagging", techniques=[], training=gw.Training(epochs=12, precision="fp32")
    )
    model = gw.fit(train, target="spans", valid=valid, recipe=recipe)
    print(f"F1 of spans: {model.evaluate(test).scores['span_f1'].value:.2f}")
    text = "Yesterday I met Omar in Lima"
    for span in model.predict([text])[0]:
        print(f"  {text[span['start'] : span['end']]}: {span['label']}")


if __name__ == "__main__":
    main()
