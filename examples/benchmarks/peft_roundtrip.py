"""Loads what a PeftAdapterIT saved in PEFT and transformers and compares the logits.

Usage: python peft_roundtrip.py BASE_FOLDER model-zoo/target/peft-roundtrip
       python peft_roundtrip.py BASE_FOLDER model-zoo/target/peft-roundtrip-t5

The base is loaded anew for each adapter and never changed. Adapters in the portable form are also
applied by hand as readers do that know nothing but alpha / r: W + alpha / r * B A. A folder with a
whole model, into which an adapter was merged, is loaded by transformers alone.
"""

import argparse
import json
import platform
import sys
import warnings
from pathlib import Path

import peft
import safetensors.torch
import torch
import transformers

TOLERANCE = 1e-4

# PEFT 0.21 holds on to a method that generates text, by a name that transformers 5.18 has changed,
# and loads nothing for sequence-to-sequence models without it. Logits do not depend on it.
OLD_NAME = "_prepare_encoder_decoder_kwargs_for_generation"
if not hasattr(transformers.GenerationMixin, OLD_NAME):
    setattr(
        transformers.GenerationMixin,
        OLD_NAME,
        transformers.GenerationMixin._prepare_text_encoder_decoder_kwargs_for_generation,
    )


def load_base(folder):
    config = transformers.AutoConfig.from_pretrained(folder)
    kind = (
        transformers.AutoModelForSeq2SeqLM
        if config.is_encoder_decoder
        else transformers.AutoModelForCausalLM
    )
    return kind.from_pretrained(folder, dtype=torch.float32).eval()


def model_of_peft(base_folder, adapter):
    base = load_base(base_folder)
    before = {name: value.clone() for name, value in base.state_dict().items()}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = peft.PeftModel.from_pretrained(base, adapter).eval()
    changed = [
        name
        for name, value in model.get_base_model().state_dict().items()
        if name.replace(".base_layer", "") in before
        and not torch.equal(value, before[name.replace(".base_layer", "")])
    ]
    if changed:
        raise SystemExit(f"{adapter}: loading changed the base: {changed}")
    return model, [str(w.message).splitlines()[0] for w in caught]


def model_by_hand(base_folder, adapter):
    model = load_base(base_folder)
    config = json.loads((adapter / "adapter_config.json").read_text())
    tensors = safetensors.torch.load_file(adapter / "adapter_model.safetensors")
    for key, a in tensors.items():
        if key.endswith(".lora_A.weight"):
            b = tensors[key.replace("lora_A", "lora_B")]
            module = key.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            weight = model.get_submodule(module).weight
            weight.data += config["lora_alpha"] / a.shape[0] * b @ a
    return model


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("base", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    transformers.utils.logging.disable_progress_bar()
    print(
        f"python {platform.python_version()}, torch {torch.__version__}, "
        f"transformers {transformers.__version__}, peft {peft.__version__}"
    )
    print(f"{'adapter':<18} {'reader':<8} {'r':>3} {'alpha':>8} {'moved':>8} {'largest difference':>19}")
    worst = 0.0
    adapters = sorted(p for p in args.folder.iterdir() if p.is_dir())
    if not adapters:
        raise SystemExit(f"{args.folder} holds no adapters: run PeftAdapterIT first")
    base = load_base(args.base)
    for adapter in adapters:
        inputs = safetensors.torch.load_file(adapter.with_name(adapter.name + ".safetensors"))
        logits = inputs.pop("logits")
        moved = (base(**inputs).logits - logits).abs().max().item()
        messages = []
        if not (adapter / "adapter_config.json").exists():
            rank, alpha = "-", "-"
            readers = {"whole": load_base(adapter)}
        else:
            config = json.loads((adapter / "adapter_config.json").read_text())
            task = "SEQ_2_SEQ_LM" if base.config.is_encoder_decoder else "CAUSAL_LM"
            if config["task_type"] != task:
                raise SystemExit(f"{adapter}: task type {config['task_type']}, not {task}")
            rank, alpha = config["r"], f"{config['lora_alpha']:.4g}"
            model, messages = model_of_peft(args.base, adapter)
            readers = {"PEFT": model}
            if adapter.name.endswith("portable"):
                readers["by hand"] = model_by_hand(args.base, adapter)
        for reader, model in readers.items():
            difference = (model(**inputs).logits - logits).abs().max().item()
            worst = max(worst, difference)
            print(
                f"{adapter.name:<18} {reader:<8} {rank:>3} {alpha:>8} "
                f"{moved:>8.3f} {difference:>19.2e}"
            )
        for message in messages:
            print(f"  warning: {message}")
    print(f"largest difference of all: {worst:.2e}, allowed {TOLERANCE:.0e}")
    sys.exit(0 if worst <= TOLERANCE else 1)


if __name__ == "__main__":
    main()
