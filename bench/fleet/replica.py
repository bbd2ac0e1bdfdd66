"""A fast engine: the same physics as `bench.physics.engine`, without stepping where nothing can happen.

While an engine only decodes, each step's time differs from the last by a constant (the batch's tokens have grown by one
each), so n steps take n·a + b·n(n-1)/2 and are one event, until the next answer ends or a request arrives: then as many
steps are taken as have begun. Steps with a prompt's chunk in them are taken one by one.

What is simpler than in vLLM: the cache's blocks are the trace's (512 tokens); a request is admitted when its whole
prompt and answer fit, so none is ever preempted; generated tokens cannot be found again (a trace does not name them).
A test holds the two engines against each other.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from heapq import heappop, heappush

from bench.fleet.visit import Visit
from bench.physics.hardware import CPU_MS, CPU_MS_PER_DECODE, Hardware
from bench.traces.arrival import IMAGE_PATCHES

Moment = Callable[[Visit, float], None]
Told = Callable[[Sequence[int]], None]
NEVER = math.inf


class Replica:
    """One engine. `due` is when it has to be advanced next.

    Args:
        hardware: what it runs on.
        chunk: vLLM's `max_num_batched_tokens`; more than `most_running`.
        most_running: vLLM's `max_num_seqs`.
        block_tokens: of the trace's blocks.
        on_first_token, on_end: told of each request's first token and end, with the time.
        on_stored, on_removed: told of blocks that enter and leave the cache; None: nobody listens.

    Raises ValueError when `chunk` leaves no room for prompts beside a full batch.
    """

    def __init__(
        self,
        hardware: Hardware,
        *,
        chunk: int,
        most_running: int,
        block_tokens: int,
        on_first_token: Moment,
        on_end: Moment,
        slowdown: float = 1.0,
    ) -> None:
        if chunk <= most_running:
            raise ValueError(f"chunk must be above most_running, got {chunk} and {most_running}")
        step = hardware.step
        factor = slowdown / 1000
        self._lin = [step.lin(tokens) * factor for tokens in range(chunk + 1)]
        self._c0, self._perseq, self._perctx = step.c0 * factor, step.perseq * factor, step.perctx * factor
        self._pertok, self._perqk = step.pertok * factor, step.perqk * factor
        self._cpu, self._cpu_each = CPU_MS * factor, CPU_MS_PER_DECODE * factor
        self._image = step.image
        self._factor = factor
        self._chunk = chunk
        self._most_running = most_running
        self._block_tokens = block_tokens
        self._room = hardware.kv_tokens
        self._on_first_token = on_first_token
        self._on_end = on_end
        self.on_stored: Told | None = None
        self.on_removed: Told | None = None
        self.due = NEVER
        self._waiting: deque[Visit] = deque()
        self._partial: Visit | None = None  # whose prompt is begun and not done
        self._decoding: list[tuple[int, int, Visit]] = []  # heap: the step after which it ends, its number
        self._clock = 0  # decode steps ever
        self._context = 0  # tokens of all that decode
        self._numbers = 0
        self._pins: dict[int, int] = {}  # blocks in use, and by how many
        self._idle: OrderedDict[int, None] = OrderedDict()  # blocks that are kept; the first is dropped first
        self._held = 0  # tokens in use: pinned blocks and private ones
        # the segment that is under way
        self._began = 0.0
        self._steps = 0
        self._pace = 0.0  # seconds of its first step
        self._drift = 0.0  # seconds that each further step takes longer
        self._is_decoding_only = False
        self._ready: list[Visit] = []  # whose prompts are done at its end

    @property
    def running(self) -> int:
        """Requests in the batch."""
        return len(self._decoding) + len(self._ready) + (self._partial is not None)

    @property
    def waiting(self) -> int:
        """Requests not admitted yet."""
        return len(self._waiting)

    def fits(self, visit: Visit) -> bool:
        """Could it ever be admitted?"""
        return self._need(visit, 0) <= self._room

    def submit(self, visit: Visit, now: float) -> bool:
        """A request arrives. True: `due` has changed."""
        self._waiting.append(visit)
        if self.due == NEVER:
            self._plan(now)
            return True
        if self._is_decoding_only and len(self._waiting) == 1 and len(self._decoding) < self._most_running:
            return self._cut(now)
        return False

    def advance(self) -> None:
        """The segment is over: hand out what it brought and begin the next."""
        now = self.due
        steps, decoding = self._steps, self._decoding
        self._clock += steps
        self._context += steps * len(decoding)
        clock = self._clock
        while decoding and decoding[0][0] <= clock:
            visit = heappop(decoding)[2]
            self._context -= visit.prompt + visit.output
            self._release(visit)
            self._on_end(visit, now)
        if self._ready:
            for visit in self._ready:
                visit.first_s = now
                self._on_first_token(visit, now)
                if visit.output == 1:
                    self._release(visit)
                    self._on_end(visit, now)
                    continue
                self._numbers += 1
                heappush(decoding, (clock + visit.output - 1, self._numbers, visit))
                self._context += visit.prompt + 1
            self._ready = []
        self._plan(now)

    def _plan(self, now: float) -> None:
        """Begin a segment: one step with chunks, or decode steps up to the next end."""
        batch = len(self._decoding)
        tokens = batch
        seconds = 0.0
        self._began = now
        if self._partial is not None or self._waiting:
            visit = self._partial
            if visit is not None:
                now_tokens = min(visit.left, self._chunk - tokens)
                tokens += now_tokens
                seconds += self._compute(visit, now_tokens)
            running = batch + len(self._ready) + (self._partial is not None)
            while self._waiting and tokens < self._chunk and running < self._most_running:
                visit = self._waiting[0]
                if not self._admit(visit):
                    break
                self._waiting.popleft()
                running += 1
                now_tokens = min(visit.left, self._chunk - tokens)
                tokens += now_tokens
                seconds += self._compute(visit, now_tokens) + self._images(visit)
        if tokens > batch:
            self._is_decoding_only = False
            self._steps = 1
            if batch:
                seconds += self._c0 + self._perseq * batch + self._perctx * self._context
            self.due = now + seconds + self._lin[tokens] + self._cpu + self._cpu_each * batch
        elif batch:
            self._is_decoding_only = True
            self._steps = steps = self._decoding[0][0] - self._clock
            self._pace = (
                self._lin[batch] + self._c0 + (self._perseq + self._cpu_each) * batch + self._perctx * self._context
            ) + self._cpu
            self._drift = self._perctx * batch
            self.due = now + steps * self._pace + self._drift * (steps * (steps - 1) / 2)
        else:
            self._is_decoding_only = False
            self._steps = 0
            self.due = NEVER

    def _cut(self, now: float) -> bool:
        """Somebody has arrived: end the run of decode steps with the one that is under way."""
        passed, pace, drift = now - self._began, self._pace, self._drift
        # the least n with n·pace + drift·n(n-1)/2 >= passed
        half = drift / 2
        linear = pace - half
        steps = math.ceil((math.sqrt(linear * linear + 4 * half * passed) - linear) / (2 * half)) if half else 0
        steps = max(0, steps - 1)
        while steps * pace + drift * (steps * (steps - 1) / 2) < passed - 1e-12:
            steps += 1
        if steps >= self._steps:
            return False
        self._steps = steps
        self.due = max(now, self._began + steps * pace + drift * (steps * (steps - 1) / 2))
        return True

    def _compute(self, visit: Visit, tokens: int) -> float:
        """Plan `tokens` of its prompt; the seconds of their attention."""
        seconds = self._pertok * tokens + self._perqk * tokens * (visit.past + tokens / 2)
        visit.past += tokens
        visit.left -= tokens
        if visit.left:
            self._partial = visit
        else:
            self._ready.append(visit)
            if visit is self._partial:
                self._partial = None
        return seconds

    def _images(self, visit: Visit) -> float:
        return sum(self._image(IMAGE_PATCHES * tokens) for tokens in visit.arrival.images) * self._factor

    def _need(self, visit: Visit, pinned: int) -> int:
        """Tokens of KV for the whole request, besides `pinned` blocks that are in use already."""
        ends = visit.arrival.prefix.ends
        beyond = visit.prompt - ends[-1] if ends else visit.prompt
        return (len(visit.hashes) - pinned) * self._block_tokens + beyond + visit.output

    def _admit(self, visit: Visit) -> bool:
        """Take up what is cached of its prompt and reserve the rest; False: there is no room yet."""
        pins, idle, hashes = self._pins, self._idle, visit.hashes
        pinned = sum([block in pins for block in hashes])
        need = self._need(visit, pinned)
        if self._held + need > self._room:
            return False
        self._held += need
        visit.pinned, visit.private = hashes, need - (len(hashes) - pinned) * self._block_tokens
        hit = 0
        is_hit = True
        for block in hashes:
            count = pins.get(block)
            if count is not None:
                pins[block] = count + 1
            else:
                pins[block] = 1
                if block in idle:
                    del idle[block]
                else:
                    is_hit = False
            hit += is_hit
        visit.cached = visit.past = min(visit.arrival.prefix.ends[hit - 1], visit.prompt - 1) if hit else 0
        visit.left = visit.prompt - visit.cached
        self._make_room()
        if self.on_stored is not None and hit < len(hashes):
            self.on_stored(hashes[hit:])
        return True

    def _make_room(self) -> None:
        idle, most = self._idle, (self._room - self._held) // self._block_tokens
        removed = []
        while len(idle) > most:
            removed.append(idle.popitem(last=False)[0])
        if removed and self.on_removed is not None:
            self.on_removed(removed)

    def _release(self, visit: Visit) -> None:
        pins, idle, freed = self._pins, self._idle, 0
        for block in reversed(visit.pinned):
            count = pins[block]
            if count == 1:
                del pins[block]
                idle[block] = None
                freed += 1
            else:
                pins[block] = count - 1
        self._held -= freed * self._block_tokens + visit.private
        visit.pinned = ()
