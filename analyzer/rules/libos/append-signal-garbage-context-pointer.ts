/** Reference 3.2 `append-signal-garbage-context-pointer`. */

import { signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { createRing, GRAPHENE } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly dead: boolean;
}
type Id = "queued" | "fetched" | "written";

/** `value` of undefined.read. */
const FREED = 1;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const queued = createRing();
  return {
    "libos.signal.append": () => queued.set(m.extra, m.seq),
    "undefined.read"() {
      if (!m.text().startsWith("signal.pal_context: ")) return;
      const put = queued.get(m.extra);
      const fetch = m.open(SCOPE.FETCHED_SIGNAL);
      const signal = fetch === NONE ? m.signal : m.signalOf(fetch);
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          ...(put === NONE ? [] : [{ id: "queued" as const, seq: put }]),
          ...(fetch === NONE ? [] : [{ id: "fetched" as const, seq: m.seqOf(fetch) }]),
          { id: "written", seq: m.seq },
        ],
        data: { signal, dead: m.value === FREED },
      });
    },
  };
}

export const appendSignalGarbageContextPointer = defineRule({
  id: "append-signal-garbage-context-pointer",
  title: "after the handler of a queued signal registers are written through a pointer that nobody has set",
  severity: "critical",
  layers: ["libos"],
  generations: ["graphene-2019"],
  what:
    "append_signal copies the siginfo into a new block and leaves pal_context as the memory was. When the handler is over the registers are copied to " +
    "where it points, unless it is NULL. A signal that was put off in an upcall keeps a pointer to the stack of that upcall, which is over by then.",
  why:
    "Memory of the LibOS or the application is overwritten with registers: anything can follow, and far from the cause. It happens to work as long as " +
    "the block comes from fresh memory, which is zero.",
  recognise:
    "The rule looks for the use of pal_context of a queued signal after its handler, when the field was never written or its upcall is over. The " +
    "emulation goes on as if nothing had been written.",
  ignore: [
    {
      text: "SIGALRM of alarm() has no siginfo, and its block is cleared: NULL",
      nearMiss: {
        name: "alarm",
        scenario: "alarm",
        stacks: GRAPHENE,
        reaches: ["libos.signal.append", "libos.signal.fetch", "app.handler.return"],
      },
    },
    {
      text: "a signal to itself is not queued",
      nearMiss: {
        name: "tgkill to itself",
        scenario: `
          main:
            - sigaction: { signal: SIGUSR1, handler: on-usr1 }
            - tgkill: { thread: self, signal: SIGUSR1 }
          handlers:
            on-usr1:
              - compute: 1us
        `,
        stacks: GRAPHENE,
        reaches: ["app.handler.return"],
      },
    },
  ],
  remedy: "Clear the block (Graphene 5b4c15b59, 2020-06-29).",
  fix: null,
  isLatent: true,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.2 and 2.15",
  run,
  report: {
    title: ({ signal, dead }) =>
      dead
        ? `after the handler of ${signalName(signal)} registers are written to the stack of an upcall that is over`
        : `after the handler of ${signalName(signal)} registers are written through a pointer that was never set`,
    same: ({ signal, dead }) => [signal, dead ? 1 : 0],
    turn: ["written"],
    captions: {
      queued: ({ signal, dead }) =>
        dead
          ? `${signalName(signal)} is put off, with a pointer to the upcall's stack`
          : `${signalName(signal)} is queued: pal_context is not written`,
      fetched: () => "it is taken out of the ring, and its handler runs",
      written: () => "pal_context is used",
    },
  },
  invalid: [
    {
      name: "SIGUSR1 of another thread",
      scenario: `
        main:
          - sigaction: { signal: SIGUSR1, handler: on-usr1 }
          - clone: sender
          - nanosleep: 5ms
        programs:
          sender:
            - nanosleep: 1ms
            - tgkill: { thread: main, signal: SIGUSR1 }
        handlers:
          on-usr1:
            - compute: 1us
      `,
      stacks: GRAPHENE,
      found: [
        {
          title: "after the handler of SIGUSR1 registers are written through a pointer that was never set",
          evidence: ["queued", "fetched", "written"],
        },
      ],
    },
  ],
});
