/** Reference 3.4 `sgx-wakeup-ocall-abandoned`; mode frame of 2.6. */

import { signalName } from "../../../engine/index.ts";
import { HOW, NONE, only, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { hostCalls, palCallName, SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
  readonly waiter: string;
}
type Id = "call" | "injected" | "abandoned" | "waits";

interface Abandoned {
  readonly call: number;
  readonly name: string;
  readonly injected: number;
  readonly signal: number;
  readonly seq: number;
  readonly thread: number;
  readonly pid: number;
}

/** Calls that change a word, and then wake who waits for it. */
const WAKES = /DkEventSet|DkMutexRelease/;
/** More than so many at a time: the first tell enough. */
const MOST = 64;

const isWake = hostCalls("futex-wake");
const isWait = hostCalls("futex-wait", "futex-wait-0");

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const abandoned: Abandoned[] = [];
  /** PAL calls whose wake-up was made. */
  const woken = m.notesOnScopes<true>();

  function callOver(): void {
    if (m.how !== HOW.ABANDONED || woken.get(m.closed) !== null || abandoned.length >= MOST) return;
    const [name, event] = [m.labelOf(m.closed), m.interruptionOf(m.closed)];
    if (event === null) return;
    const call = { call: m.seqOf(m.closed), name: palCallName(name), injected: event.injected, signal: event.signal };
    abandoned.push({ ...call, seq: m.seq, thread: m.thread, pid: m.pid() });
  }
  /** A thread of the process that has waited for a futex since before, and always will. */
  function waiter(one: Abandoned): readonly [thread: number, seq: number] | null {
    for (const [thread, slot] of m.liveThreads()) {
      const [asleep, host] = [m.asleepSince(slot), m.open(SCOPE.HOST_CALL, slot)];
      if (m.pid(thread) !== one.pid || asleep === NONE || asleep > one.seq || host === NONE || m.isInternal(thread)) continue;
      if (m.awaitedObject(slot) !== NONE && isWait(m.flowOf(host))) return [thread, asleep];
    }
    return null;
  }

  return {
    "host-call.end": only(
      (_, flow) => isWake(flow),
      () => {
        const call = m.open(SCOPE.PAL_CALL);
        if (call !== NONE && m.how === HOW.RETURNED) woken.set(call, true);
      },
    ),
    "pal-call.end": only((label) => WAKES.test(label), callOver),
    "trace.end"() {
      if (!m.isOver) return;
      for (const one of abandoned) {
        const waits = waiter(one);
        if (waits === null) continue;
        found({
          thread: one.thread,
          costNs: 0,
          evidence: [
            { id: "waits", seq: waits[1] },
            { id: "call", seq: one.call },
            { id: "injected", seq: one.injected },
            { id: "abandoned", seq: one.seq },
          ],
          data: { signal: one.signal, call: one.name, waiter: m.nameOf(waits[0]) },
        });
      }
    },
  };
}

const wake = (timeout: string, place: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - clone: waiter
    - nanosleep: 2ms
    - futex-wake: { on: word }
    - futex-wait: { on: end }
  programs:
    waiter:
      - futex-wait: { on: word${timeout} }
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, site: "${place}", nth: 4 } }
`;

export const sgxWakeupOcallAbandoned = defineRule({
  id: "sgx-wakeup-ocall-abandoned",
  title: "a thread is never woken: the ocall that should do it was cut short",
  severity: "high",
  layers: ["pal", "libos"],
  generations: ["graphene-2019"],
  what:
    "DkEventSet and the release of a mutex change a word in the enclave and then ask the host to wake who sleeps on it. A signal before the host's call " +
    "makes it never happen, and DkExceptionReturn abandons the PAL call: the word is changed, so whoever sets it again sees nothing to do.",
  why: "A thread in a futex wait, in sigsuspend or for a lock sleeps for ever. The counter of waiters and the untrusted stack are wrong from then on.",
  recognise:
    "The rule looks for such a PAL call that is abandoned before the host's futex call, and for another thread of the process that has waited for a " +
    "futex since before and still does when nobody is left who could wake it.",
  ignore: [
    {
      text: "the waiter is rescued: by another wake, or by its time-out",
      nearMiss: {
        name: "a wait with a time-out",
        scenario: wake(", timeout: 20ms", "ocall_futex: take the arguments"),
        stacks: SGX,
        reaches: ["pal.event.inject", "pal.call.abandon", "thread.wake"],
      },
    },
    {
      text: "the host has made the call: its result is lost, the thread is awake",
      nearMiss: {
        name: "a signal behind the wake",
        scenario: wake("", "ocall_futex: unix_to_pal_error(result)"),
        stacks: SGX,
        reaches: ["pal.event.inject", "pal.call.abandon", "host.syscall.exit"],
      },
    },
  ],
  remedy:
    "No PAL call is abandoned (Graphene 021934926, 2020-01-28), and ocalls that cannot be interrupted are made again (1df560ee2, 2020-12-28).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.6",
  run,
  report: {
    title: ({ signal, call, waiter }) => `thread ${waiter} is never woken: ${signalName(signal)} has cut ${call} short`,
    same: ({ signal, call, waiter }) => [signal, call, waiter],
    turn: ["abandoned"],
    captions: {
      waits: ({ waiter }) => `thread ${waiter} waits for a futex; it never wakes`,
      call: ({ call }) => `another thread calls ${call}: the word is changed`,
      injected: ({ signal }) => `${signalName(signal)} comes before the host is asked to wake anybody`,
      abandoned: ({ call }) => `${call} is abandoned, and nobody makes the call again`,
    },
  },
  invalid: [
    {
      name: "a signal on the way to the wake of a futex",
      scenario: wake("", "ocall_futex: take the arguments"),
      stacks: SGX,
      found: [
        { title: "thread waiter is never woken: SIGINT has cut DkEventSet short", evidence: ["waits", "call", "injected", "abandoned"] },
      ],
    },
  ],
});
