"""One agent leaves the work to another."""

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.workflow import Context

from tests.integrations.llama_index.run import Run
from tests.integrations.llama_index.scripted import calls
from tests.integrations.scenario import scenario


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def to(name: str) -> object:
    return calls(("handoff", {"to_agent": name, "reason": "it is theirs"}))


@scenario(feature="A hand-off between agents (`AgentWorkflow`)", recorded="Each agent's prompt, tools and name", streamed=True)
def once(run: Run) -> None:
    front = run.agent(to("math"), name="front", description="Routes.", system_prompt="You only route.", can_handoff_to=["math"])
    math = run.agent(calls(("add", {"a": 1, "b": 2})), "3.", name="math", description="Reckons.", system_prompt="Round up.", tools=[add])
    run.go(AgentWorkflow(agents=[front, math], root_agent="front"), "1 + 2?")


@scenario(feature="A hand-off and back", recorded="Both directions, each with its reason")
def there_and_back(run: Run) -> None:
    front = run.agent(to("math"), "It is 3.", name="front", description="Routes.", system_prompt="You only route.", can_handoff_to=["math"])
    math = run.agent(to("front"), name="math", description="Reckons.", can_handoff_to=["front"])
    run.go(AgentWorkflow(agents=[front, math], root_agent="front"), "1 + 2?")


@scenario(feature="A hand-off to an agent that is not there", recorded="What the model is told of it")
def to_nobody(run: Run) -> None:
    front = run.agent(to("nobody"), "I stay.", name="front", description="Routes.", can_handoff_to=["math"])
    math = run.agent(name="math", description="Reckons.")
    run.go(AgentWorkflow(agents=[front, math], root_agent="front"), "1 + 2?")


@scenario(feature="A sub-agent as a tool", recorded="Its prompts, inside the call of the tool", streamed=True)
def as_a_tool(run: Run) -> None:
    clerk = run.agent(calls(("add", {"a": 1, "b": 2})), "Three.", name="clerk", system_prompt="Reckon.", tools=[add])

    async def ask_clerk(question: str) -> str:
        """Ask the clerk."""
        return str(await clerk.run(question))

    head = run.agent(calls(("ask_clerk", {"question": "1 + 2?"})), "It is three.", name="head", system_prompt="Ask.", tools=[ask_clerk])
    run.go(head, "What is 1 + 2?")


@scenario(feature="Two sub-agents at the same time", recorded="Each one's prompts, by agent")
def two_as_tools(run: Run) -> None:
    clerks = {name: run.agent(f"{name} says yes.", name=name, system_prompt=f"You are {name}.") for name in ("ada", "bob")}

    async def ask(who: str) -> str:
        """Ask a clerk."""
        return str(await clerks[who].run("Yes or no?"))

    run.go(run.agent(calls(("ask", {"who": "ada"}), ("ask", {"who": "bob"})), "Both.", tools=[ask], name="head"), "Ask them.")


@scenario(feature="A hand-off by a tool of the application's own", recorded="The next agent's prompt")
def by_the_state(run: Run) -> None:
    async def pass_on(ctx: Context) -> str:
        """Pass on to the next."""
        await ctx.store.set("current_agent_name", "math")
        return "Math goes on."

    front = run.agent(calls(("pass_on", {})), name="front", description="Routes.", system_prompt="Pass on.", tools=[pass_on])
    math = run.agent("3.", name="math", description="Reckons.", system_prompt="Reckon.")
    run.go(AgentWorkflow(agents=[front, math], root_agent="front"), "1 + 2?")
