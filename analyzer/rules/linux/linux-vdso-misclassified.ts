/** Reference 3.3 `linux-vdso-misclassified`; the region test of 1.1, step 4 of 2.8. */

import { EVENT, signalName } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { ALL_LINUX_PAL, palCallName } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly call: string;
}
type Id = "call" | "interrupted" | "upcall";

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  return {
    "libos.upcall.enter"() {
      const [call, frame, upcall] = [m.open(SCOPE.PAL_CALL), m.open(SCOPE.HOST_FRAME), m.open(SCOPE.UPCALL)];
      if (m.value === EVENT.FAILURE || call === NONE || frame === NONE || m.seqOf(frame) < m.seqOf(call)) return;
      // Between the PAL call and the signal no other upcall began: it is the PAL itself that was interrupted. And the handler runs still.
      const outer = upcall === NONE ? NONE : m.around(upcall);
      // Gramine's PAL, whose calls have other names, hands every event on at once.
      if (!/\bDk[A-Z]/.test(m.labelOf(call))) return;
      if (!m.isInSignalContext() || (outer !== NONE && m.seqOf(outer) > m.seqOf(call))) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "call", seq: m.seqOf(call) },
          { id: "interrupted", seq: m.seqOf(frame) },
          { id: "upcall", seq: m.seq },
        ],
        data: { signal: m.signalOf(frame), call: palCallName(m.labelOf(call)) },
      });
    },
  };
}

const at = (place: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - alarm: 1s
    - getpid
  handlers:
    h:
      - compute: 1us
  signals:
    - { signal: SIGINT, thread: main, when: { thread: main, site: "${place}" } }
`;

export const linuxVdsoMisclassified = defineRule({
  id: "linux-vdso-misclassified",
  title: "a signal in the vDSO is taken for one in the application, in the middle of a PAL call",
  severity: "medium",
  layers: ["pal"],
  generations: ["graphene-2019", "pr347"],
  what:
    "The handler asks whether RIP is in the text of the PAL. DkSystemTimeQuery calls clock_gettime in the vDSO, which is not: the signal is handled at " +
    "once, in the host's signal frame, while a PAL call is under way.",
  why:
    "The LibOS is entered although it is in a call of its own: preempt protects its state, but nothing protects that of the PAL. A handler that leaves by " +
    "siglongjmp leaves the PAL call, too.",
  recognise: "The rule looks for an upcall in a host signal frame that was pushed inside a PAL call, with no other upcall between the two.",
  ignore: [
    {
      text: "Gramine's PAL hands every event on at once, and its calls are made for that",
      nearMiss: {
        name: "an alarm on Gramine",
        scenario: "alarm",
        stacks: ["gramine-linux"],
        reaches: ["host.signal.deliver", "libos.upcall.enter", "pal.call.enter"],
      },
    },
    {
      text: "the signal finds the PAL's own text: it is kept for the end of the call",
      nearMiss: {
        name: "a signal just behind the vDSO",
        scenario: at("DkSystemTimeQuery: microseconds"),
        stacks: ALL_LINUX_PAL,
        reaches: ["pal.event.pend", "pal.event.deliver"],
      },
    },
    {
      text: "the signal finds a handler that runs inside the drain of a PAL call: that is the application",
      nearMiss: {
        name: "SIGTERM in a handler at the end of nanosleep",
        scenario: `
          main:
            - sigaction: { signal: SIGINT, handler: h }
            - sigaction: { signal: SIGTERM, handler: h }
            - nanosleep: 5ms
          handlers:
            h:
              - compute: 1us
          signals:
            - { signal: SIGINT, thread: main, when: { at: 1ms } }
            - { signal: SIGTERM, thread: main, when: { thread: main, handler: SIGINT } }
        `,
        stacks: ["graphene-linux"],
        reaches: ["pal.event.deliver", "host.signal.deliver", "libos.upcall.enter"],
      },
    },
  ],
  remedy: "The vDSO counts as PAL while a PAL call is under way (Graphene abfa778a6, 2021-02-17).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.3; 1.1 and 2.8",
  run,
  report: {
    title: ({ signal, call }) => `${signalName(signal)} enters the LibOS in the middle of ${call}`,
    same: ({ signal, call }) => [signal, call],
    turn: ["upcall"],
    captions: {
      call: ({ call }) => `the LibOS calls ${call}`,
      interrupted: ({ signal }) => `${signalName(signal)} finds it in code that is not the PAL's: the vDSO`,
      upcall: () => "the event is handled at once, and not at the end of the call",
    },
  },
  invalid: [
    {
      name: "a signal while the time is read",
      scenario: at("vdso_clock_gettime: read the time page"),
      stacks: [...ALL_LINUX_PAL, "graphene-pr1218"],
      found: [{ title: "SIGINT enters the LibOS in the middle of DkSystemTimeQuery", evidence: ["call", "interrupted", "upcall"] }],
    },
  ],
});
