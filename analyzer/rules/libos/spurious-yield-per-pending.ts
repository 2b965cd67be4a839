/** Reference 3.1 `spurious-yield-per-pending`; the scan is that of 2.12 (`__handle_signal`). */

import { type StackName, signalName } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";

type How = keyof typeof DONE;
/** What became of the signal before the yield. */
const DONE = {
  ran: "its handler has run",
  ignored: "it is ignored",
  framed: "a frame is built for its handler",
  lost: "it is dropped",
} as const;

interface Data {
  readonly signal: number;
  readonly how: How;
}
type Id = "fetched" | "done" | "asked" | "yielded" | "back";

/** How a signal out of the ring was dealt with. */
interface Done {
  readonly seq: number;
  readonly how: How;
}
/** A yield in a PAL call, after that. */
interface Yield extends Done {
  readonly fetched: number;
  readonly signal: number;
  readonly asked: number;
  readonly askedAt: number;
  readonly yielded: number;
  readonly yieldedAt: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const done = m.notesOnScopes<Done>();
  const yields = m.notesOnScopes<Yield>(palCallOver);

  /** The signal that `__handle_signal` works on, with no system call around what happens now. */
  function signalInScan(): number {
    const signal = m.open(SCOPE.FETCHED_SIGNAL);
    const syscall = m.open(SCOPE.SYSCALL);
    return signal !== NONE && syscall !== NONE && m.seqOf(syscall) > m.seqOf(signal) ? NONE : signal;
  }

  function dealtWith(how: How): void {
    const signal = signalInScan();
    if (signal !== NONE && m.extraOfRow(signal) === m.extra) done.set(signal, { seq: m.seq, how });
  }

  function yielded(): void {
    const signal = signalInScan();
    const call = m.open(SCOPE.PAL_CALL);
    if (signal === NONE || call === NONE) return;
    const before = done.get(signal);
    // Only a call made by the scan itself, after the signal.
    if (before === null || m.seqOf(call) < before.seq || m.depthOf(call) !== m.depthOf(signal) + 1) return;
    yields.set(call, {
      seq: before.seq,
      how: before.how,
      fetched: m.seqOf(signal),
      signal: m.signalOf(signal),
      asked: m.seqOf(call),
      askedAt: m.timeOf(call),
      yielded: m.seq,
      yieldedAt: m.time,
    });
    done.remove(signal);
  }

  function palCallOver({ seq, how, fetched, signal, asked, askedAt, yielded, yieldedAt }: Yield): void {
    if (m.how === HOW.DROPPED) return;
    const isBack = m.how === HOW.RETURNED || m.how === HOW.ABANDONED;
    found({
      thread: m.thread,
      costNs: (isBack ? m.time : yieldedAt) - askedAt,
      evidence: [
        { id: "fetched", seq: fetched },
        { id: "done", seq },
        { id: "asked", seq: asked },
        { id: "yielded", seq: yielded },
        ...(isBack ? [{ id: "back" as const, seq: m.seq }] : []),
      ],
      data: { signal, how },
    });
  }

  return {
    "app.handler.return": () => dealtWith("ran"),
    "libos.signal.ignore": () => dealtWith("ignored"),
    "libos.sigframe": () => dealtWith("framed"),
    "libos.signal.lost": () => dealtWith("lost"),
    "thread.yield": yielded,
  };
}

const GRAPHENE: readonly StackName[] = ["graphene-sgx", "graphene-linux"];
const FOUND = ["fetched", "done", "asked", "yielded", "back"] as const;
const afterThe = (signal: string) => ({ title: `a yield for nothing after the pending ${signal}`, evidence: FOUND });

/** A signal that is blocked while it comes is put into the ring; the scan at the end of sigprocmask takes it out. */
const outOfTheRing = (after: string, handler: string): string => `
  main:
    - sigaction: { signal: SIGUSR1, handler: on-usr1 }
    - sigprocmask: { how: block, signals: [SIGUSR1] }
    - tgkill: { thread: self, signal: SIGUSR1 }
    - sigprocmask: { how: unblock, signals: [SIGUSR1] }
    ${after}
  handlers:
    on-usr1:
      - ${handler}
`;

export const spuriousYieldPerPending = defineRule({
  id: "spurious-yield-per-pending",
  title: "the processor is given up after a pending signal, and nothing waits for it",
  severity: "low",
  layers: ["libos", "pal"],
  generations: ["graphene-2019"],
  what: "After each signal taken out of the pending ring and dealt with, __handle_signal calls DkThreadYieldExecution.",
  why:
    "Under SGX each yield is an ocall: an EEXIT and an EENTER for nothing, thousands of cycles per signal. On Linux the end of the PAL " +
    "call is a delivery point, so the yield drains further events while the preempt counter is not 0.",
  recognise:
    "The rule looks for a yield between such a signal and the next one of the same scan (or the scan's end), with no system call of the " +
    "application around it.",
  ignore: [
    {
      text: "sched_yield of the application, in a handler or elsewhere: a system call is around it",
      nearMiss: {
        name: "a handler out of the ring that yields",
        scenario: outOfTheRing("- yield", "yield"),
        stacks: GRAPHENE,
        fixes: ["spurious-yield-per-pending"],
        reaches: ["libos.signal.fetch", "app.handler.return", "thread.yield"],
      },
    },
    {
      text: "yields while a thread or process ends",
      nearMiss: {
        // The base revision does not yield there; later ones wait in a loop for other threads.
        name: "a yield after the signal that kills the thread",
        scenario: [
          { name: "libos.syscall.enter", depth: 5 },
          { name: "libos.signal.fetch", depth: 8, signal: 10, extra: 1 },
          { name: "libos.signal.kill", depth: 9, signal: 10, extra: 1 },
          { name: "pal.call.enter", depth: 9 },
          { name: "thread.yield", depth: 13 },
          { name: "pal.call.leave", depth: 8 },
          { name: "thread.exit", depth: 0 },
        ],
        reaches: ["libos.signal.fetch", "thread.yield"],
      },
    },
  ],
  remedy: "Do not yield (Graphene 50ca6c4a2, 2020-06-08).",
  fix: "spurious-yield-per-pending",
  cost: "the whole DkThreadYieldExecution: with SGX an ocall; on Linux also what the PAL drains at its end",
  source: "reference 3.1; flow of 2.12",
  run,
  report: {
    title: ({ signal }) => `a yield for nothing after the pending ${signalName(signal)}`,
    same: ({ signal }) => [signal],
    turn: ["asked"],
    captions: {
      fetched: ({ signal }) => `${signalName(signal)} is taken out of the pending ring`,
      done: ({ how }) => DONE[how],
      asked: () => "the LibOS asks the PAL for a yield",
      yielded: () => "the thread gives up the processor; nobody waits for that",
      back: () => "and goes on with its scan: nothing has changed",
    },
  },
  invalid: [
    {
      name: "two signals pending at the end of a system call",
      scenario: "spurious-yield",
      stacks: GRAPHENE,
      found: [afterThe("SIGUSR1"), afterThe("SIGUSR2")],
    },
    {
      name: "a signal that is ignored",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: ignore }
          - sigprocmask: { how: block, signals: [SIGUSR1] }
          - tgkill: { thread: self, signal: SIGUSR1 }
          - sigprocmask: { how: unblock, signals: [SIGUSR1] }
      `,
      stacks: GRAPHENE,
      found: [afterThe("SIGUSR1")],
    },
    {
      name: "the yield of the scan, not that of the handler",
      scenario: outOfTheRing("- getpid", "yield"),
      stacks: GRAPHENE,
      found: [afterThe("SIGUSR1")],
    },
  ],
});
