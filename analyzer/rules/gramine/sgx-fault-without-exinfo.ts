/** Gramine today, corrections 4.4.1. */

import { signalName, WHY } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";

interface Data {
  readonly signal: number;
}
type Id = "faulted" | "refused" | "ended";

/** A fault whose signal has a handler. */
interface Fault {
  readonly seq: number;
  readonly signal: number;
  refused: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const faults = m.notesOnThreads<Fault>();
  return {
    "app.fault"() {
      // With the process what it asked for is gone.
      const handled = (m.actionOf(m.signal)?.action ?? 0) >= 2;
      if (handled) faults.set(m.slot, { seq: m.seq, signal: m.signal, refused: NONE });
      else faults.remove(m.slot);
    },
    "app.handler.enter": () => faults.remove(m.slot),
    "pal.event.lost"() {
      const fault = faults.get(m.slot);
      if (fault !== null) fault.refused = m.seq;
    },
    "process.exit"() {
      const fault = faults.get(m.slot);
      if (m.extra !== WHY.PAL || fault === null || fault.refused === NONE) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "faulted", seq: fault.seq },
          { id: "refused", seq: fault.refused },
          { id: "ended", seq: m.seq },
        ],
        data: { signal: fault.signal },
      });
    },
  };
}

export const sgxFaultWithoutExinfo = defineRule({
  id: "sgx-fault-without-exinfo",
  title: "a memory fault of the application ends the process: the enclave does not believe the host",
  severity: "medium",
  layers: ["pal"],
  generations: ["gramine"],
  what:
    "Without EXINFO the processor does not report page faults and general protection faults inside the enclave: only the host says so. The PAL takes " +
    'such a report for an attack ("Host injected malicious signal"), and ends the process with status 1. Handlers of SIGSEGV are not asked.',
  why: "Runtimes that handle SIGSEGV (Java's null checks, Go, garbage collectors with write barriers) end at the first fault that they expect.",
  recognise:
    "The rule looks for a process that the PAL ends after a fault of the application whose event it has refused, where the program has a handler.",
  ignore: [
    {
      text: "a fault that the processor reports: a division",
      nearMiss: {
        name: "a division by zero with a handler",
        scenario: `
          main:
            - sigaction: { signal: SIGFPE, handler: skips }
            - fault: { what: divide }
          handlers:
            skips:
              - skip-fault
        `,
        stacks: ["gramine-sgx"],
        reaches: ["app.fault", "app.handler.enter"],
      },
    },
    {
      text: "EXINFO is on",
      nearMiss: {
        name: "a memory fault with EXINFO",
        scenario: `
          options: [exinfo]
          main:
            - sigaction: { signal: SIGSEGV, handler: skips }
            - fault: { what: memory }
          handlers:
            skips:
              - skip-fault
        `,
        stacks: ["gramine-sgx"],
        reaches: ["app.fault", "app.handler.enter"],
      },
    },
  ],
  remedy: "sgx.use_exinfo = true in the manifest; sgx.insecure__allow_memfaults_without_exinfo believes the host.",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "gramine today, corrections 4.4.1; pal_exception.c:327-348",
  run,
  report: {
    title: ({ signal }) => `a fault that is to raise ${signalName(signal)} ends the process: the enclave refuses the host's report`,
    same: ({ signal }) => [signal],
    turn: ["refused"],
    captions: {
      faulted: () => "an instruction of the application faults",
      refused: () => "the host reports it; the processor does not, and the PAL takes it for an attack",
      ended: () => "the process ends with status 1; the handler is not asked",
    },
  },
  invalid: [
    {
      name: "a memory fault with a handler",
      scenario: `
        main:
          - sigaction: { signal: SIGSEGV, handler: skips }
          - fault: { what: memory }
        handlers:
          skips:
            - skip-fault
      `,
      stacks: ["gramine-sgx"],
      found: [
        {
          title: "a fault that is to raise SIGSEGV ends the process: the enclave refuses the host's report",
          evidence: ["faulted", "refused", "ended"],
        },
      ],
    },
  ],
});
