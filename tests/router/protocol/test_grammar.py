"""Grammars that engines are to compile."""

from contextlib import suppress

import pytest

from router.protocol.errors import ApiError
from router.protocol.grammar import check_grammar
from router.protocol.limits import Limits
from tests.effort import cpu_s

GOOD = [
    'root ::= "a"',
    'root ::= x | y\nx ::= "a" root? # again\ny ::= [^"\\\n]{1,5} ("b" | x)*',
    'root ::= ("a" (= "b"))\n',
    'root ::= root "a" | "b"',  # left recursion is no trouble to an Earley parser
    'root ::= item{2} item{1,}\nitem-1 ::= ""\nitem ::= item-1 "\\""',
    "root ::=\n  thing\n  | other\nthing ::= [a-z]+\nother ::= [0-9]",
    'root ::= root* "a"',
    'start: greeting\n?greeting: HELLO NAME -> it | [NAME]\nHELLO.2: "hello"i\nNAME: /[a-z]+/i',
    'rule: \'a\' ~ 2..3 "a".."z" // first rule begins\nB: "b"{2}',
    'x: "a"\nstart: x [start]',
]


@pytest.mark.parametrize("grammar", GOOD)
def test_grammars_of_both_kinds_are_accepted(grammar: str) -> None:
    check_grammar(grammar, "g", Limits())


@pytest.mark.parametrize(
    ("grammar", "problem"),
    [
        (None, "must be a string with a grammar"),
        ("  \n", "must be a string with a grammar"),
        ('root ::= "a\0"', r"control characters \(at character 12\)"),
        ('root ::= "a', r"'\"' is not understood here \(at character 10\)"),
        ('root ::= "a" )', "closed that was not opened"),
        ('root ::= ("a"\nx ::= "b"', "a group is not closed"),
        ('root ::= ("a"', "a group is not closed"),
        ('"a" root ::= "a"', "a rule must begin with its name"),
        ('a root ::= "a"', "a rule must begin with its name"),
        ("| a", "a rule must begin with its name"),
        ("(", "a rule must begin with its name"),
        ("*", "a rule must begin with its name"),
        ('::= "a"', "'::=' is not understood here"),
        ("root ::= *", "there is nothing to repeat"),
        ('root ::= "a" | *', "there is nothing to repeat"),
        ('root ::= "a"**', "there is nothing to repeat"),
        ('root ::= "a" root ::= "b"', "the rule 'root' is defined twice"),
        ("root ::= other", r"the rule 'other' is not defined \(at character 10\)"),
        ('other ::= "a"', "there is no rule 'root'"),
        ('root ::= TagDispatch(a)\na ::= "a"', "the rule 'TagDispatch' is not defined"),
        ("root ::= root", "no text can ever fulfil the rule 'root'"),
        ("root ::= x\nx ::= y\ny ::= x", "no text can ever fulfil"),
        ('root ::= "a" root', "no text can ever fulfil"),
        ('root ::= "a" x+\nx ::= "b" (root | x{1,3})', "no text can ever fulfil"),
        ('start: "a"\nstart: "b"', "the rule 'start' is defined twice"),
        ("start: %json {}", "'%' is not understood here"),
        ('start: x{"a"}', "'{' is not understood here"),
        ("start: /(?=a)b/", "look-ahead"),
        ("start: start", "no text can ever fulfil the rule 'start'"),
        ("hello", "a rule must begin with its name"),
        ("# nothing", "there is no rule 'start'"),
    ],
)
def test_what_would_fail_in_the_engine_is_refused_at_its_place(grammar: object, problem: str) -> None:
    with pytest.raises(ApiError, match=f"g: .*{problem}") as caught:
        check_grammar(grammar, "g", Limits())
    assert "g" == caught.value.field


@pytest.mark.parametrize(
    ("limit", "least", "most"),
    [
        ("grammar_rules", 'root ::= x\nx ::= "a"', 'root ::= x\nx ::= "a"\ny ::= "b"'),
        ("grammar_depth", 'root ::= (("a"))', 'root ::= ((("a")))'),
        ("grammar_repeat", 'root ::= "a"{2}', 'root ::= "a"{0,3}'),
        ("grammar_repeat", 'root ::= ("a"{2})', 'root ::= ("a"{2}){2}'),
        ("grammar_repeat", 'root ::= "a"{1,}', 'root ::= "a"{99999999999999999999}'),
        ("grammar_bytes", 'root ::= "' + "é" * 19 + '"', 'root ::= "' + "é" * 20 + '"'),
        ("grammar_repeat", "start: 'a'~2", "start: 'a' ~ 1..3"),
    ],
)
def test_every_bound_is_inclusive_and_named_in_what_it_refuses(limit: str, least: str, most: str) -> None:
    limits = Limits(grammar_rules=2, grammar_depth=2, grammar_repeat=2, grammar_bytes=49)
    check_grammar(least, "g", limits)
    with pytest.raises(ApiError) as caught:
        check_grammar(most, "g", limits)
    assert limit == caught.value.limit


@pytest.mark.parametrize(
    "piece", ["(", '"', "[", "?", "a ", "a:", 'a ::= "x"\n', "{1,", "~", "%", "/", "->", "//", "'", "a.1", " ", "\\"]
)
@pytest.mark.parametrize("head", ['root ::= "a" ', 'start: "a" '])
def test_the_time_grows_with_the_length_alone(head: str, piece: str) -> None:
    grammar = head + piece * 60_000

    def check() -> None:
        with suppress(ApiError):
            check_grammar(grammar, "g", Limits(grammar_bytes=10**7, grammar_rules=10**6))

    assert cpu_s(check) < 2
