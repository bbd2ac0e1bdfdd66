import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from bench.traces import azure, jsonl, mooncake, servegen
from bench.traces.arrival import Arrival, chain, faster, first
from router.policy.call import Prefix


def lines(path: Path, *rows: object) -> Path:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def mooncake_row(at_ms: int, tokens: int, *names: int) -> dict[str, object]:
    return {"timestamp": at_ms, "input_length": tokens, "output_length": 7, "hash_ids": list(names)}


def test_mooncakes_blocks_end_every_512_tokens_and_the_last_with_the_prompt(tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl.gz", mooncake_row(0, 1100, 5, 6, 7), mooncake_row(2500, 3, 5))
    assert [
        Arrival(0.0, 1100, 7, Prefix((5, 6, 7), (512, 1024, 1100))),
        Arrival(2.5, 3, 7, Prefix((5,), (3,))),
    ] == list(mooncake.read(path, seed=1))


def test_times_rounded_to_three_seconds_are_spread_by_the_seed_and_stay_in_order(tmp_path: Path) -> None:
    path = lines(tmp_path / "t.jsonl", *(mooncake_row(3000 * (number // 10), 10) for number in range(40)))
    one, again, other = ([each.at_s for each in mooncake.read(path, seed)] for seed in (1, 1, 2))
    assert one == again != other
    assert sorted(one) == one
    assert all(0 <= at_s - 3 * (number // 10) <= 3 for number, at_s in enumerate(one))


@pytest.mark.parametrize("row", [{"timestamp": 1}, [1], {"timestamp": "x", "input_length": 1, "output_length": 1}])
def test_a_line_that_is_none_of_mooncakes_is_named(tmp_path: Path, row: object) -> None:
    path = lines(tmp_path / "t.jsonl", mooncake_row(0, 1), row)
    with pytest.raises(ValueError, match="line 2: not a request"):
        list(mooncake.read(path, seed=0))


def test_azures_times_count_from_the_first(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:50.9951690,0,0\n"
    )
    assert [Arrival(0.0, 374, 44), Arrival(4.314579, 1, 1)] == list(azure.read(path, seed=0))
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\nyesterday,374,44\n")
    with pytest.raises(ValueError, match="line 2: not a request"):
        list(azure.read(path, seed=0))


def test_your_own_traffic_may_leave_out_what_it_does_not_know(tmp_path: Path) -> None:
    plain = {"at": 100.0, "prompt_tokens": 50, "output_tokens": 5}
    rich = {"at": 101.5, "prompt_tokens": 90, "output_tokens": 0, "hashes": [7, "seven"], "block_tokens": 64}
    path = lines(tmp_path / "t.jsonl", plain, rich | {"images": [30]})
    bare, full = jsonl.read(path, seed=0)
    assert Arrival(0.0, 50, 5) == bare
    assert (1.5, 90, 1, (64, 90), (30,)) == (
        full.at_s,
        full.prompt_tokens,
        full.output_tokens,
        full.prefix.ends,
        full.images,
    )
    assert 7 == full.prefix.hashes[0] != full.prefix.hashes[1] < 2**64
    assert [512, 64] == [jsonl.block_tokens(lines(tmp_path / "b.jsonl", row)) for row in (plain, rich)]
    assert 512 == jsonl.block_tokens(lines(tmp_path / "c.jsonl", 3))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ({"at": 1.0}, "line 2: not a request"),
        (5, "line 2: not a request"),
        ({"at": 0.5, "prompt_tokens": 1, "output_tokens": 1}, "line 2: comes before"),
        ({"at": 2, "prompt_tokens": 512, "output_tokens": 1, "hashes": [1, 2]}, "line 2: more hashes than blocks"),
    ],
)
def test_a_line_of_yours_that_cannot_be_is_named(tmp_path: Path, row: object, complaint: str) -> None:
    path = lines(tmp_path / "t.jsonl", {"at": 1.0, "prompt_tokens": 1, "output_tokens": 1}, row)
    with pytest.raises(ValueError, match=complaint):
        list(jsonl.read(path, seed=0))


def clients(folder: Path) -> None:
    shares = {"text_tokens": "{100: 1.0}", "image_count": "{2: 1.0}", "image_tokens": "{500: 1.0}"}
    dataset = {"0": shares | {"output_tokens": "{9: 0.5, 11: 0.5}"}, "21600": {"output_tokens": "{1: 1.0}"}}
    for number, trace in enumerate(
        ("0,2.0,1,Gamma,1.0,0.5\n600,0,0,,0,0\n21600,1.0,1,Weibull,1.0,1.0\n", "0,1.0,1,,0,0\n")
    ):
        (folder / f"chunk-{number}-trace.csv").write_text(trace)
        (folder / f"chunk-{number}-dataset.json").write_text(json.dumps(dataset))


@pytest.mark.parametrize("is_packed", [False, True])
def test_servegens_clients_come_at_their_rates_with_their_lengths(tmp_path: Path, is_packed: bool) -> None:
    folder = tmp_path / "clients"
    folder.mkdir()
    clients(folder)
    path = folder
    if is_packed:
        path = tmp_path / "clients.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            archive.add(folder, "clients")
    arrivals = list(servegen.read(path, seed=3))
    assert arrivals == list(servegen.read(path, seed=3))
    assert sorted(each.at_s for each in arrivals) == [each.at_s for each in arrivals]
    early = [each for each in arrivals if each.at_s < 600]
    late = [each for each in arrivals if each.at_s >= 600]
    assert 1500 < len(early) < 2100
    assert 500 < len(late) < 700
    assert min(each.at_s for each in late) >= 21_600
    assert {(600, (250, 250))} == {(each.prompt_tokens, each.images) for each in early}
    assert {9, 11} == {each.output_tokens for each in early}
    assert {(1, ())} == {(each.prompt_tokens, each.images) for each in late}


def test_a_folder_without_clients_is_refused(tmp_path: Path) -> None:
    (tmp_path / "chunk-0-trace.csv").write_text("")
    with pytest.raises(ValueError, match="no client"):
        servegen.read(tmp_path, seed=0)
    path = tmp_path / "empty.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("readme"), io.BytesIO())
    with pytest.raises(ValueError, match="no client"):
        servegen.read(path, seed=0)


def test_a_trace_can_be_played_faster_and_cut() -> None:
    slow = [Arrival(float(number), 1, 1) for number in range(4)]
    assert [0.0, 0.5, 1.0, 1.5] == [each.at_s for each in faster(slow, 2)]
    assert slow == list(faster(slow, 1))
    assert [0.0, 1.0] == [each.at_s for each in first(slow, 2)]
    assert [0.0, 1.0] == [each.at_s for each in first(slow, None, 1.5)]
    with pytest.raises(ValueError, match="factor must be above 0"):
        faster(slow, 0)
    assert Prefix((1, 2), (16, 20)) == chain((1, 2), 20, 16)
