/** Reference 3.4 `sgx-untrusted-fault-kills-thread-only`; 2.5. */

import { isSyncEvent, signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly name: string;
  readonly waiter: string;
}
type Id = "fault" | "printed" | "end" | "waits";

interface Death {
  readonly fault: number;
  readonly printed: number;
  readonly signal: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By thread: a fault in untrusted code that the enclave is not told of. */
  const faults = m.notesOnThreads<Death>();
  const refused = m.notesOnThreads<true>();
  /** Threads that are gone; few, as each is a bug. */
  const dead: (Death & { readonly end: number; readonly thread: number; readonly pid: number; readonly name: string })[] = [];

  function report(pid: number, sleeper: readonly [thread: number, seq: number] | null, one: (typeof dead)[number]): void {
    if (one.pid !== pid) return;
    const waits = sleeper === null ? [] : [{ id: "waits" as const, seq: sleeper[1] }];
    found({
      thread: one.thread,
      costNs: 0,
      evidence: [{ id: "fault", seq: one.fault }, { id: "printed", seq: one.printed }, { id: "end", seq: one.end }, ...waits],
      data: { signal: one.signal, name: one.name, waiter: sleeper === null ? "" : m.nameOf(sleeper[0]) },
    });
  }
  /** A thread of the application that sleeps for ever. */
  function sleeperOf(pid: number): readonly [thread: number, seq: number] | null {
    if (!m.isOver) return null;
    for (const [thread, slot] of m.liveThreads())
      if (m.pid(thread) === pid && !m.isInternal(thread) && m.asleepSince(slot) !== NONE) return [thread, m.asleepSince(slot)];
    return null;
  }

  return {
    // What an enclave instruction refused has rules of its own.
    "sgx.fault": () => refused.set(m.slot, true),
    "sgx.eenter": refused.whileAny(() => refused.remove(m.slot)),
    "pal.event.lost"() {
      const frame = m.open(SCOPE.HOST_FRAME);
      if (!isSyncEvent(m.value) || m.layerHere() !== "untrusted-pal" || frame === NONE || refused.get(m.slot) !== null) return;
      faults.set(m.slot, { fault: m.seqOf(frame), printed: m.seq, signal: m.signal });
    },
    // The process ends with it, so nobody waits.
    "process.exit": () => faults.remove(m.slot),
    "thread.exit"() {
      const fault = faults.get(m.slot);
      if (fault !== null && m.value === 2) dead.push({ ...fault, end: m.seq, thread: m.thread, pid: m.pid(), name: m.nameOf() });
    },
    "trace.end"() {
      for (const one of dead) report(one.pid, sleeperOf(one.pid), one);
    },
  };
}

const READER = (site: string): string => `
  main:
    - clone: reader
    - nanosleep: 20ms
  programs:
    reader:
      - read: { takes: 5ms, result: 1 }
  signals:
    - { signal: SIGSEGV, thread: reader, when: { thread: reader, ${site} } }
`;

export const sgxUntrustedFaultKillsThreadOnly = defineRule({
  id: "sgx-untrusted-fault-kills-thread-only",
  title: "a fault in untrusted code ends one thread, and the enclave is not told",
  severity: "high",
  layers: ["untrusted-pal"],
  generations: ["graphene-2019"],
  what:
    'A fault that finds RIP outside the enclave prints "... in Untrusted Code" and calls exit for this thread. The LibOS believes it to be alive: its ' +
    "locks stay held, its exit event is never set.",
  why: "The process hangs instead of ending with a core: pthread_join, wait4 and every lock of the thread wait for ever.",
  recognise:
    "The rule looks for such a fault, the end of the thread, and a process that goes on; a thread that then sleeps for ever is shown.",
  ignore: [
    {
      text: "the fault is in the enclave: the LibOS is told",
      nearMiss: {
        name: "a bad pointer of the application",
        scenario: "memory-fault",
        stacks: SGX,
        reaches: ["app.fault", "sgx.aex", "app.handler.enter"],
      },
    },
  ],
  remedy: "exit_group in place of exit (Graphene 287762501, 2021-01-15).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.5",
  run,
  report: {
    title: ({ signal, name, waiter }) =>
      `${signalName(signal)} in untrusted code ends thread ${name} only${waiter === "" ? "" : `, and thread ${waiter} waits for ever`}`,
    same: ({ signal, name }) => [signal, name],
    turn: ["end"],
    captions: {
      fault: ({ signal }) => `${signalName(signal)} finds the thread outside the enclave`,
      printed: () => "the handler prints a line, and does not enter the enclave",
      end: () => "exit ends this thread; the LibOS takes it for alive",
      waits: ({ waiter }) => `thread ${waiter} sleeps, and nobody is left who would wake it`,
    },
  },
  invalid: [
    {
      name: "a fault in an ocall",
      scenario: READER('site: "ocall_sock_recv: take the arguments"'),
      stacks: SGX,
      found: [{ title: "SIGSEGV in untrusted code ends thread reader only", evidence: ["fault", "printed", "end"] }],
    },
  ],
});
