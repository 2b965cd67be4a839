/** Gramine today, 7.1, 7.7: not in the catalogue; read in the source. libos_exec.c:176-187, libos_exit.c:146-198. */

import { NONE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { GRAMINE, timeText } from "../common.ts";

interface Data {
  readonly one: string;
  readonly other: string;
  readonly waited: number;
}
type Id = "told" | "back" | "end";

interface Told {
  readonly by: number;
  readonly seq: number;
}

/** A thread that waits for one that waits for it. */
interface Mutual {
  readonly by: number;
  readonly first: number;
  readonly seq: number;
  readonly at: number;
  /** How often it has looked whether the other one is gone. */
  rounds: number;
}

/** Turns of the loop after which it is not the other one's end that is awaited. */
const ROUNDS = 10;

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** On threads that are to die: who has told them. */
  const told = m.notesOnThreads<Told>();
  /** On threads that wait for one that waits for them. */
  const mutual = m.notesOnThreads<Mutual>();

  return {
    "libos.die"() {
      if (m.extra !== 1) {
        const again = mutual.get(m.slot);
        if (again !== null) again.rounds += 1;
        return;
      }
      if (m.slotOf(m.value) !== NONE) told.set(m.slotOf(m.value), { by: m.thread, seq: m.seq });
      const before = told.get(m.slot);
      if (before?.by === m.value) mutual.set(m.slot, { by: m.value, first: before.seq, seq: m.seq, at: m.time, rounds: 0 });
    },
    "trace.end"() {
      const live = new Set(Array.from(m.liveThreads(), ([thread]) => thread));
      for (const [thread, slot] of m.liveThreads()) {
        const one = mutual.get(slot);
        if (one === null || !live.has(one.by) || one.rounds < ROUNDS) continue;
        found({
          thread,
          costNs: m.time - one.at,
          evidence: [
            { id: "told", seq: one.first },
            { id: "back", seq: one.seq },
            { id: "end", seq: m.seq },
          ],
          data: { one: m.nameOf(thread), other: m.nameOf(one.by), waited: m.time - one.at },
        });
      }
    },
  };
}

const BOTH = (ns: number, rows = 2000): string => `
  main:
    - clone: worker
    - nanosleep: 1ms
    - exit-group
  programs:
    worker:
      - compute: ${ns}ns
      - exec: {}
      - getpid
  limit: { time: 5ms, transitions: ${rows} }
`;

export const execWaitsForExit = defineRule({
  id: "exec-waits-for-exit",
  title: "execve in one thread and exit_group in another wait for each other for ever",
  severity: "high",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "execve and exit_group both tell all other threads to die and yield until they are gone. Whoever is in there does not look whether it is to die " +
    "itself. If a thread ends the process while another one is in execve, each has told the other one, and both yield for ever.",
  why:
    "A program that starts another by execve in one thread, while main returns or a signal ends the process, is left with two threads at full load and " +
    "answers nothing but SIGKILL. The window is as long as execve takes to load and check the file.",
  recognise: "The rule looks for two threads that have told each other to die, and are both there at the end of the trace.",
  ignore: [
    {
      text: "the other thread is in its own code, or in a call that waits: the kick ends it",
      nearMiss: {
        name: "an execve some time before exit_group",
        scenario: BOTH(500_000),
        stacks: GRAMINE,
        reaches: ["libos.die", "process.exit"],
      },
    },
  ],
  remedy: "Look at time_to_die in the loop of kill_other_threads, and leave execve to whoever ends the process.",
  fix: null,
  cost: "how long both have waited",
  source: "gramine today 7.1, 7.7; libos_exec.c:176-187; libos_exit.c:146-198",
  run,
  report: {
    title: ({ one, other }) => `${one} and ${other} have told each other to die, and wait for it`,
    same: () => [],
    turn: ["back"],
    captions: {
      told: ({ one }) => `${one} is told to die; it is in the LibOS, and does not look`,
      back: ({ other }) => `it tells ${other} the same, which waits for it already`,
      end: ({ waited }) => `after ${timeText(waited)} both still yield`,
    },
  },
  invalid: [
    {
      name: "exit_group while another thread is in execve",
      scenario: BOTH(1_003_500),
      stacks: ["gramine-linux"],
      found: [{ title: "worker and main have told each other to die, and wait for it", evidence: ["told", "back", "end"] }],
    },
    {
      name: "the same in an enclave",
      scenario: BOTH(1_006_600, 6000),
      stacks: ["gramine-sgx"],
      found: [{ title: "worker and main have told each other to die, and wait for it", evidence: ["told", "back", "end"] }],
    },
  ],
});
