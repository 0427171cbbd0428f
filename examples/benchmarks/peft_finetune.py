"""The PEFT side of peft-finetune.md: the same fine-tuning run as examples/lora, by transformers and PEFT.

    python peft_finetune.py start --model DIR --out START --rank 8 --alpha 16
    python peft_finetune.py train --model DIR --start START --train FILE --validation FILE --out FILE ...

`start` saves an adapter as PEFT draws it; `examples/lora finetune --init-adapter START` begins with it too. `train`
reads rows of question and answer in the order of the file, renders them by the model's chat template, learns the
answers, and takes the steps of examples/lora's schedule. It writes one JSON object per step and the validation losses.
"""

import argparse
import json
import math
import resource
import time

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def rows(path, tokenizer, limit, max_length):
    """Tokens and labels of each row; a token is learnt if any of its characters is the answer's."""
    with open(path, encoding="utf-8") as lines:
        for line in list(lines)[:limit]:
            row = json.loads(line)
            user = {"role": "user", "content": row["question"]}
            answer = {"role": "assistant", "content": row["answer"]}
            before = tokenizer.apply_chat_template([user], tokenize=False, add_generation_prompt=True)
            text = tokenizer.apply_chat_template([user, answer], tokenize=False)
            assert text.startswith(before)
            encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
            ids = encoded["input_ids"][:max_length]
            labels = [i if end > len(before) else -100 for i, (_, end) in zip(ids, encoded["offset_mapping"])]
            if any(label != -100 for label in labels):
                yield ids, labels


def batches(data, size, pad):
    for at in range(0, len(data), size):
        part = data[at : at + size]
        longest = max(len(ids) for ids, _ in part)
        yield (
            torch.tensor([ids + [pad] * (longest - len(ids)) for ids, _ in part]),
            torch.tensor([[1] * len(ids) + [0] * (longest - len(ids)) for ids, _ in part]),
            torch.tensor([labels + [-100] * (longest - len(ids)) for ids, labels in part]),
        )


@torch.no_grad()
def validate(model, data, size, pad):
    model.eval()
    total, count = 0.0, 0
    for ids, mask, labels in batches(data, size, pad):
        kept = int((labels[:, 1:] != -100).sum())
        total += kept * model(input_ids=ids, attention_mask=mask, labels=labels).loss.item()
        count += kept
    model.train()
    return total / count


def rate(step, args):
    """examples/lora's schedule, steps counted from 1."""
    warmup = round(args.warmup_ratio * args.max_steps)
    if step <= warmup:
        return args.learning_rate * step / warmup
    done = (step - warmup) / (args.max_steps - warmup + 1)
    return args.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def start(args):
    torch.manual_seed(args.seed)
    model = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    config = LoraConfig(r=args.rank, lora_alpha=args.alpha, target_modules=LINEAR, task_type="CAUSAL_LM")
    get_peft_model(model, config).save_pretrained(args.out)


def train(args):
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    pad = tokenizer.pad_token_id
    data = list(rows(args.train, tokenizer, args.limit, args.max_length))
    held = list(rows(args.validation, tokenizer, args.limit, args.max_length))
    base = AutoModelForCausalLM.from_pretrained(args.model, dtype=getattr(torch, args.dtype))
    model = PeftModel.from_pretrained(base, args.start, is_trainable=True)
    model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=args.learning_rate, weight_decay=0.0)
    with open(args.out, "w", encoding="utf-8") as out:

        def log(**values):
            print(json.dumps(values), file=out, flush=True)

        log(global_step=0, eval_loss=validate(model, held, args.batch_size, pad))
        step = 0
        while step < args.max_steps:
            for ids, mask, labels in batches(data, args.batch_size, pad):
                began = time.time()
                step += 1
                for group in optimizer.param_groups:
                    group["lr"] = rate(step, args)
                loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
                loss.backward()
                norm = torch.nn.utils.clip_grad_norm_(trained, 1.0)
                optimizer.step()
                optimizer.zero_grad()
                log(global_step=step, loss=loss.item(), grad_norm=norm.item(), tokens=int(mask.sum()),
                    seconds=time.time() - began)
                if step == args.max_steps:
                    break
        log(global_step=step, eval_loss=validate(model, held, args.batch_size, pad),
            peak_memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("start")
    one.set_defaults(run=start)
    one.add_argument("--rank", type=int, default=8)
    one.add_argument("--alpha", type=float, default=16)
    one.add_argument("--seed", type=int, default=0)
    two = commands.add_parser("train")
    two.set_defaults(run=train)
    two.add_argument("--start", required=True)
    two.add_argument("--train", required=True)
    two.add_argument("--validation", required=True)
    two.add_argument("--limit", type=int)
    two.add_argument("--max-length", type=int, default=512)
    two.add_argument("--batch-size", type=int, default=4)
    two.add_argument("--max-steps", type=int, default=200)
    two.add_argument("--learning-rate", type=float, default=2e-4)
    two.add_argument("--warmup-ratio", type=float, default=0.03)
    two.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    for command in (one, two):
        command.add_argument("--model", required=True)
        command.add_argument("--out", required=True)
    arguments = parser.parse_args()
    arguments.run(arguments)
