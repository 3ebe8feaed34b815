"""Find answers by a question: two text columns aligned on frozen features, an index, and a search both ways.

A column of photos works the same way: `base={"image": "./a-folder", "text": "minilm"}`.
"""

import random

import graftwork as gw

SUBJECTS = ("card", "parcel", "invoice", "password", "refund", "account", "order", "subscription")
ASKED = {
    "where is my {}?": "You see where your {} is on the page 'status'.",
    "how do I cancel my {}?": "To cancel your {}, press 'stop' in the settings.",
    "my {} does not work": "Please send us a picture of your {}, and we mend it.",
    "can I change my {}?": "Yes, a {} can be changed until midnight.",
    "why is my {} so late?": "We are sorry: every {} takes two days longer at present.",
}


def rows(draw: random.Random) -> list[dict[str, str]]:
    polite = ("", "hello, ", "please tell me, ", "good morning, ")
    made = [
        {"question": hello + question.format(subject), "answer": answer.format(subject)}
        for question, answer in ASKED.items()
        for subject in SUBJECTS
        for hello in polite
    ]
    return draw.sample(made, len(made))


def main() -> None:
    table = rows(random.Random(0))
    recipe = gw.Recipe(task="retrieval:width=64", techniques=[gw.Probe()])
    kinds = {"question": "text", "answer": "text"}
    model = gw.fit(table, inputs=["question", "answer"], kinds=kinds, recipe=recipe)
    print(model.report.verdict())

    searcher = model.searcher()
    searcher.index(table)
    for hit in searcher.search("I would like to cancel the subscription", k=3, by="question"):
        print(f"{hit.score:.2f}  row {hit.row}: {hit.values['answer']}")
    best = searcher.search(table[0]["answer"], k=1, by="answer")[0]
    print(f"'{table[0]['answer']}' answers '{best.values['question']}'")


if __name__ == "__main__":
    main()
