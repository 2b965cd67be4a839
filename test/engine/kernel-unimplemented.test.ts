/** System calls that the base revision does not have (errata A2, errata-2 A2): -ENOSYS, with the flush of END_SHIM or without. */

import { describe, expect, it } from "vitest";
import { PASSED_THROUGH, UNDEFINED } from "../../engine/libos/unimplemented.ts";
import { firstMissing, handled, pin, resultOf, results, runProgram } from "../support/run-scenario.ts";

const STACKS = ["graphene-linux", "graphene-sgx"] as const;

describe("the table of calls that are not implemented", () => {
  it.each(
    "rt_sigtimedwait clock_nanosleep timerfd_create signalfd4 eventfd2 signalfd eventfd timer_create rt_sigqueueinfo rt_tgsigqueueinfo waitid prctl prlimit64 newfstatat".split(
      " ",
    ),
  )("%s is passed through", (name) => {
    expect(PASSED_THROUGH.has(name)).toBe(true);
  });

  it.each("clone3 statx getrandom pidfd_open futex_waitv kexec_load".split(" "))("%s has no function", (name) => {
    expect(UNDEFINED.has(name)).toBe(true);
  });

  it.each("read open fsync ppoll pselect6 epoll_pwait rt_sigsuspend sendmmsg recvmmsg getdents64 arch_prctl set_robust_list".split(" "))(
    "%s is there",
    (name) => {
      expect([PASSED_THROUGH.has(name), UNDEFINED.has(name)]).toEqual([false, false]);
    },
  );

  it("a call is in one of the two lists at most", () => {
    expect([...PASSED_THROUGH].filter((name) => UNDEFINED.has(name))).toEqual([]);
    expect(PASSED_THROUGH.size).toBe(158);
  });
});

describe("call: NAME", () => {
  it("gives the log's result on native-linux, -ENOSYS at once on Graphene", () => {
    const call = [{ call: { name: "prctl", takes: "1ms", result: 5 } }, { call: { name: "statx", takes: "1ms", result: 6 } }];
    const native = runProgram("native-linux", call);
    expect(results(native)).toEqual(expect.arrayContaining(["call 5", "call 6"]));
    for (const stack of STACKS) {
      const ran = runProgram(stack, call);
      expect([resultOf(ran, "unimplemented"), resultOf(ran, "undefined")]).toEqual(["-ENOSYS", "-ENOSYS"]);
    }
  });

  it("a call that is there is one PAL call, as before", () => {
    expect(resultOf(runProgram("graphene-linux", [{ call: { name: "open", takes: "1ms", result: 3 } }]), "call")).toBe("3");
  });

  it("one passes END_SHIM, which flushes what is pending; the other goes past the LibOS's entry and exit", () => {
    const steps = (name: string) => runProgram("graphene-linux", [{ call: { name } }]).rows;
    expect(firstMissing(steps("prctl"), ["shim_unimplemented: END_SHIM", "shim_unimplemented: handle_signal(false)"])).toBe("");
    const stub = steps("statx").filter((row) => row.what === "libos.syscall.enter" && row.where.startsWith("libc undefined"));
    expect(stub).toEqual([]);
  });

  it("a signal that comes during the call has its handler run in it", () => {
    const ran = runProgram(
      "graphene-linux",
      [{ call: { name: "prctl" } }],
      [pin("SIGINT", "shim_do_unimplemented: not implemented: -ENOSYS")],
    );
    expect(handled(ran)).toEqual(["SIGINT"]);
  });
});
