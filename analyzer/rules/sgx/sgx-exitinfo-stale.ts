/** Reference 3.4 `sgx-exitinfo-stale`; stage one and two of 2.2 and 2.4. */

import { isSyncEvent, isSynchronous, signalName } from "../../../engine/index.ts";
import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { SGX } from "../common.ts";

interface Data {
  readonly signal: number;
  readonly vector: number;
  readonly dies: boolean;
}
type Id = "exception" | "stage-one" | "again" | "taken" | "end";

/** From an exit with a valid exception vector on, until the event of a later stage one is handled. */
interface Exit {
  readonly exception: number;
  readonly vector: number;
  stageOne: number;
  again: number;
  signal: number;
  id: number;
  taken: number;
}

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  const exits = m.notesOnThreads<Exit>();

  function over(slot: number, thread: number, end: number): void {
    const exit = exits.get(slot);
    if (exit === null) return;
    if (exit.taken !== NONE)
      found({
        thread,
        costNs: 0,
        evidence: [
          { id: "exception", seq: exit.exception },
          { id: "stage-one", seq: exit.stageOne },
          { id: "again", seq: exit.again },
          { id: "taken", seq: exit.taken },
          ...(end === NONE ? [] : [{ id: "end" as const, seq: end }]),
        ],
        data: { signal: exit.signal, vector: exit.vector, dies: end !== NONE },
      });
    exits.remove(slot);
  }

  return {
    "sgx.aex"() {
      over(m.slot, m.thread, NONE);
      if (m.cssa() !== 1 || m.value < 0) return;
      const none = { stageOne: NONE, again: NONE, signal: 0, id: 0, taken: NONE };
      exits.set(m.slot, { exception: m.seq, vector: m.value, ...none });
    },
    "sgx.eenter"() {
      const exit = exits.get(m.slot);
      if (exit === null || m.value === 0) return;
      if (exit.stageOne === NONE) exit.stageOne = m.seq;
      else if (!isSynchronous(m.signal)) Object.assign(exit, { again: m.seq, signal: m.signal });
    },
    "sgx.eexit"() {
      const exit = exits.get(m.slot);
      if (exit !== null && m.value === 1 && exit.again !== NONE && exit.id === 0) exit.id = m.extra;
    },
    "pal.event.lost"() {
      const exit = exits.get(m.slot);
      if (exit !== null && exit.id !== 0 && m.extra === exit.id && isSyncEvent(m.value)) exit.taken = m.seq;
    },
    "libos.upcall.enter"() {
      const exit = exits.get(m.slot);
      if (exit === null || exit.id === 0 || m.extra !== exit.id) return;
      if (isSyncEvent(m.value)) exit.taken = m.seq;
      over(m.slot, m.thread, NONE);
    },
    "thread.exit": () => over(m.slot, m.thread, m.seq),
    "trace.end"() {
      for (const [thread, slot] of m.liveThreads()) over(slot, thread, NONE);
    },
  };
}

const at = (nth: number, first: string): string => `
  main:
    - sigaction: { signal: SIGINT, handler: h }
    - sigaction: { signal: SIGFPE, handler: on-fpe }
    - ${first}
    - getpid
  handlers:
    h:
      - compute: 1us
    on-fpe:
      - skip-fault
  signals:
    - { signal: SIGINT, when: { thread: main, site: "async_exit_pointer: ERESUME", nth: ${nth} } }
`;

export const sgxExitinfoStale = defineRule({
  id: "sgx-exitinfo-stale",
  title: "a signal is taken for the exception before it: EXITINFO is not cleared",
  severity: "high",
  layers: ["pal"],
  generations: ["graphene-2019"],
  what:
    "Stage one takes the vector out of EXITINFO in the SSA frame, and leaves it there. A signal that comes after it, before ERESUME, is another " +
    "stage one with the same SSA frame: the old vector is valid still, so the event that the host passes is not looked at. Stage two handles " +
    "the exception a second time, with the exception handler itself as the interrupted code.",
  why: "The signal is lost. After CPUID or another #UD the opcode at that place is none that is emulated, and the thread is killed (seen with OpenMP).",
  recognise:
    "The rule looks for an exit with a valid vector, two stages one without another exit from CSSA 0 between them, the second for SIGINT, SIGTERM or " +
    "SIGCONT, and for that signal's id in an event of an exception.",
  ignore: [
    {
      text: "both events are from outside: the vector is not valid, and each is what the host says",
      nearMiss: {
        name: "SIGINT twice before ERESUME",
        scenario: `${at(2, "compute: 1ms")}    - { signal: SIGINT, when: { at: 600us } }\n`,
        stacks: SGX,
        reaches: ["sgx.aex", "sgx.eexit", "sgx.eresume"],
      },
    },
    {
      text: "the signal comes after ERESUME",
      nearMiss: {
        name: "SIGINT while stage two handles a division by zero",
        scenario: at(2, "fault: divide")
          .replace("async_exit_pointer: ERESUME", "_DkExceptionHandler: exit_info.valid?")
          .replace("nth: 2", "nth: 1"),
        stacks: SGX,
        reaches: ["app.fault", "sgx.aex", "sgx.eresume"],
      },
    },
  ],
  remedy: "Stage one clears EXITINFO after it has read it (Graphene 1293bc151, 2020-07-11).",
  fix: null,
  cost: "nothing is wasted: it is 0",
  source: "reference 3.4; 2.2 and 2.4",
  run,
  report: {
    title: ({ signal, vector, dies }) =>
      `${signalName(signal)} is taken for the exception before it (vector ${vector})${dies ? ", and the thread dies" : ""}`,
    same: ({ signal, vector }) => [signal, vector],
    turn: ["taken"],
    captions: {
      exception: ({ vector }) => `an exception leaves the enclave: EXITINFO says vector ${vector}`,
      "stage-one": () => "stage one for its signal reads the vector",
      again: ({ signal }) => `${signalName(signal)} comes before ERESUME: stage one again, and the vector is valid still`,
      taken: ({ signal }) => `the event of ${signalName(signal)} is handled as the exception`,
      end: () => "the thread is killed",
    },
  },
  invalid: [
    {
      name: "SIGINT after stage one of a CPUID",
      scenario: at(2, "fault: cpuid"),
      stacks: SGX,
      found: [
        {
          title: "SIGINT is taken for the exception before it (vector 6), and the thread dies",
          evidence: ["exception", "stage-one", "again", "taken", "end"],
        },
      ],
    },
    {
      name: "SIGINT after stage one of a division by zero",
      scenario: at(2, "fault: divide"),
      stacks: SGX,
      found: [
        {
          title: "SIGINT is taken for the exception before it (vector 0)",
          evidence: ["exception", "stage-one", "again", "taken"],
        },
      ],
    },
  ],
});
