/**
 * Memory that holds nothing defined, and what the LibOS makes of it: freed entries and time zero of the async list (2.19, 3.1, 3.4),
 * contexts that were never written (3.2), tables read out of bounds (3.5), a thread without its control block (2.1).
 */

import { describe, expect, it } from "vitest";
import type { StackName } from "../../engine/index.ts";
import { grapheneProcess } from "../support/graphene.ts";
import { at, count, endOf, handled, on, pin, type Ran, resultOf, results, rowsOf, runProgram, SENDER } from "../support/run-scenario.ts";
import { block, order, raise, UNBLOCK } from "./reference-support.ts";

const NATIVE = "native-linux";
const LINUX = "graphene-linux";
const SGX = "graphene-sgx";
const BOTH: readonly StackName[] = [LINUX, SGX];

/** "1 alarm: its entry has been freed": value and text. */
const undefinedReads = (ran: Ran, who?: string): string[] =>
  rowsOf(ran, { what: "undefined.read", ...(who !== undefined && { who }) }).map((row) => `${row.value} ${ran.texts[row.detail]}`);

const FREED = "1 alarm: its entry has been freed";

/** The helper's wait has timed out when the main thread calls alarm again: found by moving the call about by microseconds. */
function race(stack: StackName, second: string): Ran | undefined {
  for (let us = 999_960; us < 1_000_020; us += 1) {
    // Long enough for a second alarm; until then the helper turns every millisecond.
    const program = [
      on("SIGALRM"),
      { alarm: "1s" },
      { compute: `${us}us` },
      { alarm: second },
      { compute: second === "0s" ? "1ms" : "3s" },
    ];
    const ran = runProgram(stack, program, [], { limit: { time: "5s", transitions: 50_000 } });
    if (undefinedReads(ran).includes(FREED)) return ran;
  }
  return undefined;
}

describe("2.19, 3.1 async-list-redundant-cancel: the helper holds a pointer into the list", () => {
  it("alarm(0) frees the entry the helper is about to use: it is called all the same, and freed again", () => {
    const ran = race(LINUX, "0s");
    expect(ran && undefinedReads(ran, "async-helper")).toEqual([FREED, "1 the entry has been freed: it is taken out and freed again"]);
    expect(ran && handled(ran)).toEqual(["SIGALRM"]);
    expect(ran && resultOf(ran, "alarm")).not.toBe("1");
  });

  it("a second alarm stays in the list: the helper takes out what it held, not what is first", () => {
    const ran = race(LINUX, "2s");
    expect(ran && handled(ran)).toEqual(["SIGALRM", "SIGALRM"]);
    // Null once the process is over and nobody waits for it.
    expect(grapheneProcess(ran?.machine ?? expect.fail("no race"))?.libos.asyncList ?? []).toEqual([]);
  });

  it("with the fix nothing is called that is not in the list", () => {
    const ran = runProgram(
      LINUX,
      [on("SIGALRM"), { alarm: "1s" }, { nanosleep: "2s" }],
      [{ ...at("SIGINT", "5ms"), thread: "async-helper" }],
      {},
      {
        fixes: ["async-list-redundant-cancel"],
      },
    );
    order(
      ran,
      [
        "shim_async_helper: is it time? look at the clock",
        "shim_async_helper: update_list: the next entry, off the list if it has expired",
        "shim_async_helper: expired: signal_alarm(event.caller)",
      ],
      "async-helper",
    );
    expect(Math.floor((rowsOf(ran, { what: "app.handler.enter" })[0]?.time ?? 0) / 1e9)).toBe(1);
  });

  it("with the fix an alarm takes the place of a timer, and the other way round; an IO entry of none", () => {
    const removed = (first: unknown, second: unknown): number | undefined =>
      rowsOf(runProgram(LINUX, [first, second], [], {}, { fixes: ["async-list-redundant-cancel"] }), {
        where: "remove the previous entry",
      }).at(-1)?.extra;
    const [alarm, timer, io] = [{ alarm: "2s" }, { setitimer: { value: "3s" } }, { fioasync: { on: "socket" } }];
    expect([removed(alarm, alarm), removed(alarm, timer), removed(timer, alarm), removed(alarm, io)]).toEqual([1, 2, 2, 0]);
  });
});

describe("3.4 sgx-time-query-zero", () => {
  it("an alarm whose clock query was interrupted is an entry without a time: it never comes", () => {
    const ran = runProgram(
      SGX,
      [on("SIGALRM"), { alarm: "1s" }, { nanosleep: "3s" }],
      [pin("SIGINT", "ocall_gettime: take the arguments")],
      { limit: { time: "5s", transitions: 200_000 } },
    );
    expect([handled(ran), resultOf(ran, "nanosleep")]).toEqual([["SIGINT"], "0"]);
    expect(rowsOf(ran, { where: "shim_async_helper: timeout fired" })).toEqual([]);
  });
});

