"""What is built once, and that vLLM still builds it the way that is kept."""

from types import SimpleNamespace

from serving.parsers import keep_built, kept


def test_the_same_arguments_are_built_for_once_and_others_anew() -> None:
    built: list[tuple[object, object]] = []

    def build(config: object, tokenizer: object) -> object:
        built.append((config, tokenizer))
        return object()

    one, another, tokenizer = SimpleNamespace(), SimpleNamespace(), SimpleNamespace()
    build_once = kept(build)
    first = build_once(one, tokenizer)
    assert first is build_once(one, tokenizer)
    assert first is not build_once(another, tokenizer)
    assert [(one, tokenizer), (another, tokenizer)] == built


def test_an_engines_parsers_share_what_they_look_for() -> None:
    from vllm.parser.mistral import MistralParser
    from vllm.tokenizers.mistral import MistralTokenizer

    from serving.profiles.pocket import WEIGHTS

    keep_built()
    tokenizer = MistralTokenizer.from_pretrained(str(WEIGHTS))
    one, another = MistralParser(tokenizer), MistralParser(tokenizer)
    assert one._engine._lexer.terminals is another._engine._lexer.terminals
    assert len(one._engine._lexer.terminals) > 900
