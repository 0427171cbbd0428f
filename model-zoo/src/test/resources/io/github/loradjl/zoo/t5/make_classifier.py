"""Writes encoder_classifier.json: what torch computes for T5 encoders with a linear classifier.

    python make_classifier.py > encoder_classifier.json   (torch 2.13, transformers 5.18, float32)

The encoder is transformers' T5EncoderModel; its output is averaged over the attention mask before
a Linear. Weights follow the formula of make_golden.py, biases are 0.3 times the sine.
"""

import json
import math

import torch
import transformers

BASE = dict(
    model_type="t5",
    vocab_size=24,
    d_model=16,
    d_kv=4,
    d_ff=20,
    num_layers=2,
    num_heads=2,
    dropout_rate=0.0,
    decoder_start_token_id=0,
    pad_token_id=0,
    eos_token_id=1,
    relative_attention_num_buckets=8,
    relative_attention_max_distance=12,
)
CASES = {
    "relu": dict(feed_forward_proj="relu"),
    "gated": dict(feed_forward_proj="gated-gelu", tie_word_embeddings=False, d_kv=6),
}
CLASSES = 3


class Classifier(torch.nn.Module):
    def __init__(self, config):
        super().__init__()
        model = transformers.T5EncoderModel(config)
        self.shared = model.shared
        self.encoder = model.encoder
        self.classifier = torch.nn.Linear(config.d_model, CLASSES)

    def forward(self, ids, mask):
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        kept = mask.unsqueeze(-1).float()
        return self.classifier((hidden * kept).sum(1) / kept.sum(1))


def fill(model):
    with torch.no_grad():
        for k, (name, p) in enumerate(sorted(model.named_parameters())):
            i = torch.arange(p.numel(), dtype=torch.float64)
            wave = torch.sin(k + 0.37 * i + 0.011 * i * i)
            if p.dim() == 2:
                wave = wave * 1.5 / math.sqrt(p.shape[1])
                if name.endswith(".q.weight"):
                    wave = wave / 4
            elif name.endswith("bias"):
                wave = wave * 0.3
            else:
                wave = 1 + 0.2 * wave
            p.copy_(wave.reshape(p.shape).float())


def main():
    ids = torch.tensor([[(7 * i * i + 3 * i + 11 * row) % 22 + 2 for i in range(14)] for row in range(3)])
    mask = torch.ones_like(ids)
    for row, length in enumerate((14, 9, 1)):
        ids[row, length:] = 0
        mask[row, length:] = 0
    labels = torch.tensor([2, 0, 1])
    result = {}
    for name, changes in CASES.items():
        config = {**BASE, **changes}
        arguments = {k: v for k, v in config.items() if k != "model_type"}
        made = transformers.T5Config(**arguments)
        made._attn_implementation = "eager"
        model = Classifier(made).float().eval()
        fill(model)
        logits = model(ids, mask)
        loss = torch.nn.functional.cross_entropy(logits, labels)
        loss.backward()
        result[name] = dict(
            config=config,
            loss=loss.item(),
            logits=logits.tolist(),
            correct=int((logits.argmax(-1) == labels).sum()),
            gradients={
                n: [float("%.6g" % v) for v in p.grad.flatten().tolist()]
                for n, p in sorted(model.named_parameters())
            },
        )
    text = json.dumps(result, indent=1)
    print(__import__("re").sub(r"\[[^\[\]{}]*\]", lambda m: " ".join(m.group().split()), text))


main()
