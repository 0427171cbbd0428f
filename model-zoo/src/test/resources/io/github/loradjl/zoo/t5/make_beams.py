"""Writes tiny_t5_beams.json: what transformers finds with beam search for the rows of the golden file.

    python make_beams.py ROOT > tiny_t5_beams.json      (torch 2.13, transformers 5.18, float32)
"""

import json
import pathlib
import sys

import torch
import transformers


@torch.no_grad()
def main(root):
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(
        root / "checkpoints/tiny-t5", attn_implementation="eager", dtype=torch.float32
    ).eval()
    golden = json.loads(root.joinpath("golden/tiny-t5/golden.json").read_text())
    rows = [row["input_ids"] for row in golden["rows"]]
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    searches = []
    for beams, penalty in ((2, 1.0), (4, 1.0), (4, 0.0), (4, 2.0)):
        found = model.generate(
            input_ids=ids,
            attention_mask=(ids != 0).long(),
            max_new_tokens=30,
            do_sample=False,
            num_beams=beams,
            length_penalty=penalty,
        )[:, 1:].tolist()
        tokens = [row[: row.index(1) + 1] if 1 in row else row for row in found]
        searches.append(dict(beams=beams, penalty=penalty, tokens=tokens))
    lines = ",\n ".join(json.dumps(search) for search in searches)
    print(f"[{lines}]")


main(pathlib.Path(sys.argv[1]))
