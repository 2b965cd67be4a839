/** Reference 3.1 `spurious-yield-per-pending`; the scan is that of 2.12 (`__handle_signal`). */

import { KIND, signalName } from "../../engine/index.ts";
import { type Entry, type Nesting, nesting } from "../nesting.ts";
import { type PerThread, perThread } from "../per-thread.ts";
import type { Names, Report, Rule, RuleState } from "../rule.ts";

const NONE = -1;

/** A system call, or a signal out of the ring that `__handle_signal` works on: its depth is that of the scan. */
interface Scope extends Entry {
  /** 0 = a system call. */
  signal: number;
  id: number;
  fetched: number;
  /** Its handler returned, or it was ignored. */
  done: number;
  ignored: boolean;
  /** The PAL call the scan makes after that. */
  asked: number;
  askedAt: number;
  yielded: number;
  yieldedAt: number;
}

const fresh = (): Scope => ({
  depth: 0,
  signal: 0,
  id: 0,
  fetched: NONE,
  done: NONE,
  ignored: false,
  asked: NONE,
  askedAt: 0,
  yielded: NONE,
  yieldedAt: 0,
});

export const spuriousYieldPerPending: Rule = {
  id: "spurious-yield-per-pending",
  title: "the processor is given up after a pending signal, and nothing waits for it",
  severity: "low",
  layers: ["libos", "pal"],
  what:
    "After each signal taken out of the pending ring and dealt with, __handle_signal calls DkThreadYieldExecution. The rule looks for a " +
    "yield between such a signal and the next one of the same scan (or the scan's end), with no system call of the application around it.",
  why:
    "Under SGX each yield is an ocall: an EEXIT and an EENTER for nothing, thousands of cycles per signal. On Linux the end of the PAL " +
    "call is a delivery point, so the yield drains further events while the preempt counter is not 0.",
  mend: "Do not yield (Graphene 50ca6c4a2, 2020-06-08).",
  fix: "spurious-yield-per-pending",
  not: ["sched_yield of the application, in a handler or elsewhere: a system call is around it", "yields while a thread or process ends"],
  cost: "the whole DkThreadYieldExecution: with SGX an ocall; on Linux also what the PAL drains at its end",
  source: "reference 3.1; flow of 2.12",
  example: "spurious-yield",
  kinds: [
    "libos.signal.fetch",
    "libos.signal.ignore",
    "libos.syscall.enter",
    "libos.syscall.exit",
    "app.handler.return",
    "thread.yield",
    "pal.call.enter",
    "pal.call.leave",
    "pal.call.abandon",
    "thread.exit",
  ],
  start,
};

function start(_names: Names, report: (found: Report) => void): RuleState {
  const threads: PerThread<Nesting<Scope>> = perThread(() => nesting(fresh));

  /** `back` is the row that ends the PAL call, null when the trace or the thread ends first. */
  const tell = (thread: number, scope: Scope, back: number | null, at: number): void => {
    const evidence = [
      { seq: scope.fetched, caption: `${signalName(scope.signal)} is taken out of the pending ring` },
      { seq: scope.done, caption: scope.ignored ? "it is ignored" : "its handler has run" },
      { seq: scope.asked, caption: "the LibOS asks the PAL for a yield" },
      { seq: scope.yielded, caption: "the thread gives up the processor; nobody waits for that" },
    ];
    if (back !== null) evidence.push({ seq: back, caption: "and goes on with its scan: nothing has changed" });
    report({
      title: `a yield for nothing after the pending ${signalName(scope.signal)}`,
      thread,
      costNs: at - scope.askedAt,
      evidence,
      same: [scope.signal],
    });
    scope.asked = NONE;
    scope.yielded = NONE;
    scope.done = NONE;
  };

  const tellOpen = (thread: number, scopes: Nesting<Scope>): void =>
    scopes.each((scope) => {
      if (scope.signal > 0 && scope.yielded !== NONE) tell(thread, scope, null, scope.yieldedAt);
    });

  return {
    take(block, row) {
      const kind = block.kind[row] as number;
      const seq = block.seq0 + row;
      const thread = block.thread[row] as number;
      const depth = block.depth[row] as number;
      const scopes = threads.of(thread);
      if (kind === KIND["thread.exit"]) {
        tellOpen(thread, scopes);
        return threads.drop(thread);
      }
      if (kind === KIND["libos.syscall.enter"]) {
        scopes.enter(depth).signal = 0;
        return;
      }
      if (kind === KIND["libos.signal.fetch"]) {
        const scope = scopes.enter(depth);
        scope.signal = block.signal[row] as number;
        scope.id = block.extra[row] as number;
        scope.fetched = seq;
        scope.done = NONE;
        scope.asked = NONE;
        scope.yielded = NONE;
        return;
      }
      // A scan on the untrusted stack loses its frames to the ocall (3.4 sgx-rsp-window): the depth of a yield says nothing.
      if (kind !== KIND["thread.yield"]) scopes.backTo(depth);
      const scope = scopes.top();
      if (scope === null || scope.signal === 0) return;
      switch (kind) {
        case KIND["libos.signal.ignore"]:
        case KIND["app.handler.return"]:
          if (scope.id !== block.extra[row]) return;
          scope.done = seq;
          scope.ignored = kind === KIND["libos.signal.ignore"];
          return;
        case KIND["pal.call.enter"]:
          // Only a call made by the scan itself.
          if (scope.done === NONE || depth !== scope.depth + 1) return;
          scope.asked = seq;
          scope.askedAt = block.time[row] as number;
          return;
        case KIND["thread.yield"]:
          if (scope.asked === NONE) return;
          scope.yielded = seq;
          scope.yieldedAt = block.time[row] as number;
          return;
        case KIND["pal.call.leave"]:
        case KIND["pal.call.abandon"]:
          if (depth !== scope.depth) return;
          if (scope.yielded !== NONE) tell(thread, scope, seq, block.time[row] as number);
          scope.asked = NONE;
          return;
      }
    },
    finish() {
      threads.each(tellOpen);
    },
  };
}
