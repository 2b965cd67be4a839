/** What the evidence of the rules of today's Gramine must be: see `index.ts`. */

import type { EvidenceTable } from "./index.ts";

export const GRAMINE: EvidenceTable = {
  "alarm-lost-in-worker-gap": `
    armed: kind = 'app.call' AND (label LIKE 'alarm%' OR label LIKE 'setitimer%')
    asleep of any thread: kind = 'thread.block' AND internal = 1
    no-signal of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.signal.append' AND signal = 14 AND seq BETWEEN armed.seq AND no_signal.seq)
  `,
  "blocked-fault-reaches-handler": `
    forced: kind = 'libos.signal.force'
    handled: kind = 'app.handler.enter'
    and forced.extra = handled.extra
  `,
  "connect-never-eintr": `
    interrupted: kind = 'ocall.return' AND value = -4
    again: kind = 'ocall.enter'
    over: kind = 'app.return'
  `,
  "eventfd-read-uninterruptible": `
    why of any thread: kind = 'libos.signal.append'
    woken: kind = 'thread.wake' AND value = 2
    asleep: kind = 'thread.block'
    over of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('app.return', 'app.handler.enter') AND seq BETWEEN woken.seq AND asleep.seq)
  `,
  "exec-keeps-altstack": `
    set: kind = 'app.call' AND label LIKE 'sigaltstack%'
    replaced: kind = 'app.return'
    framed: (kind = 'libos.sigframe' AND value = 1) OR kind = 'app.fault'
  `,
  "exec-waits-for-exit": `
    told of any thread: kind = 'libos.die' AND value = @thread AND extra = 1
    back: kind = 'libos.die' AND extra = 1
    end of any thread: 1
    and told.thread = back.value
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'thread.exit' AND thread IN (told.thread, back.thread) AND seq BETWEEN told.seq AND end.seq)
  `,
  "exit-kick-lost": `
    told of any thread: kind = 'libos.die'
    asleep: kind = 'thread.block'
    end of any thread: 1
  `,
  "exitless-child-keeps-rpc-mask": `
    made of any thread: kind = 'host.sigprocmask' AND flow = 'sgx_ocall_create_process'
    started of any thread: kind = 'process.start'
    sent: kind = 'host.signal.generate' AND signal <> 15 AND value = -1
    over of any thread: 1
    and started.pid = sent.pid
    and EXISTS (SELECT 1 FROM r WHERE thread = made.thread AND kind = 'rpc.take' AND seq < made.seq)
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'host.signal.deliver' AND extra = sent.extra AND seq BETWEEN sent.seq AND over.seq)
  `,
  "exitless-eintr-is-eperm": `
    requested: kind = 'rpc.request'
    abandoned: kind = 'rpc.abandon'
    answered: kind = 'app.return' AND value IN (-1, -13)
    and requested.value = abandoned.value
  `,
  "forced-signal-ignored-loop": `
    forced: kind = 'libos.signal.force'
    ignored: kind = 'libos.signal.ignore' AND value = 1
    last: kind = 'libos.signal.ignore' AND value = 1
    and forced.signal = ignored.signal AND last.signal = ignored.signal
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('app.handler.enter', 'app.call') AND seq BETWEEN forced.seq AND last.seq)
  `,
  "fork-answers-eintr": `
    called: kind = 'app.call'
    interrupted: kind = 'ocall.return' AND value = -4
    answered: kind = 'app.return' AND value = -4
    gave-up: flow = 'pal_linux_main'
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.call' AND seq BETWEEN interrupted.seq AND answered.seq)
  `,
  "fork-drops-altstack": `
    used of any thread: kind = 'libos.sigframe' AND value = 1
    forked of any thread: kind = 'process.start'
    framed: kind = 'libos.sigframe' AND value = 0
    and used.pid <> framed.pid AND forked.pid = framed.pid
  `,
  "futex-restart-with-timeout": `
    called: kind = 'app.call' AND label LIKE 'futex%'
    handled: kind = 'app.handler.enter'
    again: kind = 'libos.sigreturn' AND value = 1
    and handled.extra = again.extra
  `,
  "futex-wake-lost-on-timeout": `
    waits: kind = 'app.call' AND label LIKE 'futex%'
    woken of any thread: kind = 'libos.wake'
    timed-out: kind = 'app.return' AND value = -110
  `,
  "getitimer-stale-after-alarm": `
    set: kind = 'app.call' AND label LIKE 'setitimer%'
    changed: kind = 'app.call' AND label LIKE 'alarm%'
    told: kind = 'app.output'
  `,
  "group-kill-missing": `
    called: kind = 'app.call' AND label LIKE 'kill%'
    answered: kind = 'app.return' AND value = 0
    missed of any thread: 1
    and missed.pid <> called.pid
  `,
  "ignored-signal-ends-sleep": `
    sent of any thread: kind = 'libos.signal.append'
    woken: kind = 'thread.wake'
    ignored: kind = 'libos.signal.ignore'
    answered: kind = 'app.return' AND value = -4
    and ignored.signal = sent.signal
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.handler.enter' AND seq BETWEEN woken.seq AND answered.seq)
  `,
  "int3-kills-process": `
    asked of any thread: kind = 'libos.sigaction' AND signal = 5
    killed: kind = 'host.signal.default' AND signal = 5 AND value = 1
    and asked.pid = killed.pid
  `,
  "ipc-reply-failure-kills-receiver": `
    came of any thread: kind = 'libos.signal.append'
    ended: kind = 'process.exit' AND value = 1
    and came.pid = ended.pid
  `,
  "linux-fault-in-upcall-host-kill": `
    framed: kind = 'host.signal.deliver'
    upcall: kind = 'libos.upcall.enter'
    killed: kind = 'host.signal.default' AND value = 1
    and framed.signal = killed.signal
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'host.sigreturn' AND extra = framed.extra AND seq BETWEEN framed.seq AND killed.seq)
  `,
  "mask-replaced-not-merged": `
    chosen: kind = 'libos.signal.deliver' AND value = 2
    replaced: kind = 'libos.mask'
    entered: kind = 'app.handler.enter'
    intruded: kind = 'app.handler.enter'
    and chosen.extra = entered.extra
    and intruded.extra <> entered.extra
  `,
  "not-ready-fail-loop": `
    failed: kind = 'pal.fail'
    end: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('sgx.eexit', 'app.call', 'thread.exit') AND seq > failed.seq)
  `,
  "orphan-cannot-release-its-id": `
    refused: kind = 'pal.call.enter' AND flow = 'release_id'
    ended: kind = 'process.exit' AND value = 1
    and refused.pid = ended.pid
  `,
  "pending-kept-when-ignored": `
    queued of any thread: kind = 'libos.signal.append'
    ignored of any thread: kind = 'libos.sigaction' AND value = 1
    handled: kind = 'app.handler.enter'
    and queued.extra = handled.extra AND ignored.signal = queued.signal
  `,
  "pending-sigterm-bit-overwrite": `
    came of any thread: kind = 'libos.signal.inject' AND value = 15
    asked: kind = 'app.call'
    told: kind = 'app.output' AND extra = 5 AND (value & 16384) = 0
  `,
  "pipe-spinlock-swallows-kick": `
    told of any thread: kind = 'libos.die'
    asleep: kind = 'thread.block'
    end of any thread: 1
  `,
  "pipe-answers-eintr": `
    called: kind = 'app.call' AND label LIKE 'pipe%'
    interrupted: kind = 'ocall.return' AND value = -4
    answered: kind = 'app.return' AND value = -4
  `,
  "plain-eintr-from-file-io": `
    called: kind = 'app.call'
    interrupted: kind = 'ocall.return' AND value = -4
    answered: kind = 'app.return' AND value = -4
  `,
  "process-signal-not-retargeted": `
    queued of any thread: kind = 'libos.signal.append' AND value = -1
    chosen of any thread: kind = 'libos.wake' AND value = @thread
    blocked: kind = 'libos.mask'
    taken of any thread: kind = 'libos.signal.fetch'
    end of any thread: 1
    and chosen.thread = queued.thread
    and NOT EXISTS (SELECT 1 FROM r WHERE kind IN ('libos.signal.fetch', 'app.handler.enter') AND extra = queued.extra AND seq BETWEEN queued.seq AND blocked.seq)
  `,
  "recv-lock-swallows-kick": `
    told of any thread: kind = 'libos.die' AND value = @thread
    asleep: kind = 'thread.block'
    end of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'thread.wake' AND seq > asleep.seq)
  `,
  "rt-default-ignored": `
    sent of any thread: kind = 'libos.signal.append' AND signal > 31
    ignored: kind = 'libos.signal.ignore' AND value = 0 AND signal > 31
    and sent.extra = ignored.extra
  `,
  "shutdown-skipped-by-pending-event": `
    asked: kind = 'ocall.enter'
    answered: kind = 'app.return' AND value = 0
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'host.syscall.enter' AND flow LIKE '%shutdown%' AND seq BETWEEN asked.seq AND answered.seq)
  `,
  "sigframe-on-bad-stack": `
    chosen: kind = 'libos.signal.deliver' AND value = 2
    killed: kind = 'libos.fault' OR (kind = 'host.signal.default' AND value = 1)
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'app.handler.enter' AND extra = chosen.extra)
  `,
  "sigpipe-process-directed": `
    wrote of any thread: kind = 'libos.signal.append' AND signal = 13 AND value = -1
    taken: kind IN ('app.handler.enter', 'libos.signal.kill') AND signal = 13
    and wrote.extra = taken.extra AND wrote.thread <> taken.thread
  `,
  "sigprocmask-oldset-readonly": `
    called: kind = 'app.call'
    fault: kind = 'libos.fault'
  `,
  "sigterm-consumed-wake-storm": `
    called: kind = 'app.call'
    taken of any thread: kind = 'libos.signal.inject' AND value = -1
    woken: kind = 'libos.wake'
    in any order
  `,
  "sigterm-starved-by-blocked-pending": `
    queued: kind = 'libos.signal.append'
    came: kind = 'libos.signal.inject' AND value = 15
    end of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.signal.inject' AND value = -1 AND seq > came.seq)
  `,
  "sigterm-to-parked-main": `
    came: kind = 'libos.signal.inject' AND value = 15
    end of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.signal.inject' AND value = -1 AND seq > came.seq)
  `,
  "timeout-starts-over": `
    called: kind = 'app.call'
    again: kind = 'libos.restart'
    over: kind IN ('app.return', 'app.handler.longjmp', 'thread.exit', 'process.exit') OR seq = (SELECT max(seq) FROM r)
    and over.time - called.time >= 5000000
  `,
  "tls-write-eintr-substitution": `
    interrupted: kind = 'app.return' AND value = -4
    called: kind = 'app.call'
    sent: kind = 'ocall.return'
    answered: kind = 'app.return'
    and sent.value <> answered.value
  `,
  "wait4-eintr-though-child-ended": `
    ended of any thread: kind = 'libos.signal.append' AND signal = 17
    looked: kind = 'libos.signal.pending' AND value > 0
    answered: kind = 'app.return' AND value = -4
  `,
  "wait4-unlocks-unheld-lock": `
    taken: kind = 'lock'
    released: kind = 'unlock' AND extra <> @thread
    and taken.value = released.value
    and EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'unlock' AND value = taken.value AND seq > taken.seq AND seq < released.seq)
  `,
  "zombie-when-ignored": `
    ignored of any thread: kind = 'libos.sigaction' AND signal = 17 AND value = 1
    called: kind = 'app.call' AND label LIKE 'wait%'
    answered: kind = 'app.return' AND value > 0
  `,
  "host-sigterm-not-injected": `
    sent of any thread: kind = 'host.signal.generate' AND signal = 15
    upcall: kind = 'libos.upcall.enter'
    lost: kind = 'pal.event.lost'
    and sent.extra = lost.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE kind IN ('libos.signal.inject', 'app.handler.enter') AND seq > upcall.seq AND extra = lost.extra)
  `,
  "pending-handlers-in-turn": `
    queued of any thread: kind = 'libos.signal.append'
    first: kind = 'app.handler.enter'
    returned: kind = 'app.handler.return'
    second: kind = 'app.handler.enter'
    and queued.extra = second.extra AND first.extra = returned.extra AND first.extra <> second.extra
  `,
  "process-signal-to-sender": `
    sent: kind = 'libos.signal.append' AND value = -1
    taken: kind = 'app.handler.enter'
    and sent.extra = taken.extra
  `,
  "sgx-fault-without-exinfo": `
    faulted: kind = 'app.fault'
    refused: kind = 'pal.event.lost'
    ended of any thread: kind = 'process.exit' AND value = 1
    and ended.pid = faulted.pid
  `,
  "ppoll-ignores-pending": `
    pending of any thread: kind = 'libos.signal.append' AND (value = @thread OR value = -1)
    called: kind = 'app.call' AND (label LIKE 'poll%' OR label LIKE 'ppoll%' OR label LIKE 'select%' OR label LIKE 'pselect%')
    asleep: kind = 'thread.block'
    awake: kind = 'thread.wake'
    end of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE kind IN ('libos.signal.fetch', 'app.handler.enter') AND extra = pending.extra AND seq BETWEEN pending.seq AND asleep.seq)
  `,
  "sgx-quit-overwritten-in-ocall": `
    brought: kind = 'pal.event.deliver' AND value = 4
    entered: kind = 'sgx.eenter'
    written: flow = 'enclave_entry' AND label = 'SSA[0].RSI := event'
    lost: kind = 'pal.event.lost' AND value = 4 AND signal = 15
    and lost.extra = brought.extra
  `,
  "sgx-usr2-kept-by-pal": `
    kept of any thread: kind = 'host.sigaction' AND signal = 12 AND value = -1
    sent: kind = 'host.signal.generate' AND signal = 12
    over of any thread: kind = 'process.exit'
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'host.signal.deliver' AND extra = sent.extra)
  `,
};
