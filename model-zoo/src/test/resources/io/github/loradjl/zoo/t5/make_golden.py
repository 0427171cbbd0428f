"""Writes random_models.json: what transformers computes for small T5 models of every kind.

    python make_golden.py > random_models.json      (torch 2.13, transformers 5.18, float32)

Weights follow a formula that the test repeats, so none are stored: parameters are numbered by
sorted name; element i of number k is s * sin(k + 0.37 i + 0.011 i^2), with s = 1.5 / sqrt(inputs)
for matrices; norms add 1 to 0.2 * that sine. The attention is not scaled, so queries are a quarter
of that.
"""

import json
import math

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


def fill(model):
    with torch.no_grad():
        for k, (name, p) in enumerate(sorted(model.named_parameters())):
            i = torch.arange(p.numel(), dtype=torch.float64)
            wave = torch.sin(k + 0.37 * i + 0.011 * i * i)
            if p.dim() == 2:
                wave = wave * 1.5 / math.sqrt(p.shape[1])
                if name.endswith(".q.weight"):
                    wave = wave / 4
            else:
                wave = 1 + 0.2 * wave
            p.copy_(wave.reshape(p.shape).float())


def main():
    ids = torch.tensor([[(7 * i * i + 3 * i + 11 * row) % 38 + 2 for i in range(48)] for row in (0, 1)])
    mask = torch.ones_like(ids)
    ids[1, 40:] = 0
    mask[1, 40:] = 0
    labels = torch.tensor(
        [[(5 * i * i + 2 * i + 3 * row) % 38 + 2 for i in range(30)] for row in (0, 1)]
    )
    labels[0, 25:] = -100
    result = {}
    for name, changes in CASES.items():
        config = {**BASE, **changes}
        kind = {"t5": "T5", "mt5": "MT5"}[config["model_type"]]
        arguments = json.loads(json.dumps({k: v for k, v in config.items() if k != "model_type"}))
        made = getattr(transformers, kind + "Config")(**arguments)
        made._attn_implementation = "eager"
        model = getattr(transformers, kind + "ForConditionalGeneration")(made).float().eval()
        tied = config.get("tie_word_embeddings", True)
        if not tied:
            # transformers 5 ties them at first, and unties them when a checkpoint has both.
            model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
        assert getattr(model.config, "scale_decoder_outputs", False) == tied
        fill(model)
        output = model(input_ids=ids, attention_mask=mask, labels=labels)
        output.loss.backward()
        model.generation_config.eos_token_id = None
        made.eos_token_id = None
        bias = model.decoder.block[0].layer[0].SelfAttention._relative_position_bucket
        distances = torch.arange(-300, 301)
        options = dict(
            num_buckets=made.relative_attention_num_buckets,
            max_distance=made.relative_attention_max_distance,
        )
        beams = [
            model.generate(
                input_ids=ids,
                attention_mask=mask,
                max_new_tokens=12,
                min_new_tokens=12,
                do_sample=False,
                # With it, a decoder deeper than its encoder fails.
                use_cache=False,
                num_beams=n,
                eos_token_id=None,
                pad_token_id=0,
            )[:, 1:].tolist()
            for n in (1, 4)
        ]
        ending = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=12,
            do_sample=False,
            use_cache=False,
            num_beams=4,
            num_return_sequences=1,
            length_penalty=1.0,
            eos_token_id=beams[0][0][4],
            pad_token_id=0,
        )[:, 1:].tolist()
        result[name] = dict(
            config=config,
            parameters=len(list(model.named_parameters())),
            loss=output.loss.item(),
            logits=[round(v, 6) for v in output.logits[1, -1].tolist()],
            gradient_norms={n: float(p.grad.norm()) for n, p in model.named_parameters()},
            encoder_buckets=bias(distances, bidirectional=True, **options).tolist(),
            decoder_buckets=bias(distances, bidirectional=False, **options).tolist(),
            greedy=beams[0],
            beams=beams[1],
            end=beams[0][0][4],
            ending=ending,
        )
    # One line for each list of numbers.
    text = json.dumps(result, indent=1)
    print(__import__("re").sub(r"\[[^\[\]{}]*\]", lambda m: " ".join(m.group().split()), text))


main()
