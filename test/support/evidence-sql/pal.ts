/** What the evidence of the rules of the PALs and of pull request 347 must be: see `index.ts`. */

import type { EvidenceTable } from "./index.ts";

export const PAL: EvidenceTable = {
  "linux-pal-malloc-in-handler": `
    locked: kind = 'lock' AND detail = 'slab lock of the PAL'
    interrupted: kind = 'host.signal.deliver' AND context = 'signal'
    asleep: kind = 'thread.block' AND extra = -1 AND context = 'signal'
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'unlock' AND detail = locked.detail AND seq BETWEEN locked.seq AND asleep.seq)
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'thread.wake' AND seq > asleep.seq)
  `,
  "linux-nested-pending-drain": `
    outer: kind = 'pal.event.deliver'
    upcall: kind = 'libos.upcall.enter'
    inner: kind = 'pal.event.deliver'
    and upcall.extra = outer.extra AND upcall.value = outer.value
    and inner.extra <> outer.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'libos.upcall.return' AND extra = upcall.extra AND seq BETWEEN upcall.seq AND inner.seq)
  `,
  "linux-vdso-misclassified": `
    call: kind = 'pal.call.enter'
    interrupted: kind = 'host.signal.deliver'
    upcall: kind = 'libos.upcall.enter' AND context = 'signal' AND value <> 7
    and upcall.extra = interrupted.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind LIKE 'pal.call.%' AND seq > call.seq AND seq < interrupted.seq)
    and (SELECT flow || label FROM r WHERE thread = @thread AND flow <> '(outside)' AND seq < interrupted.seq ORDER BY seq DESC LIMIT 1) LIKE '%vdso%'
  `,
  "linux-altstack-unused": `
    registered: kind = 'app.return' AND value = 0
    fault: kind = 'app.fault' AND detail = 'stack'
    killed: kind = 'host.signal.default' AND value = 1
    and (SELECT label FROM r WHERE thread = @thread AND kind = 'app.call' AND seq < registered.seq ORDER BY seq DESC LIMIT 1) LIKE 'sigaltstack%'
    and fault.signal = killed.signal
  `,
  "linux-handler-in-host-signal-context": `
    frame: kind = 'host.signal.deliver' AND detail LIKE '%-> {%SIGCONT%}'
    handler: kind = 'app.handler.enter' AND context = 'signal'
    asleep: kind = 'thread.block'
    wake of any thread: kind = 'host.signal.generate' AND signal = 18 AND value = @thread
    and handler.extra = frame.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('host.sigreturn', 'thread.wake') AND seq BETWEEN asleep.seq AND wake.seq)
  `,
  "linux-thread-exit-window": `
    exiting: kind = 'pal.call.enter' AND label LIKE '%DkThreadExit%'
    interrupted: kind = 'host.signal.deliver'
    crash: kind = 'undefined' AND detail LIKE '%freed%'
    and crash.signal = interrupted.signal
  `,
  "pal-pend-after-check": `
    kept: kind = 'pal.event.pend'
    left: kind = 'pal.call.leave'
    delivered: kind = 'pal.event.deliver'
    end: kind = 'thread.block'
    and delivered.extra = kept.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'pal.event.deliver' AND extra = kept.extra AND seq BETWEEN kept.seq AND left.seq)
  `,
  "partial-handle-receive": `
    asked: kind = 'pal.call.enter' AND label LIKE '%newproc_response%'
    interrupted: kind = 'host.signal.deliver'
    failed: (kind = 'pal.call.leave' AND value = 0) OR kind = 'pal.call.abandon'
    answered: kind = 'app.return' AND value <= 0
    and EXISTS (SELECT 1 FROM r WHERE kind = 'process.start' AND seq > (SELECT max(seq) FROM r WHERE thread = @thread AND kind = 'app.call' AND seq < answered.seq))
  `,
  "event-wait-eintr": `
    asleep: kind = 'thread.block' AND flow LIKE '%futex-wait%'
    interrupted: kind = 'thread.wake' AND value = 2
    set of any thread: kind = 'host.syscall.enter' AND flow LIKE '%futex-wake%'
    failed: (kind = 'pal.call.leave' AND value = 0) OR kind = 'pal.call.abandon'
    and set.thread <> @thread
  `,
  "sgx-completed-ocall-result-lost": `
    done: kind = 'host.syscall.exit' AND value >= 0
    injected: kind IN ('pal.event.inject', 'pal.event.overwrite')
    entered: kind = 'sgx.eenter' AND value = 0 AND extra = -13
  `,
  "sgx-interrupted-code-lost": `
    asked: kind = 'pal.call.enter'
    sent of any thread: kind = 'host.signal.generate'
    injected: kind IN ('pal.event.inject', 'pal.event.overwrite')
    entered: kind = 'sgx.eenter' AND value = 0 AND extra = -13
    upcall: kind = 'libos.upcall.enter'
    handled: kind = 'app.handler.enter'
    abandoned: kind = 'pal.call.abandon'
    handled-late: kind = 'app.handler.enter'
    answered: kind IN ('libos.syscall.exit', 'pal.errno.read')
    seen: kind = 'app.return' AND value <> -4
    and sent.extra = injected.extra
    and upcall.extra = injected.extra
    and abandoned.extra = injected.extra
    and answered.value = seen.value
  `,
  "sgx-wakeup-ocall-abandoned": `
    waits of any thread: kind = 'thread.block' AND flow LIKE '%futex-wait%'
    call: kind = 'pal.call.enter' AND (label LIKE '%DkEventSet%' OR label LIKE '%DkMutexRelease%')
    injected: kind = 'pal.event.inject'
    abandoned: kind = 'pal.call.abandon'
    and abandoned.extra = injected.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = waits.thread AND kind = 'thread.wake' AND seq > waits.seq)
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'host.syscall.exit' AND flow LIKE '%futex-wake%' AND seq BETWEEN call.seq AND abandoned.seq)
  `,
  "sgx-time-query-zero": `
    asked: kind = 'pal.call.enter' AND label LIKE '%DkSystemTimeQuery%'
    injected: kind IN ('pal.event.inject', 'pal.event.overwrite')
    zero: kind = 'pal.call.abandon' OR (kind = 'pal.call.leave' AND value = 0)
  `,
  "sgx-rsp-window": `
    ocall: kind = 'ocall.enter'
    exit: kind = 'sgx.aex' AND detail = 'the stack pointer is outside the enclave'
    entered: kind = 'sgx.eenter' AND value > 0
    built: kind = 'sgx.clobber' AND value = 4 AND cssa >= 1
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'ocall.return' AND depth < ocall.depth AND seq BETWEEN ocall.seq AND built.seq)
  `,
  "sgx-ocall-asm-window": `
    outer: kind = 'ocall.enter'
    built: kind = 'sgx.clobber' AND value = 4 AND cssa >= 1
    inner: kind = 'ocall.enter'
    left: kind = 'sgx.eexit' AND value = 0
    end: kind = 'undefined'
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'ocall.return' AND seq BETWEEN outer.seq AND left.seq)
  `,
  "sgx-nested-host-signal": `
    first: kind = 'host.signal.deliver'
    second: kind = 'host.signal.deliver' AND value > 1
    injected: kind = 'pal.event.inject' AND cssa >= 1
    entered: kind = 'sgx.eenter' AND value >= 1
    refused: kind = 'sgx.fault' AND value = 2
    end: kind IN ('thread.exit', 'undefined')
    and injected.extra = second.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'host.sigreturn' AND extra = first.extra AND seq BETWEEN first.seq AND second.seq)
  `,
  "sgx-host-mask-leak": `
    first: kind = 'host.signal.deliver'
    second: kind = 'host.signal.deliver' AND value > 1
    injected: kind IN ('pal.event.inject', 'pal.event.overwrite')
    entered: kind = 'sgx.eenter' AND value = 0 AND extra = -13
    gone: kind NOT LIKE 'host.%'
    unheard of any thread: kind = 'host.signal.generate' AND value = @thread
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'host.sigreturn' AND extra = first.extra AND seq > first.seq)
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'host.signal.deliver' AND extra = unheard.extra)
  `,
  "sgx-untrusted-event-overwrite": `
    injected: kind IN ('pal.event.inject', 'pal.event.overwrite')
    frame: kind = 'host.signal.deliver'
    overwritten: kind = 'pal.event.overwrite'
    second: kind IN ('pal.event.inject', 'pal.event.overwrite')
    entered: kind = 'sgx.eenter' AND value = 0 AND extra = -13
    and overwritten.value = injected.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.upcall.enter' AND extra = injected.extra)
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.upcall.enter' AND extra = frame.extra)
  `,
  "sgx-exitinfo-stale": `
    exception: kind = 'sgx.aex' AND value >= 0
    stage-one: kind = 'sgx.eenter' AND value = 1
    again: kind = 'sgx.eenter' AND value = 1 AND signal IN (2, 15, 18)
    taken: kind IN ('pal.event.lost', 'libos.upcall.enter') AND value IN (1, 2, 3)
    end: kind = 'thread.exit'
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('sgx.aex', 'sgx.eresume') AND seq > exception.seq AND seq < again.seq)
    and taken.extra <> exception.extra
  `,
  "sgx-eframe-stack-clobber": `
    call: kind = 'pal.call.enter'
    exit: kind = 'sgx.aex'
    entered: kind = 'sgx.eenter' AND value = 1
    clobbered: kind = 'sgx.clobber' AND value = 1
  `,
  "sgx-redzone-clobber": `
    exit: kind = 'sgx.aex'
    entered: kind = 'sgx.eenter' AND value >= 1
    clobbered: kind = 'sgx.clobber' AND value = 2 AND cssa >= 1
    and (SELECT layer <> 'pal' OR kind IN ('pal.call.leave', 'call') FROM r WHERE thread = @thread AND flow <> '(outside)' AND seq < exit.seq ORDER BY seq DESC LIMIT 1)
  `,
  "sgx-ustack-reset-clobber": `
    outer: kind = 'ocall.enter'
    exit: kind = 'sgx.aex'
    inner: kind = 'ocall.enter'
    clobbered: kind = 'sgx.clobber' AND value = 4
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'ocall.return' AND seq BETWEEN outer.seq AND clobbered.seq)
  `,
  "sgx-xstate-not-saved": `
    exit: kind = 'sgx.aex'
    handler: kind = 'app.handler.enter'
    back: kind = 'pal.exception.return' AND value = 1
    clobbered: kind = 'sgx.clobber' AND value = 3
    and exit.extra = back.extra
  `,
  "sgx-event-before-thread-ready": `
    injected: kind = 'pal.event.inject'
    refused: kind = 'sgx.fault'
    end: kind = 'thread.exit' AND value = 2
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'sgx.eenter' AND seq < injected.seq)
  `,
  "handler-table-lock-self-deadlock": `
    locked: kind = 'lock' AND detail LIKE 'handlers[%'
    interrupted: kind = 'host.signal.deliver'
    busy: kind = 'lock.busy'
    and busy.detail = locked.detail AND busy.extra = @thread
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'unlock' AND detail = locked.detail AND seq > locked.seq)
  `,
  "sgx-unbounded-aex-frames": `
    first: kind = 'sgx.eexit' AND value = 1
    second: kind = 'sgx.eexit' AND value = 1
    too-many: kind = 'sgx.eexit' AND value = 1
    and (SELECT count(*) FROM r WHERE thread = @thread AND kind = 'sgx.eexit' AND value = 1 AND seq BETWEEN first.seq AND too_many.seq) >= 10
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'pal.exception.return' AND extra = first.extra AND seq BETWEEN first.seq AND too_many.seq)
  `,
  "sgx-unknown-ud-kills-thread": `
    fault: kind = 'app.fault'
    exit: kind = 'sgx.aex' AND value = 6
    printed: kind = 'pal.event.lost'
    end: kind = 'thread.exit' AND value = 2
    and printed.extra = exit.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.upcall.enter' AND extra = exit.extra AND seq BETWEEN exit.seq AND end.seq AND thread = @thread)
  `,
  "sgx-memfault-no-address": `
    fault: kind = 'app.fault' AND extra <> 0
    handled: kind = 'app.handler.enter'
    read: kind = 'app.siginfo.more' AND extra = 2 AND value = 0
    and fault.signal = handled.signal
  `,
  "sgx-untrusted-fault-kills-thread-only": `
    fault: kind = 'host.signal.deliver' AND signal IN (4, 7, 8, 11)
    printed: kind = 'pal.event.lost' AND layer = 'untrusted-pal'
    end: kind = 'thread.exit' AND value = 2
    waits of any thread: kind = 'thread.block'
    in any order
    and printed.extra = fault.extra AND printed.seq > fault.seq AND end.seq > printed.seq
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = waits.thread AND kind = 'thread.wake' AND seq > waits.seq)
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'process.exit' AND pid = fault.pid AND seq < end.seq)
  `,
  "sgx-injected-event": `
    sent of any thread: kind = 'host.signal.generate' AND signal IN (4, 7, 8, 11)
    exit: kind = 'sgx.aex' AND value = -1
    entered: kind = 'sgx.eenter' AND value > 0
    upcall: kind = 'libos.upcall.enter' AND value IN (1, 2, 3)
    and upcall.extra = exit.extra
    and sent.extra = exit.extra AND sent.flow = '(outside)'
  `,
  "sgx-eexit-libc-lock": `
    locked of any thread: kind = 'lock' AND detail = 'libc'
    injected of any thread: kind = 'pal.event.inject'
    busy: kind = 'lock.busy' AND detail = 'libc'
    and injected.thread = locked.thread
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'unlock' AND detail = 'libc' AND pid = busy.pid AND seq > locked.seq)
  `,
  "sigpipe-kills-process": `
    asked: kind = 'host.syscall.enter'
    broken: kind = 'host.syscall.exit' AND value = -32
    killed: kind = 'host.signal.default' AND signal = 13 AND value = 1
    and asked.flow = broken.flow
    and EXISTS (SELECT 1 FROM r WHERE kind = 'process.exit' AND pid = killed.pid AND seq > killed.seq AND value = -13)
  `,

  "pr347-lost-in-libos": `
    sent of any thread: kind = 'host.signal.generate'
    upcall: kind = 'libos.upcall.enter'
    fetched: kind = 'libos.signal.fetch'
    lost: kind = 'libos.signal.lost' AND value = 4
    and sent.extra = lost.extra
    and fetched.extra = lost.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'app.handler.enter' AND extra = lost.extra)
  `,
  "pr347-same-number-drop": `
    upcall: kind = 'libos.upcall.enter'
    older: kind = 'libos.signal.fetch'
    dropped: kind = 'libos.signal.lost' AND value = 5
    and older.signal = dropped.signal AND older.extra <> dropped.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'app.handler.enter' AND extra = dropped.extra)
  `,
  "pr347-blocked-pending-spins": `
    first: kind = 'libos.signal.pending' AND value > 0
    again: kind = 'libos.signal.pending' AND value > 0
    last: kind = 'libos.signal.pending' AND value > 0
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('libos.signal.fetch', 'app.return', 'app.call', 'pal.call.enter') AND seq BETWEEN first.seq AND last.seq)
  `,
  "pr347-sigreturn-spins": `
    first: kind = 'libos.signal.pending' AND value > 0
    again: kind = 'libos.signal.pending' AND value > 0
    last: kind = 'libos.signal.pending' AND value > 0
    and (SELECT kind FROM r WHERE thread = @thread AND kind LIKE 'app.%' AND seq < first.seq ORDER BY seq DESC LIMIT 1) = 'app.handler.return'
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND (kind LIKE 'app.%' OR kind = 'libos.sigreturn') AND seq BETWEEN first.seq AND last.seq)
  `,
  "pr347-default-action-as-handler": `
    default: kind = 'libos.signal.deliver' AND value = 0
    frame: kind = 'libos.sigframe'
    killed: kind = 'libos.signal.kill'
    and default.extra = frame.extra
    and killed.extra = frame.extra
  `,
  "pr347-tail-chain-wild-return": `
    returned: kind = 'app.handler.return'
    chosen: kind = 'libos.signal.fetch'
    lost: kind = 'libos.signal.lost' AND value = 6
    and chosen.extra = lost.extra AND returned.extra <> lost.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'app.handler.enter' AND extra = lost.extra AND seq < lost.seq)
  `,
  "pr347-tail-siginfo-stale": `
    frame: kind = 'libos.sigframe'
    handled: kind = 'app.handler.enter'
    read: kind = 'app.siginfo'
    and read.signal = frame.signal AND read.signal <> handled.signal
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.sigframe' AND extra = handled.extra)
  `,
  "pr347-siginfo-garbage": `
    frame: kind = 'libos.sigframe'
    handled: kind = 'app.handler.enter'
    read: kind = 'app.siginfo'
    and frame.extra = handled.extra AND read.signal <> handled.signal
  `,
  "linux-sent-fault-in-pal": `
    called: kind = 'pal.call.enter'
    sent of any thread: kind = 'host.signal.generate' AND label LIKE '%from outside%'
    taken: kind = 'pal.event.lost' AND layer = 'pal'
    gone: kind IN ('thread.exit', 'process.exit')
    and sent.extra = taken.extra AND sent.signal = taken.signal
  `,
  "sgx-inherited-mask-dropped": `
    unblocked of any thread: kind = 'host.sigprocmask' AND detail LIKE 'mask {%'
    handled: kind = 'app.handler.enter'
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.mask' AND seq BETWEEN unblocked.seq AND handled.seq)
  `,
};
