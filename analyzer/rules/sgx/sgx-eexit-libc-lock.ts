/** Reference 3.5 `sgx-eexit-libc-lock`; 2.3, the branches the page leaves out. */

import { signalName } from "../../../engine/index.ts";
import { NONE, only, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly waiter: string;
}
type Id = "locked" | "injected" | "busy";

interface Held {
  readonly seq: number;
  readonly thread: number;
  readonly pid: number;
  injected: number;
  signal: number;
  told: boolean;
}

const isLibc = (text: string): boolean => text === "libc";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By process: who has libc's lock outside the enclave. */
  const locks = new Map<number, Held>();

  function rewritten(): void {
    if (locks.size === 0) return;
    const held = locks.get(m.pid());
    if (held?.thread !== m.thread || held.injected !== NONE) return;
    held.injected = m.seq;
    held.signal = m.signal;
  }

  return {
    lock: only(isLibc, () => {
      const held = { seq: m.seq, thread: m.thread, pid: m.pid(), injected: NONE, signal: 0, told: false };
      if (m.value === NONE) locks.set(m.pid(), held);
    }),
    unlock: only(isLibc, () => m.value === NONE && locks.delete(m.pid())),
    "pal.event.inject": rewritten,
    "pal.event.overwrite": rewritten,
    "lock.busy": only(isLibc, () => {
      const held = m.value === NONE ? locks.get(m.pid()) : undefined;
      if (held === undefined || held.injected === NONE || held.told) return;
      held.told = true;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "locked", seq: held.seq },
          { id: "injected", seq: held.injected },
          { id: "busy", seq: m.seq },
        ],
        data: { signal: held.signal, waiter: m.nameOf() },
      });
    }),
    "process.exit": () => void locks.delete(m.pid()),
  };
}

const clones = (site: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - clone: b
    - clone: c
    - nanosleep: 5ms
  programs:
    b:
      - compute: 1us
    c:
      - compute: 1us
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, site: "${site}", nth: 2 } }
`;

export const sgxEexitLibcLock = defineRule({
  id: "sgx-eexit-libc-lock",
  title: "libc's lock outside the enclave stays held: a signal has taken the thread away from it",
  severity: "medium",
  layers: ["untrusted-pal"],
  generations: ["graphene-2019"],
  what:
    "The untrusted PAL makes threads by pthread_create, which holds a lock of libc. A signal in it rewrites RIP to enter the enclave: libc's code never " +
    "goes on, and its lock is never released.",
  why: "The next thread that is made, or whatever else of libc wants the lock, waits for ever outside the enclave.",
  recognise:
    "The rule looks for libc's lock being taken, registers that are rewritten before its release, and somebody who then finds it taken.",
  ignore: [
    {
      text: "the signal comes when the lock is released",
      nearMiss: {
        name: "a signal behind pthread_create",
        scenario: clones("ocall_wake_thread: clone_thread(): return"),
        stacks: SGX,
        reaches: ["pal.event.inject", "ocall_wake_thread: pthread_create(): release libc's lock"],
      },
    },
  ],
  remedy: "The event waits for the end of the ocall, which is made by a stub and not by libc (Gramine dcbb110ac, 2021-08-06).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.5; 2.3",
  run,
  report: {
    title: ({ signal, waiter }) =>
      `thread ${waiter} waits for libc's lock outside the enclave: ${signalName(signal)} has taken its holder away`,
    same: ({ signal, waiter }) => [signal, waiter],
    turn: ["injected"],
    captions: {
      locked: () => "pthread_create of the untrusted PAL takes libc's lock",
      injected: ({ signal }) => `${signalName(signal)} rewrites RIP, so libc's code never goes on`,
      busy: ({ waiter }) => `thread ${waiter} wants the lock, and waits`,
    },
  },
  invalid: [
    {
      name: "a signal in pthread_create, and another clone",
      scenario: clones("ocall_wake_thread: pthread_create(): INLINE_SYSCALL(clone)"),
      stacks: SGX,
      found: [
        {
          title: "thread main waits for libc's lock outside the enclave: SIGINT has taken its holder away",
          evidence: ["locked", "injected", "busy"],
        },
      ],
    },
  ],
});