describe.each(BOTH)("3.2 append-signal-garbage-context-pointer, %s", (stack) => {
  const NEVER_WRITTEN = "2 signal.pal_context: never written";

  it("an entry that another thread queued: the registers go to a pointer that was never written", () => {
    const ran = runProgram(stack, [on("SIGUSR1"), { clone: "sender" }, { compute: "3ms" }, "getpid"], [], { programs: SENDER });
    expect(undefinedReads(ran)).toEqual([NEVER_WRITTEN]);
    expect([handled(ran), endOf(ran)]).toEqual([["SIGUSR1"], "exit"]);
  });

  it("an entry of an alarm is cleared, one that was deferred with no context has none", () => {
    const alarm = runProgram(stack, [on("SIGALRM"), { alarm: "1s" }, { nanosleep: "2s" }]);
    const own = runProgram(stack, [on("SIGUSR1"), block("SIGUSR1"), raise("SIGUSR1"), UNBLOCK]);
    const host = runProgram(stack, [block("SIGINT"), { compute: "1ms" }, UNBLOCK], [at("SIGINT", "600us")]);
    for (const ran of [alarm, own, host]) {
      expect(undefinedReads(ran)).toEqual([]);
      expect(handled(ran)).toHaveLength(1);
    }
  });

  it("one that was deferred with a context: the pointer leads into the stack of an upcall that is over", () => {
    const ran = runProgram(
      stack,
      [on("SIGFPE"), block("SIGFPE"), { compute: "1ms" }, UNBLOCK],
      [{ ...at("SIGFPE", "600us"), thread: "main" }],
    );
    expect(undefinedReads(ran)).toEqual(["1 signal.pal_context: the stack of an upcall that is over"]);
    expect(handled(ran)).toEqual(["SIGFPE"]);
  });
});

describe.each(BOTH)("3.5 kill-signal-zero-oob, and the LibOS's own signal, %s", (stack) => {
  const other = { other: [{ nanosleep: "9ms" }] };

  it("tgkill(other, 0) is queued like a signal, in the memory before the rings; it wakes the other and stays for good", () => {
    const program = [{ clone: "other" }, { nanosleep: "1ms" }, { tgkill: { thread: "other", signal: 0 } }, { nanosleep: "20ms" }];
    const ran = runProgram(stack, program, [], { programs: other });
    expect(rowsOf(ran, { what: "libos.signal.append" }).map((row) => [row.signal, ran.threads[row.value]?.name])).toEqual([[0, "other"]]);
    expect(undefinedReads(ran)).toEqual(["3 signal_logs[-1]: the memory before the rings"]);
    expect([resultOf(ran, "tgkill"), resultOf(ran, "nanosleep", "other")]).toEqual(["0", "-EINTR"]);
    expect(rowsOf(ran, { who: "other" }).at(-1)?.pending).toBe(1);
    const native = runProgram(NATIVE, program, [], { programs: other });
    expect([resultOf(native, "tgkill"), resultOf(native, "nanosleep", "other")]).toEqual(["0", "0"]);
  });

  // Only a thread's own 0 is looked at (shim_sigaction.c, shim_do_tgkill: if (sig)).
  it("tgkill(self, 0) does nothing", () => {
    const ran = runProgram(stack, [{ tgkill: { signal: 0 } }, "getpid"]);
    expect(undefinedReads(ran)).toEqual([]);
    expect(results(ran).slice(-2)).toEqual(["tgkill 0", "getpid 1"]);
  });

  it("SIGCP (33) joins a checkpoint, whatever the application's handler", () => {
    const program = [on("33"), raise("33"), "getpid"];
    const ran = runProgram(stack, program);
    expect([handled(ran), count(ran, "libos.signal.ignore"), endOf(ran)]).toEqual([[], 1, "exit"]);
    expect(handled(runProgram(NATIVE, program))).toEqual(["SIGRT1"]);
  });
});

describe.each(BOTH)("3.2 per-thread-dispositions, 2.1, %s", (stack) => {
  it("clone copies the handler alone: a one-shot handler is none in the new thread, whose flags are those of a fresh block", () => {
    const program = [on("SIGINT", "quick", { flags: ["SA_RESETHAND"] }), { clone: "one" }, { nanosleep: "2ms" }];
    const programs = { one: [raise("SIGINT"), raise("SIGINT")] };
    const ran = runProgram(stack, program, [], { programs });
    expect(handled(ran, "one")).toEqual(["SIGINT", "SIGINT"]);
    const [delivered] = rowsOf(ran, { what: "libos.signal.deliver", who: "one" });
    expect(ran.texts[delivered?.detail ?? 0]).toBe("sa_flags and sa_mask were not copied by clone or fork: taken as 0");
    expect(endOf(runProgram(NATIVE, program, [], { programs }))).toBe("killed");
  });

  it("RESUME before tcb.tp is set dereferences NULL", () => {
    const ran = runProgram(
      stack,
      [{ clone: "one" }, { nanosleep: "2ms" }],
      [
        {
          signal: "SIGCONT",
          thread: "one",
          when: { thread: "one", site: "clone_implementation_wrapper: allocate_tls: DkSegmentRegister(FS)" },
        },
      ],
      { programs: { one: ["getpid"] } },
    );
    const [row] = rowsOf(ran, { what: "undefined" });
    expect([row?.where, ran.texts[row?.detail ?? 0]]).toEqual(["__handle_signal: has_signal == 0?", "tcb.tp->has_signal: tcb.tp is NULL"]);
    expect(resultOf(ran, "nanosleep")).toBe("never returns");
  });
});
