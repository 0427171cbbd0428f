"""Writes random_models.json: what transformers computes for small T5 models of every kind.

    python make_golden.py > random_models.json      (torch 2.13, transformers 5.18, float32)

Weights follow a formula that the test repeats, so none are stored: parameters are numbered by
sorted name; element i of number k is s * sin(k + 0.37 i + 0.011 i^2), with s = 1.5 / sqrt(inputs)
for matrices; norms add 1 to 0.2 * that sine. The attention is not scaled, so queries are a quarter
of that. Every model is read from a folder with these weights, with or without a head of its own.
"""

import json
import math
import pathlib
import re
import tempfile

import safetensors.torch
import torch
import transformers

BASE = dict(
    vocab_size=40,
    d_model=32,
    d_kv=8,
    d_ff=48,
    num_layers=2,
    num_heads=4,
    dropout_rate=0.0,
    decoder_start_token_id=0,
    pad_token_id=0,
    eos_token_id=1,
)
CASES = {
    "v1.0": dict(model_type="t5", feed_forward_proj="relu", num_decoder_layers=3, d_kv=16),
    "v1.1": dict(
        model_type="t5",
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        relative_attention_num_buckets=16,
        relative_attention_max_distance=20,
    ),
    "mt5": dict(model_type="mt5", feed_forward_proj="gated-gelu", tie_word_embeddings=False),
    # The sizes of ByT5: a deep encoder, a shallow decoder, heads narrower than the hidden states.
    "byt5": dict(
        model_type="t5",
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        num_layers=3,
        num_decoder_layers=1,
        d_kv=4,
        vocab_size=48,
    ),
}


SEARCHED = ("v1.0", "v1.1")

# What the configuration says about the head, beside whether the checkpoint has one of its own.
V11 = dict(model_type="t5", feed_forward_proj="gated-gelu")
HEADS = {
    "own head of T5 v1.0": (True, dict(model_type="t5", feed_forward_proj="relu")),
    "own head, said to be tied": (True, dict(V11, tie_word_embeddings=True)),
    "own head, scaled": (True, dict(V11, tie_word_embeddings=False, scale_decoder_outputs=True)),
    "own head, tied, not scaled": (
        True,
        dict(V11, tie_word_embeddings=True, scale_decoder_outputs=False),
    ),
    "tied, said not to be": (False, dict(V11, tie_word_embeddings=False)),
    "tied, not scaled": (False, dict(V11, scale_decoder_outputs=False)),
    "tied, scaled by null": (False, dict(V11, scale_decoder_outputs=None)),
    "tied mT5": (False, dict(model_type="mt5", tie_word_embeddings=True)),
    "tied mT5, said to be scaled": (
        False,
        dict(model_type="mt5", tie_word_embeddings=False, scale_decoder_outputs=True),
    ),
}


def weights(config, own_head):
    kind = {"t5": "T5", "mt5": "MT5"}[config["model_type"]]
    shape = {k: v for k, v in config.items() if k != "model_type"}
    with torch.device("meta"):
        made = getattr(transformers, kind + "Config")(**json.loads(json.dumps(shape)))
        model = getattr(transformers, kind + "ForConditionalGeneration")(made)
    tensors = {n: p for n, p in model.named_parameters()}
    if own_head:
        tensors["lm_head.weight"] = tensors["shared.weight"]
    result = {}
    for k, (name, p) in enumerate(sorted(tensors.items())):
        i = torch.arange(p.numel(), dtype=torch.float64)
        wave = torch.sin(k + 0.37 * i + 0.011 * i * i)
        if p.dim() == 2:
            wave = wave * 1.5 / math.sqrt(p.shape[1])
            if name.endswith(".q.weight"):
                wave = wave / 4
        else:
            wave = 1 + 0.2 * wave
        result[name] = wave.reshape(p.shape).float()
    return result


def read(folder):
    return transformers.AutoModelForSeq2SeqLM.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32
    ).eval()


