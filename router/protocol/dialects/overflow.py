"""A prompt that is too long, in every provider's words, told in vLLM's: the ones that the router knows (see failures).

So the caller gets the same `context_length_exceeded` from every pool, and a longer model may be tried.
"""

import re

# Every gap is bounded, so that the time is linear in the (scrubbed, so short) text.
_OPENAI = re.compile(r"maximum context length is (\d{1,10}) tokens.{0,80}?messages resulted in (\d{1,10}) tokens")
_OPENROUTER = re.compile(
    r"maximum context length is (\d{1,10}) tokens.{0,80}?\((\d{1,10}) of text input, "
    r"(?:.{0,60}?, )?(\d{1,10}) in the output\)"
)
_ANTHROPIC = re.compile(r"prompt is too long: (\d{1,10}) tokens > (\d{1,10}) maximum")
_MISTRAL = re.compile(r"Prompt contains (\d{1,10}) tokens.{0,80}?maximum context length of (\d{1,10})")


def in_our_words(message: str) -> str:
    """The message, or if it says that the prompt is too long, vLLM's way to say so with the same figures."""
    if found := _OPENROUTER.search(message):
        return _both(int(found[1]), int(found[2]), int(found[3]))
    if found := _OPENAI.search(message):
        return _prompt(int(found[2]), int(found[1]))
    if found := _ANTHROPIC.search(message) or _MISTRAL.search(message):
        return _prompt(int(found[1]), int(found[2]))
    return message


def _prompt(tokens: int, most: int) -> str:
    return f"Input length ({tokens}) exceeds model's maximum context length ({most})"


def _both(most: int, prompt: int, output: int) -> str:
    return (
        f"This model's maximum context length is {most} tokens. However, you requested {output} output tokens and your "
        f"prompt contains {prompt} input tokens"
    )
