"""Writes what transformers computes with the T5 that ships.

    python tiny_story_t5.py ../../../../../../main/resources/io/github/loradjl/zoo/models/tiny-story-t5
"""

import json
import sys
from pathlib import Path

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

INPUT = (
    "Pip was a young dog<extra_id_0> the market. Early one morning he picked up a black"
    "<extra_id_1> the river. \"Who has lost a ball?\" asked<extra_id_2>, but nobody answered."
)
TARGET = "<extra_id_0> who lived at<extra_id_1> ball by<extra_id_2> Pip<extra_id_3>"

folder = Path(sys.argv[1])
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
inputs = tokenizer(INPUT, return_tensors="pt").input_ids
labels = tokenizer(TARGET, return_tensors="pt").input_ids
with torch.no_grad():
    loss = model(input_ids=inputs, labels=labels).loss.item()
    written = model.generate(inputs, max_new_tokens=40, do_sample=False, num_beams=1)
golden = {
    "input": INPUT,
    "target": TARGET,
    "input_ids": inputs[0].tolist(),
    "labels": labels[0].tolist(),
    "loss": loss,
    "written": tokenizer.decode(written[0], skip_special_tokens=True),
}
out = Path(__file__).with_suffix(".json")
out.write_text(json.dumps(golden, indent=2) + "\n")
