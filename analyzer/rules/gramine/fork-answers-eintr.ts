/** Gramine today, 7.5: not in the catalogue; read in the source. pal_process.c of the SGX PAL, 167-187 and 223-243; pal_main.c:615-620. */

import { E } from "../../../engine/index.ts";
import { HOW, NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf } from "../common.ts";

interface Data {
  /** The parent's call; empty: it is the child that ends. */
  readonly call: string;
}
type Id = "called" | "interrupted" | "answered" | "gave-up";

interface Failed {
  readonly interrupted: number;
  readonly call: string;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On threads: the last ocall that returned -EINTR. */
  const last = m.notesOnThreads<number>();
  /** On calls of the application that have given a child up. */
  const failed = m.notesOnScopes<Failed>(({ interrupted, call }, scope) => {
    if (m.how !== HOW.RETURNED || m.value !== E.INTR) return;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "called", seq: m.seqOf(scope) },
        { id: "interrupted", seq: interrupted },
        { id: "answered", seq: m.seq },
      ],
      data: { call },
    });
  });

  return {
    "ocall.return"() {
      if (m.value === E.INTR) last.set(m.slot, m.seq);
      else last.remove(m.slot);
    },
    "at PalProcessCreate: the error"() {
      const [interrupted, call] = [last.get(m.slot), m.open(SCOPE.CALL)];
      if (interrupted !== null && call !== NONE) failed.set(call, { interrupted, call: callOf(m) });
    },
    'at pal_linux_main: print "Failed to initialize child process"'() {
      const interrupted = last.get(m.slot);
      if (interrupted === null) return;
      found({
        thread: m.thread,
        costNs: 0,
        evidence: [
          { id: "interrupted", seq: interrupted },
          { id: "gave-up", seq: m.seq },
        ],
        data: { call: "" },
      });
    },
  };
}

const FORKS = (signal: string): string => `
  main:
    - fork: child
  programs:
    child:
      - getpid
  signals:
    - ${signal}
  limit: { time: 20ms, transitions: 30000 }
`;

const PARENT = (site: string, nth: number): string =>
  FORKS(`{ signal: SIGCONT, thread: main, when: { thread: main, site: "${site}", nth: ${nth} }, stacks: [gramine-sgx] }`);

export const forkAnswersEintr = defineRule({
  id: "fork-answers-eintr",
  title: "fork answers -EINTR, or its child ends with status 1, for a signal while their keys are exchanged",
  severity: "medium",
  layers: ["pal"],
  generations: ["gramine"],
  what:
    "Under SGX parent and child of a fork exchange keys over a TLS stream. The exchange itself, the reports and the handshake are made again when a " +
    "signal interrupts them; the two writes of the parent and the two reads of the child behind them are not. An interrupted write fails the fork with " +
    "-EINTR; an interrupted read ends the child, and the parent's fork fails: with -ENODATA where it waits for the child's answer already, else with " +
    "the error of a write to a stream that nobody reads.",
  why:
    "No program expects EINTR of fork: Linux never answers so. A timer, a profiler, or a wake-up for an ignored signal is enough; and a SIGTERM of the host " +
    "that the LibOS would throw away ends a child that is just starting.",
  recognise: "The rule looks for the place at which the PAL gives up a child or its parent after an ocall that answered -EINTR.",
  ignore: [
    {
      text: "the wake-up comes after the host's write",
      nearMiss: {
        name: "a SIGCONT when the key is written",
        scenario: PARENT("PalProcessCreate: _PalStreamSecureWrite(instance_id): ocall_write()", 1),
        stacks: ["gramine-sgx"],
        reaches: ["host.signal.deliver", "PalProcessCreate: _PalStreamSecureWrite(instance_id): ocall_write()", "app.return"],
      },
    },
  ],
  remedy: "Make both writes and both reads again on EINTR, as send_report and recv_report do.",
  fix: "fork-answers-eintr",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 7.5; pal_process.c:167-187, 223-243; enclave_framework.c:798-817 beside 611-647; pal_main.c:615-620",
  run,
  report: {
    title: ({ call }) =>
      call === "" ? "a child is interrupted while it waits for its parent's key, and ends with status 1" : `${call} answers -EINTR`,
    same: ({ call }) => [call],
    turn: ["interrupted"],
    captions: {
      called: ({ call }) => `the application calls ${call}`,
      interrupted: () => "the ocall for a key answers -EINTR: it is not made again",
      answered: () => "the child is given up, and the application gets the error",
      "gave-up": () => "the child prints that it cannot be initialized, and ends",
    },
  },
  invalid: [
    {
      name: "a SIGCONT as the parent leaves the enclave to write the key",
      scenario: PARENT("sgx_ocall (eexit_prepare): EEXIT", 4),
      stacks: ["gramine-sgx"],
      found: [{ title: "fork(child) answers -EINTR", evidence: ["called", "interrupted", "answered"] }],
    },
    {
      name: "a SIGCONT as the child leaves the enclave to read it",
      scenario: FORKS(
        '{ signal: SIGCONT, process: child, when: { thread: child, site: "sgx_ocall (eexit_prepare): EEXIT" }, stacks: [gramine-sgx] }',
      ),
      stacks: ["gramine-sgx"],
      found: [
        {
          title: "a child is interrupted while it waits for its parent's key, and ends with status 1",
          evidence: ["interrupted", "gave-up"],
        },
      ],
    },
  ],
});
