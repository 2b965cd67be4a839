/** A thread makes the same steps again and again, without sleep, and the application sees nothing of it. */

import { EVENT } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, LINUX_PAL, timeText } from "../common.ts";

/** So many PAL calls in a row, the longest way of a correct call has some hundred; or so many upcalls and faults. */
const MANY_CALLS = 1000;
const MANY_EVENTS = 64;

interface Data {
  readonly call: string;
  readonly rounds: number;
  readonly lasted: number;
  readonly over: boolean;
}
type Id = "begins" | "many" | "over" | "end";

interface Stretch {
  begin: number;
  beginTime: number;
  calls: number;
  events: number;
  many: number;
  call: string;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const stretches = m.notesOnThreads<Stretch>();

  function step(isEvent: boolean): void {
    let now = stretches.get(m.slot);
    if (now === null) {
      now = { begin: 0, beginTime: 0, calls: 0, events: 0, many: NONE, call: "" };
      stretches.set(m.slot, now);
    }
    if (now.calls === 0 && now.events === 0) {
      now.begin = m.seq;
      now.beginTime = m.time;
    }
    if (isEvent) now.events += 1;
    else now.calls += 1;
    if (now.many !== NONE || (now.calls < MANY_CALLS && now.events < MANY_EVENTS)) return;
    now.many = m.seq;
    now.call = callOf(m);
  }

  function progress(): void {
    const now = stretches.get(m.slot);
    if (now === null) return;
    if (now.many !== NONE) told(now, m.thread, true);
    now.calls = 0;
    now.events = 0;
    now.many = NONE;
  }

  function told(now: Stretch, thread: number, over: boolean): void {
    const lasted = m.time - now.beginTime;
    found({
      thread,
      costNs: lasted,
      evidence: [
        { id: "begins", seq: now.begin },
        { id: "many", seq: now.many },
        { id: over ? "over" : "end", seq: m.seq },
      ],
      data: { call: now.call, rounds: now.calls + now.events, lasted, over },
    });
  }

  return {
    "pal.call.enter": () => step(false),
    // FAILURE tells of an error only.
    "libos.upcall.enter": () => {
      if (m.value !== EVENT.FAILURE) step(true);
    },
    "app.fault": () => step(true),
    "app.call": progress,
    "app.return": progress,
    "app.handler.enter": progress,
    "thread.block": progress,
    "thread.exit": progress,
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) {
        const now = stretches.get(slot);
        if (now !== null && now.many !== NONE) told(now, thread, false);
      }
    },
  };
}

export const livelock = defineRule({
  id: "livelock",
  title: "a thread runs in a circle inside the library OS",
  severity: "high",
  layers: ["libos", "pal"],
  generations: ["any"],
  what: "A thread makes a thousand PAL calls, or takes 64 events or faults, without a sleep and without one step of the application.",
  why: "A processor is at 100 % and the program stands still. Under SGX each round may cost enclave exits.",
  recognise: "The rule counts PAL calls, upcalls and faults of a thread since its last call, return, handler or sleep.",
  ignore: [
    {
      text: "the application itself loops: its calls and handlers are progress",
      nearMiss: {
        name: "a handler that does not mend the fault: on Linux it loops as well",
        scenario: `
          main:
            - sigaction: { signal: SIGFPE, handler: on-fpe }
            - fault: divide
          handlers:
            on-fpe:
              - getpid
          limit: { time: 20ms }
        `,
        stacks: ["native-linux", ...LINUX_PAL],
        reaches: ["app.fault", "app.handler.enter"],
      },
    },
  ],
  remedy: "Kill the process on a fault that cannot be delivered; sleep where something must come from outside.",
  fix: null,
  cost: "how long it lasted",
  source: "reference 3.2 (sync-signal-deferred-livelock), 3.5 (internal-fault-on-user-pointer)",
  run,
  report: {
    title: ({ call, rounds, lasted, over }) =>
      `${rounds.toLocaleString("en")} PAL calls, upcalls and faults in a row${call === "" ? "" : ` in ${call}`} without progress: ${timeText(lasted)}${over ? "" : ", to the end of the trace"}`,
    same: ({ call }) => [call],
    turn: ["many"],
    captions: {
      begins: () => "the last step before was the application's",
      many: () => "very many steps later nothing has changed for the application",
      over: () => "it goes on again",
      end: () => "it goes round still when the trace ends",
    },
  },
  invalid: [
    {
      name: "a bad pointer that the LibOS probes inside the enclave",
      scenario: "bad-pointer",
      stacks: ["graphene-sgx"],
      found: [
        {
          title: "305 PAL calls, upcalls and faults in a row in probe(false) without progress: 893 us, to the end of the trace",
          evidence: ["begins", "many", "end"],
        },
      ],
    },
  ],
});
