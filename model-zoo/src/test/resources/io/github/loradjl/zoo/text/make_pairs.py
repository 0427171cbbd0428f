"""Writes tiny_t5_pairs.json: ids and losses that transformers has for prompts and completions.

    python make_pairs.py CHECKPOINTS/tiny-t5 > tiny_t5_pairs.json
    (torch 2.13, transformers 5.18, float32)

The loss is the mean over the labels that are not -100 of all rows in one padded batch.
"""

import json
import sys

import torch
import transformers

PAIRS = [
    ("One day, a little girl named Lily found a needle in her room.", "She was happy."),
    ("Once upon a time", "there was a big dog and a small cat who liked to play in the park."),
    ("summarize: Tom went to the beach. He saw a crab!\n\nresult: ", "Tom saw a crab"),
    ("", "The end."),
]


def main():
    tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
    model = transformers.T5ForConditionalGeneration.from_pretrained(sys.argv[1]).float().eval()
    inputs = tokenizer([p for p, _ in PAIRS], padding=True, return_tensors="pt")
    targets = tokenizer(text_target=[c for _, c in PAIRS], padding=True, return_tensors="pt")
    labels = targets.input_ids.masked_fill(targets.attention_mask == 0, -100)
    with torch.no_grad():
        loss = model(
            input_ids=inputs.input_ids, attention_mask=inputs.attention_mask, labels=labels
        ).loss.item()
    rows = [
        dict(
            prompt=prompt,
            completion=completion,
            input_ids=inputs.input_ids[i][inputs.attention_mask[i] == 1].tolist(),
            labels=targets.input_ids[i][targets.attention_mask[i] == 1].tolist(),
        )
        for i, (prompt, completion) in enumerate(PAIRS)
    ]
    text = json.dumps(dict(loss=loss, rows=rows), indent=1)
    print(__import__("re").sub(r"\[[^\[\]{}]*\]", lambda m: " ".join(m.group().split()), text))


main()
