/** Timers of timer_create in a log: their signals come from the timers, so they do not come where the call is not there. */

import { describe, expect, test } from "vitest";
import { handled, results, runScenario } from "../support/run-scenario.ts";
import { importLog } from "../support/strace-log.ts";

const HANDLER = "rt_sigaction(SIGUSR1, {sa_handler=0x401, sa_mask=[], sa_flags=SA_RESTORER, sa_restorer=0x2}, NULL, 8) = 0 <0.000010>";
const ALARM = HANDLER.replace("SIGUSR1", "SIGALRM");
const create = (event: string, clock = "CLOCK_MONOTONIC") => `timer_create(${clock}, ${event}, [0]) = 0 <0.000010>`;
const settime = (flags = "0") =>
  `timer_settime(0, ${flags}, {it_interval={tv_sec=0, tv_nsec=0}, it_value={tv_sec=0, tv_nsec=50000000}}, NULL) = 0 <0.000010>`;
const came = (signal: string) =>
  `--- ${signal} {si_signo=${signal}, si_code=SI_TIMER, si_timerid=0, si_overrun=0, si_int=7, si_ptr=0x7} ---`;
const paused = (signal: string) => `
      5 2 pause( <unfinished ...>
      5 51 <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.049000>
      5 51.1 ${came(signal)}
      5 51.2 rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>
      5 52 exit_group(0) = ?
      5 52.1 +++ exited with 0 +++`;

describe("a timer of timer_create", () => {
  test("is one of the scenario: its signal needs no plan, and does not come on a stack without timers", () => {
    const event = "{sigev_value={sival_int=7, sival_ptr=0x7}, sigev_signo=SIGUSR1, sigev_notify=SIGEV_SIGNAL}";
    const { parsed } = importLog(`
      5 0 ${HANDLER}
      5 1 ${create(event)}
      5 1.5 ${settime()}${paused("SIGUSR1")}`);
    expect(parsed.signals).toEqual([]);
    const [native, inside] = [runScenario(parsed, "native-linux"), runScenario(parsed, "gramine-linux")];
    expect(handled(native, "main")).toEqual(["SIGUSR1"]);
    expect(results(native, "main")).toEqual(["sigaction 0", "timer_create 0", "timer_settime 0", "pause -EINTR"]);
    expect(handled(inside, "main")).toEqual([]);
    expect(results(inside, "main").slice(1, 3)).toEqual(["timer_create -ENOSYS", "timer_settime -ENOSYS"]);
  });

  test("without a sigevent sends SIGALRM; one that is deleted and made anew is another", () => {
    const { parsed } = importLog(`
      5 0 ${ALARM}
      5 0.5 ${create("NULL")}
      5 0.7 timer_delete(0) = 0 <0.000010>
      5 1 ${create("NULL", "CLOCK_REALTIME")}
      5 1.5 ${settime()}${paused("SIGALRM")}`);
    expect(parsed.signals).toEqual([]);
    expect(handled(runScenario(parsed, "native-linux"), "main")).toEqual(["SIGALRM"]);
    expect(JSON.stringify(parsed.main)).toContain('"timer-2"');
  });

  test.each([
    ["of the processor's time", create("NULL", "CLOCK_PROCESS_CPUTIME_ID"), settime()],
    ["until a moment of a clock", create("NULL"), settime("TIMER_ABSTIME")],
    ["made before the log began", "getpid() = 5 <0.000010>", settime()],
  ])("%s is kept as it was: the signal comes from outside", (_, made, set) => {
    const { parsed } = importLog(`
      5 0 ${ALARM}
      5 1 ${made}
      5 1.5 ${set}${paused("SIGALRM")}`);
    expect(parsed.signals.map(({ signal }) => signal)).toEqual([14]);
    expect(handled(runScenario(parsed, "native-linux"), "main")).toEqual(["SIGALRM"]);
  });
});

describe("a log that is cut in a loop of a timer", () => {
  const tick = (ms: number): string => `
      5 ${ms} pause( <unfinished ...>
      5 ${ms + 29} <... pause resumed>) = ? ERESTARTNOHAND (To be restarted if no handler) <0.029000>
      5 ${ms + 29.1} --- SIGALRM {si_signo=SIGALRM, si_code=SI_KERNEL} ---`;
  const back = (ms: number): string => `
      5 ${ms} rt_sigreturn({mask=[]}) = -1 EINTR (Interrupted system call) <0.000010>`;
  const timer = `
      5 1 ${ALARM}
      5 1.5 setitimer(ITIMER_REAL, {it_interval={tv_sec=0, tv_usec=30000}, it_value={tv_sec=0, tv_usec=30000}}, NULL) = 0 <0.000010>`;

  test.each([
    ["in the handler", `${timer}${tick(2)}${back(31.3)}${tick(32)}`],
    ["behind it", `${timer}${tick(2)}${back(31.3)}${tick(32)}${back(61.3)}`],
  ])("%s runs for a second more, not for ever", (_, text) => {
    const log = importLog(text);
    expect(log.parsed.limit.time).toBeGreaterThan(1e9);
    expect(log.parsed.limit.time).toBeLessThan(1.1e9);
    expect(log.counters.map(({ name }) => name)).toContain("strace.note.timer-goes-on");
    const ran = runScenario(log.parsed, "native-linux");
    // What the log's end cut off is no handler of a second.
    expect(results(ran).filter((result) => result === "pause -EINTR").length).toBeGreaterThanOrEqual(2);
    expect(handled(ran).length).toBeLessThan(40);
  });

  test("that ends the program has no such limit", () => {
    const log = importLog(`${timer}${tick(2)}${back(31.3)}
      5 32 exit_group(0) = ?
      5 32.1 +++ exited with 0 +++`);
    expect(log.parsed.limit.time).toBe(Number.MAX_SAFE_INTEGER);
  });
});
