/** Gramine today, B17. */

import { SIG, WRITES } from "../../../engine/index.ts";
import { NONE, SCOPE, type ThreadModel } from "../../model/index.ts";
import { defineRule, type Found, type Handlers } from "../../rule.ts";
import { callOf, calls, createRing, GRAMINE } from "../common.ts";

interface Data {
  readonly writer: string;
  readonly taker: string;
  readonly kills: boolean;
}
type Id = "wrote" | "taken";

const isWrite = calls(...WRITES);

function run(m: ThreadModel, found: (finding: Found<Data, Id>) => void): Handlers {
  /** By the id of a SIGPIPE that a write has made: its row, and its thread. */
  const rows = createRing(64);
  const writers = createRing(64);

  function taken(): void {
    const wrote = m.signal === SIG.PIPE ? rows.get(m.extra) : NONE;
    const writer = writers.get(m.extra);
    if (wrote === NONE || writer === m.thread) return;
    const kills = m.open(SCOPE.HANDLER) === NONE;
    found({
      thread: m.thread,
      costNs: 0,
      evidence: [
        { id: "wrote", seq: wrote },
        { id: "taken", seq: m.seq },
      ],
      data: { writer: m.nameOf(writer), taker: m.nameOf(), kills },
    });
  }

  return {
    "libos.signal.append"() {
      if (m.signal !== SIG.PIPE || m.isInternal() || !isWrite(callOf(m))) return;
      rows.set(m.extra, m.seq);
      writers.set(m.extra, m.thread);
    },
    "app.handler.enter": taken,
    "libos.signal.kill": taken,
  };
}

export const sigpipeProcessDirected = defineRule({
  id: "sigpipe-process-directed",
  title: "another thread gets the SIGPIPE of a write",
  severity: "medium",
  layers: ["libos"],
  generations: ["gramine"],
  what:
    "The SIGPIPE of a write to a broken pipe or socket is sent to the process, where Linux sends it to the thread that writes. A writer that " +
    "blocks SIGPIPE is not asked: any other thread takes the signal, and by default it ends the process.",
  why: "Libraries block SIGPIPE around their writes instead of ignoring it for the whole program (OpenSSL, libcurl, Go's cgo). Here that does not help.",
  recognise: "The rule looks for a SIGPIPE that one thread's write has queued, and that another thread handles or dies of.",
  ignore: [
    {
      text: "the writer takes it itself",
      nearMiss: {
        name: "a writer that lets SIGPIPE through",
        scenario: `
          main:
            - sigaction: { signal: SIGPIPE, handler: on-pipe }
            - close: broken
            - write: { to: broken, bytes: 1 }
          handlers:
            on-pipe:
              - compute: 1us
        `,
        stacks: GRAMINE,
        reaches: ["libos.signal.append", "app.handler.enter"],
      },
    },
  ],
  remedy: "Send it to the thread.",
  fix: "sigpipe-process-directed",
  cost: "nothing is wasted: it is 0",
  source: "gramine today 6.9, 14 B17; fs/pipe/fs.c:122-137, libos_socket.c:727-738",
  run,
  report: {
    title: ({ writer, taker, kills }) => `the SIGPIPE of a write of ${writer} ${kills ? "ends the process in" : "is handled by"} ${taker}`,
    same: ({ kills }) => [kills ? 1 : 0],
    turn: ["wrote"],
    captions: {
      wrote: ({ writer }) => `${writer} writes to what nobody reads: SIGPIPE is sent to the process`,
      taken: ({ taker }) => `${taker} takes it`,
    },
  },
  invalid: [
    {
      name: "a writer that blocks SIGPIPE",
      scenario: `
        main:
          - sigaction: { signal: SIGPIPE, handler: on-pipe }
          - clone: writer
          - nanosleep: 10ms
        programs:
          writer:
            - sigprocmask: { how: block, signals: [SIGPIPE] }
            - nanosleep: 1ms
            - close: broken
            - write: { to: broken, bytes: 1 }
        handlers:
          on-pipe:
            - compute: 1us
      `,
      stacks: GRAMINE,
      found: [{ title: "the SIGPIPE of a write of writer is handled by main", evidence: ["wrote", "taken"] }],
    },
    {
      name: "the same without a handler",
      scenario: `
        main:
          - clone: writer
          - nanosleep: 10ms
        programs:
          writer:
            - sigprocmask: { how: block, signals: [SIGPIPE] }
            - nanosleep: 1ms
            - close: broken
            - write: { to: broken, bytes: 1 }
      `,
      stacks: GRAMINE,
      found: [{ title: "the SIGPIPE of a write of writer ends the process in main", evidence: ["wrote", "taken"] }],
    },
  ],
});
