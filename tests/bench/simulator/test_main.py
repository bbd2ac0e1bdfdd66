import json
import subprocess
import sys
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[3]


def test_it_prints_where_the_engines_are_and_ends_with_its_input() -> None:
    settings = {"model": "m", "engine": {"max_num_seqs": 3}, "tokenizer": str(ROOT / "serving/pocket/weights")}
    command = [sys.executable, "-m", "bench.simulator", "2", json.dumps(settings)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert ["m", "m"] == [httpx.get(url + "/v1/models").json()["data"][0]["id"] for url in told["engines"]]
        assert 200 == httpx.get(told["admin"] + "/admin/state").status_code
        process.stdin.close()
        assert 0 == process.wait(10)
