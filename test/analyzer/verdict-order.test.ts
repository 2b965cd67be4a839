/** What is told first: a difference stands behind what it follows from. */

import { describe, expect, test } from "vitest";
import { E } from "../../engine/index.ts";
import { began, call, differences, exits, type Hand, type HandRow, MAIN, observedRows, told } from "../support/verdict.ts";

const compared = async (one: readonly HandRow[], of: Hand, other: readonly HandRow[], ofOther: Hand): Promise<string[]> =>
  told(await differences(observedRows(one, of), observedRows(other, { name: "b", ...ofOther })));

describe("a child that is not there stands behind the call that would have made it", () => {
  const both = { threads: [MAIN, { name: "child", pid: 2, tid: 2, internal: false }] };
  const born: HandRow[] = [began("fork(child)"), { k: "process.start", thread: 1, value: 1 }];
  const after = [
    ...call("getpid()", 1, { thread: 1 }),
    ...exits(1),
    { k: "app.return", value: 2 } as const,
    ...call("getpid()", 1),
    ...exits(),
  ];

  test("which fails", async () => {
    const fails = [...call("fork(child)", E.AGAIN), ...call("getpid()", 1), ...exits()];
    expect(await compared(fails, { threads: [MAIN] }, [...born, ...after], both)).toEqual([
      "result differs fork(child): -EAGAIN | 2",
      "thread differs thread child: is not there | starts",
    ]);
  });

  test("in which its creator dies", async () => {
    const dies: HandRow[] = [began("fork(child)"), { k: "thread.exit", value: 2 }, { k: "process.exit", value: 1, extra: 3 }];
    expect(await compared(dies, { threads: [MAIN] }, [...born, ...after], both)).toEqual([
      "process-end differs process main in fork(child): dies of an assertion of the LibOS | exits with status 0",
      "never-returns differs fork(child): never returns: the thread dies in it | 2",
      "thread differs thread child: is not there | starts",
      "call differs getpid(): is not called | 1",
    ]);
  });
});
