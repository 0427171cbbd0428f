#!/usr/bin/env bash
# Measures memory in processes of their own: the LoRA-GA pass by each strategy, and 500 training
# steps. Usage: memory.sh HUGGING_FACE_FOLDER (the folder for the training steps). Linux only.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:?usage: memory.sh HUGGING_FACE_FOLDER}
package=io.github.loradjl.examples.benchmark

# A heap that is resident from the start, so that its growth is not counted; and glibc told to give
# freed blocks back at once, because what it would keep is not what the pass needs.
export LORA_JAVA_OPTIONS="-Xms256m -Xmx256m -XX:+AlwaysPreTouch ${LORA_JAVA_OPTIONS:-}"
for strategy in layer-by-layer spilled serial probe whole; do
  LORA_MAIN=$package.GradientMemory MALLOC_TRIM_THRESHOLD_=131072 "$here/../lora" "$strategy" \
    2>/dev/null
done
echo "with glibc's own settings:"
for strategy in layer-by-layer whole; do
  LORA_MAIN=$package.GradientMemory "$here/../lora" "$strategy" 2>/dev/null
done
LORA_MAIN=$package.TrainingMemory "$here/../lora" "$folder" 2>/dev/null
