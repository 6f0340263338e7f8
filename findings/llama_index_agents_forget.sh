#!/usr/bin/env bash
# LlamaIndex's agents forget their memory between runs, where pydantic is 2.14.
#
# Two runs of one agent share a `Context`: "My name is Ada.", then "What is my name?". The second prompt should hold what the first said.
# It does with pydantic 2.13.5, and does not with 2.14.4, without an error. whyops is not involved, and is not installed here.
#
# Versions: llama-index-core 0.14.25, llama-index-workflows 2.26.1, pydantic 2.14.4 and 2.13.5.
# Output:   pydantic 2.14.4: the second run forgets
#           pydantic 2.13.5: the second run remembers
# It ends with 1 if that has changed. It needs Python (3.10 to 3.14), and takes one to three minutes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
python="$folder/venv/bin/python"

cat > "$folder/two_runs.py" <<'PROGRAM'
import asyncio
import warnings

warnings.simplefilter("ignore")

from llama_index.core.agent.workflow import ReActAgent
from llama_index.core.base.llms.types import ChatMessage, ChatResponse
from llama_index.core.llms.mock import MockLLM
from llama_index.core.workflow import Context

prompts = []


class Scripted(MockLLM):
    async def achat(self, messages, **options):
        prompts.append([str(message.content) for message in messages])
        said = "Thought: I can answer without using any more tools.\nAnswer: Hello."
        return ChatResponse(message=ChatMessage(role="assistant", content=said))


async def main():
    agent = ReActAgent(llm=Scripted(), tools=[], streaming=False)
    context = Context(agent)
    for question in ("My name is Ada.", "What is my name?"):
        await agent.run(question, ctx=context)
    assert len(prompts) == 2
    print("remembers" if any("Ada" in text for text in prompts[1]) else "forgets")


asyncio.run(main())
PROGRAM

fault=0
for expected in "2.14.4 forgets" "2.13.5 remembers"; do
    read -r version what <<< "$expected"
    "$python" -m pip install --quiet "pydantic==$version" llama-index-core==0.14.25 llama-index-workflows==2.26.1
    seen=$("$python" "$folder/two_runs.py")
    echo "pydantic $version: the second run $seen"
    [ "$seen" = "$what" ] || fault=1
done
exit "$fault"
