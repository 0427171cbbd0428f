"""Writes label_evaluations.json: how transformers judges labels after prompts, with small models.

    python make_labels.py > label_evaluations.json      (torch 2.13, transformers 5.18, float32)

Words are the letters a to t, tokens 2 to 21; 1 ends a text. Weights follow the formula of the
scripts for T5 and LLaMA. A T5 reads a prompt with the end token in its encoder, and its labels end
with it. A causal model reads prompt and label as one text; the end token counts for "hard" alone.

For each row: the log-probability of every label; whether every token of the right label with the
end token is the most probable one in its place; and, for the first two labels, the logit of the
first token of the right one less that of the other.
"""

import json
import math

import torch
import transformers

CONFIGS = {
    "t5": dict(
        model_type="t5",
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
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        relative_attention_num_buckets=16,
        relative_attention_max_distance=20,
    ),
    "llama": dict(
        model_type="llama",
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
        bos_token_id=0,
        eos_token_id=1,
    ),
}
# Labels and prompts were sought so that each label is now and then just what the model predicts.
LABELS = {"t5": ["a", "l b", "l"], "llama": ["q", "c m", "t"]}
PROMPTS = {
    "t5": ["g h", "c e e", "e m n c a", "g n e", "k n j k", "f", "d e f g h i j k", "t s r q"],
    "llama": ["c", "m l o e", "p g m l a q", "o b", "o h b", "f", "d e f g h i j k", "t s r q"],
}


def fill(model, is_t5):
    with torch.no_grad():
        for k, (name, p) in enumerate(sorted(model.named_parameters())):
            i = torch.arange(p.numel(), dtype=torch.float64)
            wave = torch.sin(k + 0.37 * i + 0.011 * i * i)
            if p.dim() == 2:
                wave = wave * 1.5 / math.sqrt(p.shape[1])
                if is_t5 and name.endswith(".q.weight"):
                    wave = wave / 4
            else:
                wave = 1 + 0.2 * wave
            p.copy_(wave.reshape(p.shape).float())


def load(kind):
    config = {k: v for k, v in CONFIGS[kind].items() if k != "model_type"}
    if kind == "t5":
        model = transformers.T5ForConditionalGeneration(transformers.T5Config(**config))
        # transformers 5 ties them at first, and unties them when a checkpoint has both.
        model.lm_head.weight = torch.nn.Parameter(model.lm_head.weight.detach().clone())
    else:
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**config))
    model = model.float().eval()
    fill(model, kind == "t5")
    return model


def encode(text):
    return [ord(word) - ord("a") + 2 for word in text.split()]


def predict(model, kind, prompt, tokens):
    """Logits in the places of some tokens, which stand behind the prompt themselves."""
    with torch.no_grad():
        if kind == "t5":
            read = torch.tensor([prompt + [1]])
            written = torch.tensor([[0] + tokens[:-1]])
            return model(input_ids=read, decoder_input_ids=written).logits[0]
        return model(input_ids=torch.tensor([prompt + tokens])).logits[0, len(prompt) - 1 : -1]


def judge(model, kind, prompt, labels, gold):
    ends = [1] if kind == "t5" else []
    sums = []
    for label in labels:
        tokens = encode(label) + ends
        log = predict(model, kind, encode(prompt), tokens).log_softmax(-1)
        sums.append(sum(log[i, t].item() for i, t in enumerate(tokens)))
    right = encode(labels[gold]) + [1]
    logits = predict(model, kind, encode(prompt), right)
    likeliest = logits.argmax(-1).tolist()
    # Rounding must not turn a decision.
    best = logits.topk(2).values
    assert (best[:, 0] - best[:, 1]).min() > 1e-3
    row = dict(prompt=prompt, gold=labels[gold], scores=sums, hard=likeliest == right)
    if gold < 2:
        first = predict(model, kind, encode(prompt), [0])[0]
        mine, other = encode(labels[gold])[0], encode(labels[1 - gold])[0]
        row["soft"] = (first[mine] - first[other]).item()
        assert abs(row["soft"]) > 1e-3
    return row


def main():
    result = {}
    for kind in CONFIGS:
        model = load(kind)
        rows = [
            judge(model, kind, prompt, LABELS[kind], gold)
            for prompt in PROMPTS[kind]
            for gold in range(3)
        ]
        result[kind] = dict(config=CONFIGS[kind], labels=LABELS[kind], rows=rows)
    text = json.dumps(result, indent=1)
    print(__import__("re").sub(r"\[[^\[\]{}]*\]", lambda m: " ".join(m.group().split()), text))


main()
