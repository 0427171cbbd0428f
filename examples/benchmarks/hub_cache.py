"""Reads, or fetches and reads, a model by huggingface_hub and transformers; see hub-cache.md."""

import hashlib
import os
import sys

import huggingface_hub
import transformers
from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download

repository = sys.argv[1]
if len(sys.argv) > 2:
    # One file alone, so that the snapshot is not whole.
    print(os.path.basename(hf_hub_download(repository, sys.argv[2])))
    sys.exit()

print("huggingface_hub", huggingface_hub.__version__, "transformers", transformers.__version__)
print("offline", huggingface_hub.constants.HF_HUB_OFFLINE)
folder = snapshot_download(repository)
print("snapshot", os.path.basename(folder))
for name in sorted(os.listdir(folder)):
    path = os.path.join(folder, name)
    digest = hashlib.sha256(open(path, "rb").read()).hexdigest()[:12]
    blob = os.path.basename(os.path.realpath(path))[:12]
    print(f"  {name:24} {os.path.getsize(path):8} {digest} -> {blob}")
print("config.json", hf_hub_download(repository, "config.json") == os.path.join(folder, "config.json"))
for repo in scan_cache_dir().repos:
    print("scan", repo.repo_id, repo.nb_files, "files", list(repo.refs))
tokenizer = transformers.AutoTokenizer.from_pretrained(repository)
model = transformers.AutoModelForCausalLM.from_pretrained(repository)
ids = tokenizer("Once upon a time", return_tensors="pt")
out = model.generate(**ids, max_new_tokens=20, do_sample=False)
print("text", repr(tokenizer.decode(out[0][ids["input_ids"].shape[1]:], skip_special_tokens=True)))
