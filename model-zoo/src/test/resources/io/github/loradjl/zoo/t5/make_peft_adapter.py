"""Writes peft-adapter, an adapter that PEFT makes and saves for the model v1.0 of random_models.json,
with the last logits of the adapted model.

    python make_peft_adapter.py      (torch 2.13, transformers 5.18, peft 0.21, float32)
"""

import json
import pathlib

import peft
import torch
import transformers
from make_golden import BASE, CASES, load, rows

# PEFT 0.21 holds on to a method that generates text, by a name that transformers 5.18 has changed.
transformers.GenerationMixin._prepare_encoder_decoder_kwargs_for_generation = (
    transformers.GenerationMixin._prepare_text_encoder_decoder_kwargs_for_generation
)


@torch.no_grad()
def main():
    folder = pathlib.Path(__file__).parent / "peft-adapter"
    model, _ = load({**BASE, **CASES["v1.0"]}, False)
    ids, mask, labels = rows()
    before = model(input_ids=ids, attention_mask=mask, labels=labels).logits[1, -1]
    torch.manual_seed(5)
    config = peft.LoraConfig(
        task_type="SEQ_2_SEQ_LM",
        r=2,
        lora_alpha=3,
        use_rslora=True,
        target_modules=["q", "v", "wo"],
        rank_pattern={"EncDecAttention.q": 3},
        alpha_pattern={"encoder.block.0.layer.0.SelfAttention.v": 5},
        modules_to_save=["final_layer_norm"],
        # Random factors, as after training.
        init_lora_weights=False,
    )
    adapted = peft.get_peft_model(model, config).eval()
    for name, parameter in adapted.named_parameters():
        if "lora_" in name:
            parameter.mul_(0.3)
        elif "modules_to_save" in name:
            parameter.add_(0.1 * torch.randn_like(parameter))
    logits = adapted(input_ids=ids, attention_mask=mask, labels=labels).logits[1, -1]
    assert (logits - before).abs().max() > 0.1
    adapted.peft_config["default"].base_model_name_or_path = "v1.0"
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink()
    values = [round(v, 6) for v in logits.tolist()]
    (folder / "logits.json").write_text(json.dumps(values) + "\n")


main()
