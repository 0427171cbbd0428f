"""Writes random_models.json: what transformers computes for small models of every supported kind.

    python make_golden.py > random_models.json      (torch 2.13, transformers 5.18, float32)

Weights follow a formula that the test repeats, so none are stored: parameters are numbered by
sorted name; element i of number k is s * sin(k + 0.37 i + 0.011 i^2), with s = 1.5 / sqrt(inputs)
for matrices and 0.3 for biases; norms add 1 to 0.2 * that sine.
"""

import json
import math
import re

import torch
import transformers

BASE = dict(
    vocab_size=40,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=256,
    rms_norm_eps=1e-5,
    hidden_act="silu",
    tie_word_embeddings=False,
    bos_token_id=1,
    eos_token_id=2,
)
LLAMA3 = dict(
    rope_type="llama3",
    rope_theta=100.0,
    factor=8.0,
    low_freq_factor=1.0,
    high_freq_factor=4.0,
    original_max_position_embeddings=64,
)
CASES = {
    "linear": dict(
        model_type="llama", rope_theta=500.0, rope_scaling=dict(type="linear", factor=4.0)
    ),
    "llama3": dict(model_type="llama", head_dim=16, rope_parameters=LLAMA3),
    "biases": dict(
        model_type="llama", attention_bias=True, mlp_bias=True, tie_word_embeddings=True
    ),
    "mistral": dict(model_type="mistral", head_dim=16, sliding_window=64, rope_theta=1000.0),
    "qwen2": dict(model_type="qwen2", tie_word_embeddings=True, use_sliding_window=False),
}


def fill(model):
    with torch.no_grad():
        for k, (name, p) in enumerate(sorted(model.named_parameters())):
            i = torch.arange(p.numel(), dtype=torch.float64)
            wave = torch.sin(k + 0.37 * i + 0.011 * i * i)
            if p.dim() == 2:
                wave = wave * 1.5 / math.sqrt(p.shape[1])
            elif name.endswith("bias"):
                wave = wave * 0.3
            else:
                wave = 1 + 0.2 * wave
            p.copy_(wave.reshape(p.shape).float())


SEARCHED = ("llama3", "biases")
PROMPTS = [[3, 1, 4, 1, 5], [9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3], [23]]


@torch.no_grad()
def search(model, beams, penalty, ends):
    """The new tokens up to the end, for each prompt of one batch that is padded on the left."""
    width = max(map(len, PROMPTS))
    padded = [[0] * (width - len(p)) + p for p in PROMPTS]
    mask = [[0] * (width - len(p)) + [1] * len(p) for p in PROMPTS]
    rows = model.generate(
        input_ids=torch.tensor(padded),
        attention_mask=torch.tensor(mask),
        max_new_tokens=12,
        do_sample=False,
        num_beams=beams,
        length_penalty=penalty,
        eos_token_id=ends or None,
        pad_token_id=0,
    )[:, width:].tolist()
    cut = [next((i + 1 for i, t in enumerate(row) if t in ends), len(row)) for row in rows]
    return [row[:length] for row, length in zip(rows, cut)]


def searches(model):
    """The ends are tokens that some hypotheses reach and others do not."""
    model.generation_config.eos_token_id = None
    model.config.eos_token_id = None
    plain = search(model, 4, 1.0, [])
    some = [plain[0][2], plain[1][3], plain[2][0]]
    settings = [(2, 1.0, []), (4, 1.0, [])]
    settings += [(n, p, some[:1]) for n in (2, 3, 5) for p in (-1.0, 0.0, 1.0, 3.0)]
    settings += [(n, p, sorted(set(some))) for n in (2, 4) for p in (0.0, 2.0)]
    return [
        dict(beams=n, penalty=p, ends=ends, tokens=search(model, n, p, ends))
        for n, p, ends in settings
    ]


def main():
    ids = torch.tensor([[(7 * i * i + 3 * i + 11 * row) % 40 for i in range(48)] for row in (0, 1)])
    result = {}
    for name, changes in CASES.items():
        config = {**BASE, **changes}
        # The class of the type reads the same dictionary that stands in the file.
        kind = {"llama": "Llama", "mistral": "Mistral", "qwen2": "Qwen2"}[config["model_type"]]
        arguments = json.loads(json.dumps({k: v for k, v in config.items() if k != "model_type"}))
        made = getattr(transformers, kind + "Config")(**arguments)
        made._attn_implementation = "eager"
        model = getattr(transformers, kind + "ForCausalLM")(made).float().eval()
        fill(model)
        output = model(input_ids=ids, labels=ids)
        output.loss.backward()
        result[name] = dict(
            config=config,
            parameters=len(list(model.named_parameters())),
            loss=output.loss.item(),
            logits=[round(v, 6) for v in output.logits[1, -1].tolist()],
            gradient_norms={
                n: float(p.grad.norm())
                for n, p in model.named_parameters()
                if "layers.0" in n and "norm" not in n
            },
        )
        if name in SEARCHED:
            result[name]["searches"] = searches(model)
    # One line for each list of numbers.
    text = json.dumps(result, indent=1)
    print(re.sub(r"\[[^\[\]{}]*\]", lambda m: " ".join(m.group().split()), text))


main()
