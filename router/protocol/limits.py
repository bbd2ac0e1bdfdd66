"""How large a request may be. Every bound has a safe default, a unit and a reason."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one request; all of them inclusive."""

    body_bytes: int = 33_554_432  # 32 MiB: ten images of 2 MiB as base64, and room
    text_bytes: int = 4_194_304  # 4 MiB: all but images; the longest context is under 1 MB of text
    json_depth: int = 64  # levels; real requests stay under 20, parsers recurse
    json_containers: int = 50_000  # objects and arrays; each costs parsers some hundred bytes
    json_strings: int = 200_000  # keys and values, for the same reason
    fields: int = 128  # top-level keys; the API has about 60
    messages: int = 2_048  # each costs the engine a validation of its own
    parts: int = 4_096  # content parts over all messages
    fallback_models: int = 16  # each may cost an attempt
    images: int = 10  # per request; what engines are started with (limit_mm_per_prompt)
    image_bytes: int = 20_971_520  # 20 MiB decoded; larger ones are scaled away by the model anyhow
    image_pixels: int = 33_177_600  # 7680 x 4320; decoding takes 4 bytes a pixel (130 MB) in the engine
    image_pixels_total: int = 132_710_400  # over all images of a request, for the same reason
    image_aspect: int = 200  # longer side / shorter side; beyond it the scaled image is a line
    files: int = 8  # documents per request; each that is no text takes a process of its own to read
    file_bytes: int = 20_971_520  # 20 MiB decoded: what one document may have
    file_text_chars: int = 1_000_000  # of one document's text; the longest context is under that
    identifier_chars: int = 256  # model, user, session_id and the like; OpenRouter's bound for a session
    stop: int = 4  # stop strings; OpenRouter's own bound
    stop_chars: int = 1_024  # per stop string; each is searched in the text after every token
    stop_token_ids: int = 64  # entries; each is compared with after every token
    bad_words: int = 64  # entries; each is looked for before every token, in several spellings
    bad_word_chars: int = 256  # per entry
    tools: int = 128  # OpenAI's own bound
    tools_bytes: int = 1_048_576  # 1 MiB for the whole array: it is part of the prompt
    schema_bytes: int = 65_536  # 64 KiB; compiled to a grammar on the engine
    schema_depth: int = 32  # levels; grammar compilers recurse
    schema_nodes: int = 5_000  # subschemas; grammar compilation grows with them
    schema_expanded: int = 100_000  # subschemas with every $ref written out: some backends copy what is referred to
    schema_products: int = 10_000  # alternatives that allOf makes of anyOf and oneOf: they multiply
    schema_properties: int = 512  # of one object; automata grow with the square of those that may be left out
    schema_enum: int = 5_000  # values in all enums together; each is a branch of the automaton
    schema_repeat: int = 10_000  # minLength, maxItems and the like: unrolled by some grammar backends
    pattern_chars: int = 512  # regular expressions in a schema: compiled to an automaton
    pattern_repeat: int = 256  # highest n in {n}, and the product of those within each other
    pattern_quantifiers: int = 3  # of * and + within each other, as in ((a+)*)+: what makes engines backtrack for ever
    pattern_depth: int = 16  # groups within each other; compilers recurse
    grammar_bytes: int = 32_768  # 32 KiB: a whole programming language has under 20
    grammar_rules: int = 1_000  # a whole programming language has under 500
    grammar_depth: int = 64  # groups within each other; compilers recurse
    grammar_repeat: int = 1_000  # highest n in {n}, and the product of those within each other: unrolled by compilers
    choices: int = 1_000  # texts of response_format choice; each is a branch of the automaton
    markup_depth: int = 12  # levels of objects and arrays in an answer of XML or YAML; readers recurse
    markup_alternatives: int = 128  # of an anyOf or oneOf with all those within it; oneOf's are compared in pairs
    markup_rules: int = 4_000  # of the grammar made for XML or YAML; engines compile each
    markup_bytes: int = 131_072  # 128 KiB of that grammar, which goes to the engine with the request
    n: int = 8  # choices; a request counts as n sequences
    top_logprobs: int = 20  # OpenAI's bound; engines refuse more by default
    logit_bias: int = 300  # entries; OpenAI's bound
    prompts: int = 16  # prompts in one /completions request; each is a sequence
    embeddings: int = 256  # inputs of one /embeddings request; each is a sequence, a short one
    documents: int = 256  # of one /rerank request; each is a sequence together with the query
    metadata: int = 16  # pairs; OpenRouter's bound
    unknown_bytes: int = 65_536  # 64 KiB for any one field that is unknown here, or that no engine gets
