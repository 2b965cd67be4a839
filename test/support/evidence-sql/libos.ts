/** What the evidence of the rules of Graphene's LibOS must be: see `index.ts`. */

import type { EvidenceTable } from "./index.ts";

export const LIBOS: EvidenceTable = {
  "alarm-fires-early": `
    armed: kind = 'app.call' AND (label LIKE 'alarm%' OR label LIKE 'setitimer%')
    interrupted of any thread: kind = 'host.signal.deliver'
    fired of any thread: kind = 'libos.signal.append' AND signal = 14
    and interrupted.thread = fired.thread
  `,
  "append-signal-garbage-context-pointer": `
    queued of any thread: kind = 'libos.signal.append'
    fetched: kind = 'libos.signal.fetch'
    written: kind = 'undefined.read'
    and queued.extra = fetched.extra AND queued.signal = fetched.signal
  `,
  "async-list-redundant-cancel": `
    set: kind = 'app.call'
    removed of any thread: kind = 'step' AND layer = 'libos'
    over of any thread: 1
    freed of any thread: kind = 'undefined.read'
  `,
  "blocked-or-ignored-signal-interrupts": `
    asleep: kind = 'thread.block'
    sent of any thread: (kind = 'libos.signal.append' AND value = @thread) OR (kind = 'host.signal.generate' AND signal = 18)
    interrupted: kind = 'thread.wake' AND value = 2
    answered: kind = 'app.return' AND value <= 0
    in any order
    and interrupted.seq BETWEEN asleep.seq AND answered.seq AND sent.seq BETWEEN asleep.seq AND answered.seq
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.handler.enter' AND seq BETWEEN asleep.seq AND answered.seq)
  `,
  "call-not-implemented": `
    called: kind = 'app.call'
    answered: kind = 'app.return' AND value = -38
  `,
  "default-action-table-wrong": `
    ignored: kind = 'libos.signal.ignore' AND value = 0 AND signal NOT IN (17, 18, 23, 28)
  `,
  "default-kill-one-thread": `
    killed: kind = 'libos.signal.kill'
    gone: kind = 'thread.exit' AND value = 1
    goes-on of any thread: kind LIKE 'app.%' OR kind = 'thread.block'
    in any order
    and gone.seq > killed.seq AND (goes_on.seq > gone.seq OR NOT EXISTS (SELECT 1 FROM r WHERE thread = goes_on.thread AND kind = 'thread.wake' AND seq > goes_on.seq))
    and killed.signal = gone.signal AND goes_on.pid = gone.pid AND goes_on.thread <> gone.thread
  `,
  "eintr-becomes-timeout": `
    called: kind = 'app.call' AND (label LIKE 'poll%' OR label LIKE 'select%' OR label LIKE 'p%' OR label LIKE 'epoll%')
    interrupted: kind = 'thread.wake' AND value = 2
    handled: kind = 'app.handler.enter'
    answered: kind = 'app.return' AND value = 0
  `,
  "eintr-swallowed-by-wait-loops": `
    called: kind = 'app.call'
    handled: kind = 'app.handler.enter'
    asleep-again: kind = 'thread.block'
    answered: kind = 'app.return' AND value <> -4
    end of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.return' AND depth < called.depth AND seq BETWEEN called.seq AND asleep_again.seq)
  `,
  "handler-longjmp-preempt-leak": `
    left: kind = 'app.handler.longjmp'
    goes-on: kind = 'app.fault' OR kind = 'app.call' OR kind = 'app.compute'
    died: kind = 'host.signal.default' AND value = 1
    over of any thread: 1
    and goes_on.preempt > 0
  `,
  "host-default-signal-kills": `
    asked of any thread: kind = 'libos.sigaction'
    killed: kind = 'host.signal.default' AND value = 1
    and asked.signal = killed.signal AND asked.pid = killed.pid
    and EXISTS (SELECT 1 FROM r WHERE kind = 'process.exit' AND pid = killed.pid AND seq > killed.seq)
  `,
  "host-signal-eaten-by-helper": `
    sent of any thread: kind = 'host.signal.generate'
    eaten: kind = 'libos.signal.lost' AND value = 1 AND internal = 1
    and sent.extra = eaten.extra AND sent.signal = eaten.signal
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'app.handler.enter' AND extra = eaten.extra)
  `,
  "libos-heap-lock-self-deadlock": `
    locked: kind = 'lock' AND detail = 'slab_mgr_lock'
    upcall: kind = 'libos.upcall.enter'
    wants: kind = 'lock.busy' AND detail = 'slab_mgr_lock' AND extra = @thread
    end of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'unlock' AND value = locked.value AND seq > locked.seq)
  `,
  "nanosleep-remaining-wrong": `
    called: kind = 'app.call' AND label LIKE 'nanosleep%'
    woken: kind = 'thread.wake' AND value = 2
    told: kind = 'app.output' AND extra = 2
    and abs(told.value - (CAST(replace(substr(called.label, instr(called.label, '(') + 1), ', rem)', '') AS INTEGER) - (woken.time - called.time))) > 1000000
  `,
  "nested-pending-stuck-until-syscall": `
    deferred: kind = 'libos.signal.append'
    returned: kind = 'app.handler.return'
    end of any thread: 1
    handled: kind = 'app.handler.enter'
    and handled.extra = deferred.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'app.handler.enter' AND extra = deferred.extra AND seq BETWEEN deferred.seq AND returned.seq)
  `,
  "pal-errno-clobbered-by-handler": `
    raised: kind = 'pal.errno.set'
    clobbered: kind = 'pal.errno.set'
    read: kind = 'pal.errno.read'
    and raised.value <> clobbered.value AND read.extra = clobbered.value
    and EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.handler.enter' AND seq BETWEEN raised.seq AND clobbered.seq)
  `,
  "pause-never-returns": `
    called: kind = 'app.call' AND label LIKE 'pause%'
    handled: kind = 'app.handler.enter'
    asleep-again: kind = 'thread.block'
    answered: kind = 'app.return' AND value <> -4
  `,
  "pending-scan-no-rewind": `
    fetched: kind = 'libos.signal.fetch'
    came of any thread: kind = 'libos.signal.append' AND value = @thread
    over: kind = 'libos.signal.pending' AND value > 0
    and came.signal < fetched.signal
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'libos.signal.fetch' AND extra = came.extra AND seq < over.seq)
  `,
  "per-thread-dispositions": `
    asked of any thread: kind = 'libos.sigaction' AND value >= 1
    did: kind = 'libos.signal.deliver'
    and asked.thread <> did.thread AND asked.pid = did.pid AND asked.signal = did.signal
  `,
  "read-not-seen-as-syscall": `
    called: kind = 'libos.syscall.enter'
    handled: kind = 'app.handler.enter'
    overwritten: kind = 'libos.syscall.enter'
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('libos.syscall.exit', 'app.handler.return') AND seq BETWEEN called.seq AND overwritten.seq AND depth < called.depth)
  `,
  "rt-signal-never-flushed": `
    queued of any thread: kind = 'libos.signal.append' AND signal > 31 AND value = @thread
    passed: kind = 'app.return'
    and NOT EXISTS (SELECT 1 FROM r WHERE kind IN ('libos.signal.fetch', 'app.handler.enter') AND extra = queued.extra AND seq < passed.seq)
  `,
  "sa-mask-and-flags-ignored": `
    asked of any thread: kind = 'libos.sigaction'
    handled: kind = 'app.handler.enter'
    wrong: kind LIKE 'app.%'
    and asked.signal = handled.signal
  `,
  "setitimer-never-signals": `
    armed: kind = 'app.call' AND label LIKE 'setitimer%'
    no-signal of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.signal.append' AND signal = 14 AND seq BETWEEN armed.seq AND no_signal.seq)
  `,
  "siginfo-incomplete": `
    handled: kind = 'app.handler.enter'
    read: kind LIKE 'app.siginfo%'
  `,
  "sigkill-blockable": `
    blocked: kind = 'libos.mask' AND (value & 262400) <> 0
    kept of any thread: kind = 'libos.signal.append' AND signal IN (9, 19) AND value = @thread
  `,
  "signal-delayed-breaks-preempt-assert": `
    delayed: kind = 'libos.signal.delayed'
    assert: kind = 'libos.assert' AND value >= 2147483648
    and (assert.value & 2147483647) = assert.extra
  `,
  "signal-fanout-all-threads": `
    sent of any thread: kind IN ('libos.signal.append', 'libos.signal.decide')
    sent-too of any thread: kind IN ('libos.signal.append', 'libos.signal.decide')
    handled of any thread: kind IN ('app.handler.enter', 'libos.signal.kill')
    handled-too: kind IN ('app.handler.enter', 'libos.signal.kill')
    in any order
    and sent.signal = sent_too.signal AND handled.signal = sent.signal AND handled_too.signal = sent.signal
    and handled.thread <> handled_too.thread AND handled.pid = handled_too.pid
  `,
  "signal-log-cas-false-success": `
    put of any thread: kind = 'libos.signal.append'
    overwritten of any thread: kind = 'libos.signal.overwrite'
    and overwritten.value = put.extra
  `,
  "signal-log-full-drop": `
    queued: kind = 'libos.signal.append'
    queued-too: kind = 'libos.signal.append'
    again: kind = 'app.handler.enter'
    dropped: kind = 'libos.signal.drop'
    and queued.signal = queued_too.signal AND queued.extra <> queued_too.extra AND again.extra = queued_too.extra
  `,
  "sigsuspend-ignores-pending": `
    pending of any thread: kind = 'libos.signal.append' AND value = @thread
    called: kind = 'app.call' AND label LIKE 'sigsuspend%'
    asleep: kind = 'thread.block'
    awake: kind = 'thread.wake'
    end of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE kind IN ('libos.signal.fetch', 'app.handler.enter') AND extra = pending.extra AND seq BETWEEN pending.seq AND asleep.seq)
  `,
  "sigsuspend-sleeps-with-thread-lock": `
    locked of any thread: kind = 'lock'
    asleep of any thread: kind = 'thread.block'
    wants: kind = 'lock.busy'
    goes-on: kind = 'lock'
    end of any thread: 1
    and locked.thread = asleep.thread AND wants.value = locked.value AND wants.extra = locked.thread
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'unlock' AND value = locked.value AND seq BETWEEN locked.seq AND wants.seq)
  `,
  "spurious-yield-per-pending": `
    fetched: kind = 'libos.signal.fetch'
    done: kind IN ('app.handler.return', 'libos.signal.ignore', 'libos.sigframe', 'libos.signal.lost')
    asked: kind = 'pal.call.enter' AND label LIKE '%DkThreadYieldExecution%'
    yielded: kind = 'thread.yield'
    back: kind IN ('pal.call.leave', 'pal.call.abandon')
    and done.extra = fetched.extra AND done.signal = fetched.signal
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'libos.signal.fetch' AND seq > done.seq AND seq < yielded.seq)
  `,
  "sync-signal-deferred-livelock": `
    fault: kind = 'app.fault'
    deferred: kind = 'libos.signal.decide' AND value = 1
    fault-again: kind = 'app.fault'
    deferred-again: kind = 'libos.signal.decide' AND value = 1
    end of any thread: 1
    and fault.label = fault_again.label AND deferred.signal = fault.signal AND deferred_again.signal = fault.signal
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind IN ('app.handler.enter', 'app.call', 'app.return') AND seq BETWEEN fault.seq AND deferred_again.seq)
  `,
  "wakeup-lost-before-block": `
    called: kind = 'libos.syscall.enter'
    came of any thread: kind LIKE 'pal.event.%' OR kind LIKE 'libos.signal.%' OR kind LIKE 'host.signal.%'
    asleep: kind = 'thread.block'
    awake: kind = 'thread.wake'
    end of any thread: 1
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'libos.syscall.exit' AND seq BETWEEN called.seq AND asleep.seq)
  `,
  "exit-signal-race": `
    ends: kind = 'libos.syscall.enter'
    handled: kind = 'app.handler.enter'
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.return' AND depth < ends.depth AND seq BETWEEN ends.seq AND handled.seq)
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'thread.exit' AND seq < handled.seq)
  `,
  "futex-critical-section-killed": `
    asleep: kind = 'thread.block' AND flow LIKE '%futex-wait%'
    killed: kind = 'libos.signal.kill'
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.return' AND seq BETWEEN asleep.seq AND killed.seq)
  `,
  "internal-fault-on-user-pointer": `
    called: kind = 'libos.syscall.enter'
    touched: kind = 'app.fault'
    fault: kind = 'libos.fault'
  `,
  "kill-signal-zero-oob": `
    outside: kind = 'undefined.read' AND value = 3
  `,
  "resethand-with-ignore": `
    asked of any thread: kind = 'libos.sigaction' AND value <= 1
    ignored of any thread: kind = 'libos.signal.deliver'
    default: kind = 'libos.signal.deliver' AND value = 0
    and asked.signal = default.signal AND ignored.signal = default.signal AND ignored.extra <> default.extra
  `,
  "sa-resethand-consumed-on-append": `
    asked of any thread: kind = 'libos.sigaction' AND value >= 2
    queued of any thread: kind = 'libos.signal.append'
    default: kind = 'libos.signal.deliver' AND value = 0
    and asked.signal = queued.signal AND queued.extra = default.extra
  `,
  "sigchld-wakes-child-not-parent": `
    queued: kind = 'libos.signal.append'
    woken: kind = 'libos.wake'
    and queued.extra = woken.extra AND queued.value <> woken.value
  `,
  "handler-mask-not-set": `
    entered: kind = 'app.handler.enter'
    looked: kind = 'app.mask'
    and (CASE WHEN entered.signal <= 32 THEN looked.value >> (entered.signal - 1) ELSE looked.extra >> (entered.signal - 33) END) & 1 = 0
  `,
  "siginfo-differs": `
    cause of any thread: 1
    handled: kind = 'app.handler.enter'
    read: kind LIKE 'app.siginfo%'
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.handler.return' AND extra = handled.extra AND seq BETWEEN handled.seq AND read.seq)
  `,
  "tgkill-to-ended-thread": `
    ended of any thread: kind = 'thread.exit'
    queued: kind = 'libos.signal.append'
    answered: kind = 'app.return' AND value = 0
    and queued.value = ended.thread
  `,
  "sigpipe-not-raised": `
    called: kind = 'app.call'
    host: kind = 'host.syscall.exit' AND value = -32
    returned: kind = 'app.return'
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'libos.signal.append' AND signal = 13 AND seq BETWEEN called.seq AND returned.seq)
  `,
  "epoll-timeout-in-microseconds": `
    called: kind = 'app.call' AND label LIKE 'epoll%'
    over: kind = 'thread.wake' AND value = 1
    returned: kind = 'app.return' AND value = 0
  `,
  "host-sigcont-only-wakes": `
    asked of any thread: kind = 'libos.sigaction' AND signal = 18 AND value >= 2
    sent of any thread: kind = 'host.signal.generate' AND signal = 18
    resumed: kind = 'libos.upcall.enter'
    and sent.extra = resumed.extra
    and NOT EXISTS (SELECT 1 FROM r WHERE kind = 'app.handler.enter' AND extra = sent.extra AND signal = 18)
  `,
  "alarm-rounds-up": `
    set of any thread: kind IN ('app.call', 'app.return')
    told: kind = 'app.return' AND value > 0
  `,
  "wait4-children-of-thread": `
    forked of any thread: kind IN ('app.call', 'app.return', 'process.start')
    ended of any thread: kind = 'thread.exit'
    no-child: kind = 'app.return' AND value = -10
    thread: kind = 'app.return' AND value > 0
    in any order
    and thread.value IN (SELECT tid FROM thread)
  `,
  "exit-group-status-lost": `
    asked of any thread: kind = 'app.call' AND label LIKE 'exit%'
    over of any thread: kind = 'process.exit'
    and asked.pid = over.pid
  `,
  "sigsuspend-mask-back-too-early": `
    suspended: kind = 'libos.mask'
    sent of any thread: kind = 'libos.signal.append' AND value = @thread
    back: kind = 'libos.mask'
    answered: kind = 'app.return' AND value = -4
    and NOT EXISTS (SELECT 1 FROM r WHERE thread = @thread AND kind = 'app.handler.enter' AND seq BETWEEN suspended.seq AND answered.seq)
  `,
};
