/** Reference 3.4 `sgx-host-mask-leak`: what an abandoned host handler leaves behind. */

import { SIG, signalName } from "../../../engine/index.ts";
import { HOW, MASK, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly by: number;
  readonly unheard: boolean;
}
type Id = "first" | "second" | "injected" | "entered" | "gone" | "unheard";

interface Leak {
  readonly first: number;
  readonly signal: number;
  readonly second: number;
  readonly by: number;
  readonly injected: number;
  entered: number;
  gone: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On the frame below: the signal whose handler rewrote the registers on top of it. */
  const abandoned = m.notesOnScopes<Leak>(frameOver);
  const leaks = m.notesOnThreads<Leak>();

  function injected(): void {
    const top = m.open(SCOPE.HOST_FRAME);
    const below = m.around(top);
    if (below === NONE) return;
    const first = { first: m.seqOf(below), signal: m.signalOf(below) };
    abandoned.set(below, { ...first, second: m.seqOf(top), by: m.signalOf(top), injected: m.seq, entered: NONE, gone: NONE });
  }
  /** A frame that is gone without rt_sigreturn, and whose signals are blocked still. */
  function frameOver(leak: Leak): void {
    if (m.how !== HOW.DROPPED || leak.entered === NONE || m.isBlocked(MASK.HOST, SIG.CONT) !== true) return;
    leak.gone = m.seq;
    leaks.set(m.slot, leak);
  }
  function report(slot: number, thread: number, unheard: number): void {
    const leak = leaks.get(slot);
    if (leak === null) return;
    leaks.remove(slot);
    found({
      thread,
      costNs: 0,
      evidence: [
        { id: "first", seq: leak.first },
        { id: "second", seq: leak.second },
        { id: "injected", seq: leak.injected },
        { id: "entered", seq: leak.entered },
        { id: "gone", seq: leak.gone },
        ...(unheard === NONE ? [] : [{ id: "unheard" as const, seq: unheard }]),
      ],
      data: { signal: leak.signal, by: leak.by, unheard: unheard !== NONE },
    });
  }

  return {
    "pal.event.inject": injected,
    "pal.event.overwrite": injected,
    "sgx.eenter": abandoned.whileAny(() => {
      const leak = m.value === 0 ? abandoned.get(m.open(SCOPE.HOST_FRAME)) : null;
      if (leak?.entered === NONE) leak.entered = m.seq;
    }),
    "host.signal.generate"() {
      const slot = m.slotOf(m.value);
      const leak = leaks.get(slot);
      if (leak !== null && m.isBlocked(MASK.HOST, m.signal, slot) === true) report(slot, m.value, m.seq);
    },
    "thread.exit": () => report(m.slot, m.thread, NONE),
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) report(slot, thread, NONE);
    },
  };
}

const blockedBy = (signal: number): string => (signal === SIG.CONT ? "SIGCONT stays" : `SIGCONT and ${signalName(signal)} stay`);

const both = (more: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: on-int }
    - sigaction: { signal: SIGTERM, handler: on-term }
    - sigaction: { signal: SIGUSR1, handler: on-usr1 }
    - clone: sender
    - read: { from: pipe, bytes: 8 }
    - compute: 4ms
    - getpid
  programs:
    sender:
      - nanosleep: 3ms
      - tgkill: { thread: main, signal: SIGUSR1 }
      - nanosleep: 5ms
  handlers:
    on-int:
      - compute: 1us
    on-term:
      - compute: 1us
    on-usr1:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { at: 1ms } }
    - { signal: SIGTERM, thread: main, when: { at: ${more} } }
`;

export const sgxHostMaskLeak = defineRule({
  id: "sgx-host-mask-leak",
  title: "the mask of an abandoned host handler stays: SIGCONT is blocked from then on",
  severity: "high",
  layers: ["untrusted-pal", "host"],
  generations: ["graphene-2019"],
  what:
    "A second signal interrupts the host handler of the first, and its handler rewrites the registers to enter the enclave. The first handler " +
    "never goes on: the rt_sigreturn of its frame is never made, so its signal and SIGCONT stay blocked in the host.",
  why:
    "DkThreadResume wakes a thread by SIGCONT. From then on it wakes this one no more: a kill or tgkill of another thread is handled only at " +
    "the next system call, and a call that waits is not interrupted. Another Ctrl-C does nothing.",
  recognise:
    "The rule looks for registers that are rewritten on top of another signal frame, the EENTER after that, and a frame below that is gone without " +
    "rt_sigreturn while the host's mask blocks SIGCONT. The first signal that comes to the thread and is blocked is shown, too.",
  ignore: [
    {
      text: "the handlers run one after the other: each has its rt_sigreturn",
      nearMiss: {
        name: "SIGTERM comes a millisecond later",
        scenario: both("2ms"),
        stacks: SGX,
        reaches: ["pal.event.inject", "host.sigreturn", "sgx.eenter"],
      },
    },
  ],
  remedy: "No handler runs inside another: the mask of all has SIGTERM, SIGINT and SIGCONT (Graphene 5b3b69332, 2019-05-03).",
  fix: "sgx-nested-host-signal",
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4 and 2.3",
  run,
  report: {
    title: ({ signal, by }) => `${blockedBy(signal)} blocked in the host: ${signalName(by)} has cut the handler short`,
    same: ({ signal, by }) => [signal, by],
    turn: ["injected"],
    captions: {
      first: ({ signal }) => `the host pushes a frame for ${signalName(signal)}: its handler blocks SIGCONT, too`,
      second: ({ by }) => `and one for ${signalName(by)} on top of it`,
      injected: () => "the second handler rewrites the registers below it, which are those of the first handler",
      entered: () => "the enclave is entered from inside the first handler",
      gone: ({ signal }) => `the frame of ${signalName(signal)} is gone without rt_sigreturn: what it blocked stays blocked`,
      unheard: () => "a signal for this thread: the host's mask blocks it",
    },
  },
  invalid: [
    {
      name: "a wake-up that is not heard",
      scenario: both("1ms"),
      stacks: SGX,
      found: [
        {
          title: "SIGCONT and SIGINT stay blocked in the host: SIGTERM has cut the handler short",
          evidence: ["first", "second", "injected", "entered", "gone", "unheard"],
        },
      ],
    },
  ],
});
