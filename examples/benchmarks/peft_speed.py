"""The other side of speed.md: the same work by PEFT and transformers, in turns with SpeedWorker.

    python peft_speed.py adapter MODEL DTYPE - ADAPTER 0      saves an adapter as PEFT draws it, with small random B
    python peft_speed.py WORK MODEL DTYPE BATCHES ADAPTER TOKENS

Prepares the work, then does it once for each line of standard input and answers each by a line of JSON.
"""

import json
import resource
import sys
import time

import torch
from peft import LoraConfig, LoraGAConfig, PeftModel, get_peft_model
from peft.tuners.lora.loraga import preprocess_loraga
from transformers import AutoModelForCausalLM

LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def load(folder, dtype):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype))


def collate(rows, pad=0):
    """Pads on the right to the longest row, as the usual collator does."""
    longest = max(len(row["ids"]) for row in rows)

    def filled(key, value):
        return torch.tensor([row[key] + [value] * (longest - len(row[key])) for row in rows])

    mask = torch.tensor([[1] * len(row["ids"]) + [0] * (longest - len(row["ids"])) for row in rows])
    return {"input_ids": filled("ids", pad), "attention_mask": mask, "labels": filled("labels", -100)}


class Step:
    def __init__(self, folder, dtype, batches, adapter, tokens, checkpointing=False):
        self.batches = batches
        self.model = PeftModel.from_pretrained(load(folder, dtype), adapter, is_trainable=True)
        if checkpointing:
            self.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            self.model.enable_input_require_grads()
        self.model.train()
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.0)

    def run(self, turn):
        loss = self.model(**collate(self.batches[turn % len(self.batches)])).loss
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss.item()


class Start:
    """preprocess_loraga needs the targets listed and changes the model, so each turn has a fresh one."""

    def __init__(self, folder, dtype, batches, adapter, tokens):
        self.folder, self.dtype, self.batches = folder, dtype, batches

    def reset(self):
        self.model = load(self.folder, self.dtype)

    def run(self, turn):
        config = LoraConfig(
            r=8, lora_alpha=16, use_rslora=True, target_modules=LINEAR, task_type="CAUSAL_LM",
            init_lora_weights="lora_ga", lora_ga_config=LoraGAConfig(direction="ArB2r", scale="stable", stable_gamma=16),
        )

        @torch.enable_grad()
        def gradients():
            for rows in self.batches:
                (self.model(**collate(rows)).loss / len(self.batches)).backward()

        preprocess_loraga(self.model, config, gradients)
        get_peft_model(self.model, config)


class Write:
    def __init__(self, folder, dtype, batches, adapter, tokens):
        self.model = load(folder, dtype).eval()
        self.prompts, self.tokens = batches[0], tokens

    @torch.no_grad()
    def run(self, turn):
        rows = [row["ids"] for row in self.prompts]
        longest = max(map(len, rows))
        ids = torch.tensor([[0] * (longest - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows])
        out = self.model.generate(
            input_ids=ids, attention_mask=mask, do_sample=False, max_new_tokens=self.tokens,
            min_new_tokens=self.tokens, pad_token_id=0,
        )
        return out[:, longest:].double().mean().item()


WORKS = {
    "step": Step,
    "checkpointed": lambda *args: Step(*args, checkpointing=True),
    "start": Start,
    "write": Write,
}


def adapter(folder, dtype, out):
    torch.manual_seed(0)
    config = LoraConfig(r=8, lora_alpha=16, target_modules=LINEAR, task_type="CAUSAL_LM")
    model = get_peft_model(load(folder, "float32"), config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.01)
    model.save_pretrained(out)


def main(work, folder, dtype, batches, adapter_folder, tokens="0"):
    if work == "adapter":
        return adapter(folder, dtype, adapter_folder)
    with open(batches, encoding="utf-8") as file:
        rows = json.load(file)["batches"]
    worker = WORKS[work](folder, dtype, rows, adapter_folder, int(tokens))
    print("{}", flush=True)
    for turn, _ in enumerate(sys.stdin):
        if hasattr(worker, "reset"):
            worker.reset()
        start = time.perf_counter()
        value = worker.run(turn)
        answer = {"seconds": time.perf_counter() - start, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}
        if value is not None:
            answer["value"] = value
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
