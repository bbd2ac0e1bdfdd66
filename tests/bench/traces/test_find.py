import gzip
import json
from pathlib import Path

import pytest

from bench.traces.find import RECORDED, find


def test_a_recorded_trace_is_used_where_it_is_at_hand_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / RECORDED["azure-conv"]
    path.parent.mkdir()
    path.write_bytes(gzip.compress(b"TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.68,3,4\n"))
    trace = find("azure-conv", tmp_path)
    assert (True, f"azure-conv: recorded, {path}") == (trace.is_recorded, trace.origin)
    assert [(0.0, 3, 4)] == [(each.at_s, each.prompt_tokens, each.output_tokens) for each in trace.stream(0)]


def test_where_it_is_not_generated_chats_stand_in_and_it_is_said(tmp_path: Path) -> None:
    trace = find("conversation", tmp_path, requests=50)
    assert not trace.is_recorded
    assert "generated chats, because" in trace.origin
    assert "50 requests" in trace.origin
    assert 50 == len(list(trace.stream(0)))
    assert 50 == len(list(find("generated", tmp_path, requests=50).stream(0)))


def test_a_file_of_ones_own_is_read_by_its_looks(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text(json.dumps({"at": 0, "prompt_tokens": 9, "output_tokens": 2, "block_tokens": 64}) + "\n")
    trace = find(str(own))
    assert ("own.jsonl", 64, 9) == (trace.name, trace.block_tokens, next(trace.stream(0)).prompt_tokens)
    mooncakes = tmp_path / "m.jsonl"
    mooncakes.write_text(json.dumps({"timestamp": 0, "input_length": 8, "output_length": 2, "hash_ids": [1]}) + "\n")
    assert (512, 8) == (find(str(mooncakes)).block_tokens, next(find(str(mooncakes)).stream(0)).prompt_tokens)


def test_what_is_no_trace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no trace 'convresation': neither a file nor one of conversation, "):
        find("convresation")
    path = tmp_path / "notes.txt"
    path.write_text("")
    with pytest.raises(ValueError, match="a trace is"):
        find(str(path))


def test_a_trace_can_be_sped_up_and_cut_and_had_again(tmp_path: Path) -> None:
    trace = find("generated", requests=40)
    fast = trace.at(2).part(requests=10)
    assert [each.at_s / 2 for each in list(trace.stream(3))[:10]] == [each.at_s for each in fast.stream(3)]
    assert list(fast.stream(3)) == list(fast.stream(3))
    assert all(each.at_s <= 4 for each in trace.part(seconds=4).stream(0))
    assert trace is trace.part()
