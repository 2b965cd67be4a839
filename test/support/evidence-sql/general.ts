/** What the evidence of the rules that need no knowledge of a stack must be: see `index.ts`. */

import type { EvidenceTable } from "./index.ts";

export const GENERAL: EvidenceTable = {
  deadlock: `
    locked of any thread: kind = 'lock'
    holder-asleep of any thread: kind = 'thread.block'
    waits: kind = 'thread.block'
    end of any thread: 1
    and locked.thread = holder_asleep.thread AND locked.value = waits.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'unlock' AND value = locked.value AND seq > locked.seq)
  `,
  "eintr-missed": `
    slept: kind = 'thread.block'
    interrupted: kind = 'thread.wake' AND value = 2
    handled: kind = 'app.handler.enter'
    answered: kind = 'app.return' AND value <> -4
  `,
  "handler-storm": `
    first: kind = 'app.handler.enter'
    again: kind = 'app.handler.enter'
    third: kind = 'app.handler.enter'
    and first.signal = again.signal AND again.signal = third.signal AND first.signal < 32
    and first.extra <> again.extra AND again.extra <> third.extra
  `,
  livelock: `
    begins: 1
    many: 1
    over: 1
    end: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('app.call', 'app.return', 'app.handler.enter') AND seq > begins.seq AND seq <= many.seq)
  `,
  "lock-held-across-block": `
    locked of any thread: kind = 'lock'
    asleep of any thread: kind = 'thread.block'
    waits: kind = 'lock.busy'
    goes-on: kind = 'lock'
    end of any thread: 1
    and locked.thread = asleep.thread AND locked.value = waits.value AND goes_on.value = waits.value
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'unlock' AND value = locked.value AND seq BETWEEN locked.seq AND asleep.seq)
  `,
  "lost-wakeup": `
    pending of any thread: kind IN ('libos.signal.append', 'pal.event.pend', 'host.signal.generate')
    asleep: kind = 'thread.block'
    awake: kind = 'thread.wake'
    end: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.handler.enter' AND extra = pending.extra AND seq < asleep.seq)
  `,
  "mask-imbalance": `
    framed: kind = 'host.signal.deliver'
    changed: kind IN ('libos.mask', 'host.sigprocmask', 'app.mask')
    returned: kind IN ('app.handler.return', 'libos.sigreturn', 'app.handler.longjmp')
    wrong: 1
  `,
  "process-died-silently": `
    died: kind IN ('thread.exit', 'process.exit')
    killed of any thread: kind IN ('libos.signal.kill', 'host.signal.default')
    goes-on of any thread: kind LIKE 'app.%'
    in any order
    and goes_on.pid = died.pid
  `,
  reentrancy: `
    outer: kind = 'app.handler.enter'
    entered: kind = 'app.handler.enter'
    and outer.signal = entered.signal
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('app.handler.return', 'app.handler.longjmp') AND extra = outer.extra AND seq < entered.seq AND seq > outer.seq)
  `,
  "signal-never-handled": `
    sent of any thread: kind = 'host.signal.generate'
    waits of any thread: kind IN ('libos.signal.append', 'pal.event.pend', 'host.signal.generate', 'pal.event.inject')
    lost of any thread: kind = 'libos.signal.drop'
    end of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'app.handler.enter' AND extra = waits.extra AND signal = waits.signal AND seq > waits.seq AND pid = waits.pid)
  `,
  "slow-delivery": `
    sent of any thread: kind IN ('libos.signal.append', 'pal.event.pend', 'host.signal.generate')
    missed: 1
    handled: kind = 'app.handler.enter'
    and handled.extra = sent.extra AND handled.time - sent.time > 1000000
  `,
};