def load(config, own_head):
    """Also returns config.json as transformers saves it, which must mean the same to it."""
    with tempfile.TemporaryDirectory() as parent:
        folder = pathlib.Path(parent, "model")
        folder.mkdir()
        folder.joinpath("config.json").write_text(json.dumps(config))
        tensors = weights(config, own_head)
        safetensors.torch.save_file(
            tensors, folder / "model.safetensors", metadata={"format": "pt"}
        )
        model = read(folder)
        assert (model.lm_head.weight is not model.shared.weight) == own_head
        again = pathlib.Path(parent, "again")
        model.save_pretrained(again)
        saved = json.loads(again.joinpath("config.json").read_text())
        second = read(again)
        ids = torch.tensor([[3, 4, 5]])
        logits = [m(ids, decoder_input_ids=ids).logits for m in (model, second)]
        assert torch.equal(*logits)
        return model, saved


@torch.no_grad()
def search(model, ids, mask, beams, penalty=1.0, ends=()):
    """The tokens up to the end, of each row."""
    rows = model.generate(
        input_ids=ids,
        attention_mask=mask,
        max_new_tokens=12,
        do_sample=False,
        # With it, a decoder deeper than its encoder fails.
        use_cache=False,
        num_beams=beams,
        length_penalty=penalty if beams > 1 else None,
        eos_token_id=ends or None,
        pad_token_id=0,
    )[:, 1:].tolist()
    cut = [next((i + 1 for i, t in enumerate(row) if t in ends), len(row)) for row in rows]
    return [row[:length] for row, length in zip(rows, cut)]


def searches(model, ids, mask):
    """The ends are tokens that some hypotheses reach and others do not."""
    model.generation_config.eos_token_id = None
    model.config.eos_token_id = None
    plain = search(model, ids, mask, 4)
    some = [plain[0][5], plain[1][1], plain[0][1]]
    settings = [(2, 1.0, []), (4, 1.0, [])]
    settings += [(n, p, some[:1]) for n in (2, 3, 5) for p in (-1.0, 0.0, 1.0, 3.0)]
    settings += [(n, p, sorted(set(some))) for n in (2, 4) for p in (0.0, 2.0)]
    return [
        dict(beams=n, penalty=p, ends=ends, tokens=search(model, ids, mask, n, p, ends))
        for n, p, ends in settings
    ]


def rows():
    ids = torch.tensor([[(7 * i * i + 3 * i + 11 * row) % 38 + 2 for i in range(48)] for row in (0, 1)])
    mask = torch.ones_like(ids)
    ids[1, 40:] = 0
    mask[1, 40:] = 0
    labels = torch.tensor(
        [[(5 * i * i + 2 * i + 3 * row) % 38 + 2 for i in range(30)] for row in (0, 1)]
    )
    labels[0, 25:] = -100
    return ids, mask, labels


def main():
    ids, mask, labels = rows()
    result = {}
    for name, changes in CASES.items():
        config = {**BASE, **changes}
        model, saved = load(config, not config.get("tie_word_embeddings", True))
        made = model.config
        output = model(input_ids=ids, attention_mask=mask, labels=labels)
        output.loss.backward()
        bias = model.decoder.block[0].layer[0].SelfAttention._relative_position_bucket
        distances = torch.arange(-300, 301)
        options = dict(
            num_buckets=made.relative_attention_num_buckets,
            max_distance=made.relative_attention_max_distance,
        )
        result[name] = dict(
            config=config,
            saved=saved,
            parameters=len(list(model.named_parameters())),
            loss=output.loss.item(),
            logits=[round(v, 6) for v in output.logits[1, -1].tolist()],
            first_logits=[round(v, 6) for v in output.logits[0, 0].tolist()],
            gradient_norms={n: float(p.grad.norm()) for n, p in model.named_parameters()},
            encoder_buckets=bias(distances, bidirectional=True, **options).tolist(),
            decoder_buckets=bias(distances, bidirectional=False, **options).tolist(),
            greedy=search(model, ids, mask, 1),
        )
        if name in SEARCHED:
            result[name]["searches"] = searches(model, ids, mask)
    for name, (own_head, changes) in HEADS.items():
        config = {**BASE, **changes}
        model, saved = load(config, own_head)
        logits = model(input_ids=ids, attention_mask=mask, labels=labels).logits[1, -1]
        result[name] = dict(
            config=config,
            saved=saved,
            own_head=own_head,
            logits=[round(v, 6) for v in logits.tolist()],
        )
    # One line for each list of numbers.
    text = json.dumps(result, indent=1)
    print(re.sub(r"\[[^\[\]{}]*\]", lambda m: " ".join(m.group().split()), text))


if __name__ == "__main__":
    main()
