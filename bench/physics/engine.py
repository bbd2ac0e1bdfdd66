"""vLLM V1's batch scheduler with step times, in virtual time: `submit` jobs, then `step` again and again.

One step, as `Scheduler.schedule` does it (FIFO, or by priority):
- every running job in order gets the tokens it lacks: one when it decodes, else a chunk of its prompt, within the
  step's token budget; for want of a block the last admitted (or least urgent) job is preempted and begins anew later
- then, if none was preempted, waiting jobs are admitted while budget and sequences allow and their whole prompt fits;
  blocks of the prompt that are cached are not computed again, but at least one token is
- a job whose tokens are all computed has one token more; full blocks bear their hashes at once, generated ones too
The caller lets `duration_s` pass before it shows anybody what a step brought.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush

from bench.physics.blocks import BlockPool
from bench.physics.encoder import EncoderCache
from bench.physics.hardware import Hardware

JobId = int | str


@dataclass(frozen=True, slots=True)
class Image:
    """An image inside a prompt."""

    at: int  # prompt tokens before it
    tokens: int
    width: int  # pixels, as the engine sees it
    height: int
    key: int  # hash of its bytes


@dataclass(frozen=True, slots=True)
class Job:
    """One request as the engine sees it."""

    id: JobId
    prompt_tokens: int  # at least 1
    output_tokens: int  # at least 1: how many it generates
    # Names of the sequence's full blocks, each of that block and all before: the prompt's, and those of the answer as
    # far as they are known. A block without one is not cached.
    hashes: tuple[int, ...] = ()
    images: tuple[Image, ...] = ()
    priority: int = 0  # the least goes first, as in vLLM; only with EngineSettings.by_priority


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """vLLM's options of the same names. Raises ValueError when one is out of range, beginning with its name."""

    block_size: int = 16  # tokens; vLLM's default
    max_num_batched_tokens: int = 2048  # of one step: with 8192 each step is longer than a TPOT goal of 100 ms allows
    max_num_seqs: int = 1024  # running at once; vLLM's default on H100 and H200
    by_priority: bool = False  # `--scheduling-policy priority`
    prefix_caching: bool = True
    encoder_cache_tokens: int = 8192  # of image embeddings
    kv_tokens: int | None = None  # instead of the hardware's own

    def __post_init__(self) -> None:
        for name in ("block_size", "max_num_batched_tokens", "max_num_seqs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.kv_tokens is not None and self.kv_tokens < 2 * self.block_size:
            raise ValueError(f"kv_tokens must hold at least 2 blocks, got {self.kv_tokens}")


@dataclass(frozen=True, slots=True)
class Admission:
    """A job's first admission; after a preemption there is none."""

    id: JobId
    cached_tokens: int  # of its prompt, taken from the cache


@dataclass(frozen=True, slots=True)
class Stored:
    """Blocks of one job that became full and named; a row without a gap."""

    id: JobId
    first: int  # index of the first within the job's sequence
    hashes: tuple[int, ...]
    parent: int | None  # name of the block before the first


@dataclass(frozen=True, slots=True)
class Removed:
    """Names that no longer lead to a block; one may come again where two blocks bore it."""

    hashes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """What one step brings at its end."""

    duration_s: float
    tokens: int  # computed in it: prompts' and decodes'
    admitted: tuple[Admission, ...] = ()
    first_tokens: tuple[JobId, ...] = ()  # their prompt is done and their first token there
    token_owners: tuple[JobId, ...] = ()  # all that got a token, the first one included
    finished: tuple[JobId, ...] = ()
    preempted: tuple[JobId, ...] = ()
    events: tuple[Stored | Removed, ...] = ()  # of the cache, in their order


@dataclass(slots=True, eq=False)
class _Run:
    job: Job
    order: int  # of submission
    produced: int = 0  # tokens so far
    computed: int = 0  # tokens whose KV is there
    cached: int = -1  # of the prompt at first admission; -1 before it
    blocks: list[int] = field(default_factory=list)
    named: int = 0  # leading blocks that bear their hashes
    is_gone: bool = False  # aborted while it waited

    @property
    def tokens(self) -> int:
        return self.job.prompt_tokens + self.produced


class Engine:
    """One replica. Not thread-safe; time is the caller's."""

    def __init__(self, hardware: Hardware, settings: EngineSettings | None = None) -> None:
        self.hardware = hardware
        self.settings = settings or EngineSettings()
        tokens = self.settings.kv_tokens or hardware.kv_tokens
        self.pool = BlockPool(tokens // self.settings.block_size - 1)  # vLLM keeps one as its null block
        self._encoder = EncoderCache(self.settings.encoder_cache_tokens)
        self._running: list[_Run] = []
        self._queue: list[tuple[int, int, _Run]] = []  # heap; aborted ones stay until they come to the top
        self._waiting: dict[JobId, _Run] = {}
        self._submitted = 0
        self.preemptions = 0  # ever
        self.queried_tokens = 0  # prompt tokens of first admissions, ever
        self.hit_tokens = 0  # of these from the cache

    @property
    def running(self) -> int:
        """Jobs in the batch (`vllm:num_requests_running`)."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Jobs not admitted (`vllm:num_requests_waiting`)."""
        return len(self._waiting)

    @property
    def kv_usage(self) -> float:
        """Share of KV blocks held, 0 to 1 (`vllm:kv_cache_usage_perc`)."""
        return self.pool.usage

    @property
    def has_work(self) -> bool:
        """Would a step do anything?"""
        return bool(self._running or self._waiting)

    def submit(self, job: Job) -> None:
        """Put a job into the queue. Raises ValueError when it could never fit, or its id is in use."""
        if job.prompt_tokens < 1 or job.output_tokens < 1:
            raise ValueError(f"a job needs a prompt and an answer of at least 1 token, got {job}")
        if self._blocks_for(job.prompt_tokens + job.output_tokens - 1) > self.pool.count:
            room = self.pool.count * self.settings.block_size
            raise ValueError(f"{job.prompt_tokens} + {job.output_tokens} tokens do not fit into {room}")
        if job.id in self._waiting or any(run.job.id == job.id for run in self._running):
            raise ValueError(f"job id {job.id!r} is in use")
        self._submitted += 1
        self._enqueue(_Run(job, self._submitted))

    def abort(self, job_id: JobId) -> bool:
        """End a job at once. False when there is none of that id."""
        if (waiting := self._waiting.pop(job_id, None)) is not None:
            waiting.is_gone = True
            return True
        run = next((run for run in self._running if run.job.id == job_id), None)
        if run is None:
            return False
        self._running.remove(run)
        self.pool.release(run.blocks)
        return True

    def step(self) -> Step | None:
        """Schedule and compute one batch; None when there is nothing to do."""
        scheduled: dict[int, tuple[_Run, int]] = {}  # by order of submission: run and its tokens in this step
        events: list[Stored | Removed] = []
        preempted: list[_Run] = []
        admitted: list[Admission] = []
        while not scheduled:
            newly = self._schedule_running(scheduled, events)
            if not newly:
                admitted = self._admit(scheduled, events)
                break
            preempted += newly  # and if the only one in turn preempted itself, the others are next
        if not scheduled:
            return None
        duration_s, tokens = self._duration(scheduled)
        owners: list[JobId] = []
        first: list[JobId] = []
        finished: list[JobId] = []
        for run, now in scheduled.values():
            run.computed += now
            if run.computed < run.tokens:
                continue
            run.produced += 1
            owners.append(run.job.id)
            if run.produced == 1:
                first.append(run.job.id)
            if run.produced >= run.job.output_tokens:
                finished.append(run.job.id)
                self._running.remove(run)
                self.pool.release(run.blocks)
        return Step(
            duration_s,
            tokens,
            admitted=tuple(admitted),
            first_tokens=tuple(first),
            token_owners=tuple(owners),
            finished=tuple(finished),
            preempted=tuple(run.job.id for run in preempted),
            events=tuple(events),
        )

    def reset_prefix_cache(self) -> bool:
        """Forget all cached blocks; False, and nothing done, while any job runs."""
        return self.pool.clear()

    def jobs(self) -> Iterator[JobId]:
        """Running ones in order, then waiting ones."""
        yield from [run.job.id for run in self._running]
        yield from list(self._waiting)

    def _enqueue(self, run: _Run) -> None:
        self._waiting[run.job.id] = run
        heappush(self._queue, (run.job.priority if self.settings.by_priority else 0, run.order, run))

    def _blocks_for(self, tokens: int) -> int:
        return -(-tokens // self.settings.block_size)

    def _schedule_running(self, scheduled: dict[int, tuple[_Run, int]], events: list[Stored | Removed]) -> list[_Run]:
        budget = self.settings.max_num_batched_tokens
        preempted: list[_Run] = []
        index = 0
        while index < len(self._running) and budget > 0:
            run = self._running[index]
            now = min(run.tokens - run.computed, budget)
            is_placed = True
            while (lacking := self._blocks_for(run.computed + now) - len(run.blocks)) > self.pool.free:
                victim = self._victim()
                position = self._running.index(victim)
                del self._running[position]
                index -= position < index
                budget += scheduled.pop(victim.order, (victim, 0))[1]
                self._preempt(victim)
                preempted.append(victim)
                if victim is run:
                    is_placed = False
                    break
            if not is_placed:
                break
            self._place(run, lacking, now, events)
            scheduled[run.order] = (run, now)
            budget -= now
            index += 1
        return preempted

    def _victim(self) -> _Run:
        if self.settings.by_priority:
            return max(self._running, key=lambda run: (run.job.priority, run.order))
        return self._running[-1]

    def _preempt(self, run: _Run) -> None:
        self.pool.release(run.blocks)
        run.blocks, run.computed, run.named = [], 0, 0
        self.preemptions += 1
        self._enqueue(run)

    def _admit(self, scheduled: dict[int, tuple[_Run, int]], events: list[Stored | Removed]) -> list[Admission]:
        budget = self.settings.max_num_batched_tokens - sum(now for _, now in scheduled.values())
        admitted: list[Admission] = []
        while self._waiting and budget > 0 and len(self._running) < self.settings.max_num_seqs:
            run = self._queue[0][2]
            if run.is_gone:
                heappop(self._queue)
                continue
            hit: list[int] = []
            if self.settings.prefix_caching:
                hit = self.pool.find(run.job.hashes, (run.tokens - 1) // self.settings.block_size)
            whole = self._blocks_for(run.tokens) - len(hit) + self.pool.idle(hit)
            if whole > self.pool.free:
                break
            heappop(self._queue)
            del self._waiting[run.job.id]
            self.pool.hold(hit)
            run.blocks, run.named, run.computed = hit, len(hit), len(hit) * self.settings.block_size
            if run.cached < 0:
                run.cached = min(run.computed, run.job.prompt_tokens)
                self.queried_tokens += run.job.prompt_tokens
                self.hit_tokens += run.cached
                admitted.append(Admission(run.job.id, run.cached))
            now = min(run.tokens - run.computed, budget)
            self._place(run, self._blocks_for(run.computed + now) - len(hit), now, events)
            self._running.append(run)
            scheduled[run.order] = (run, now)
            budget -= now
        if not self._waiting and self._queue:
            self._queue.clear()  # only aborted ones
        return admitted

    def _place(self, run: _Run, lacking: int, now: int, events: list[Stored | Removed]) -> None:
        """Give it the blocks for `now` more tokens and name those that get full."""
        if lacking > 0:
            run.blocks += self.pool.take(lacking)
            if removed := self.pool.drain_removed():
                events.append(Removed(removed))
        if not self.settings.prefix_caching:
            return
        full = min((run.computed + now) // self.settings.block_size, len(run.job.hashes))
        if full > run.named:
            names = run.job.hashes[run.named : full]
            for block, name in zip(run.blocks[run.named : full], names, strict=True):
                self.pool.name(block, name)
            parent = run.job.hashes[run.named - 1] if run.named else None
            events.append(Stored(run.job.id, run.named, names, parent))
            run.named = full

    def _duration(self, scheduled: dict[int, tuple[_Run, int]]) -> tuple[float, int]:
        chunks: list[tuple[int, int]] = []
        decodes = context = tokens = 0
        images_s = 0.0
        for run, now in scheduled.values():
            tokens += now
            if now == 1 and run.produced and run.computed + 1 == run.tokens:
                decodes += 1
                context += run.tokens
                continue
            chunks.append((now, run.computed))
            for image in run.job.images:
                is_met = image.at < run.computed + now and run.computed < image.at + image.tokens
                if is_met and self._encoder.must_encode(image.key, image.tokens):
                    images_s += self.hardware.step.image_seconds(image.width, image.height)
        return self.hardware.step.seconds(chunks, decodes, context) + images_s, tokens
