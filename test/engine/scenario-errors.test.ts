/** What people write wrong in a scenario, and what they are told: file, line, field, what was expected, the nearest name that exists. */

import { describe, expect, it, vi } from "vitest";
import { boot, parseScenario, ScenarioError, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { BUILT_IN, builtIn, endOf, runScenario } from "../support/run-scenario.ts";

/** The text of the error that a scenario file gets; "" when there is none. Anything but a ScenarioError is our bug and fails the test. */
function errorOf(lines: readonly string[]): string {
  return messageOf(() => parseScenario(lines.join("\n"), "x.yaml"));
}

function messageOf(make: () => unknown): string {
  try {
    make();
    return "";
  } catch (error) {
    if (error instanceof ScenarioError) return error.message;
    throw error;
  }
}

const HEAD = ["name: x", "title: t"];

/** Where the one mistake of a main program with this one line is, and what is said of it. */
const said = (line: string): string => errorOf([...HEAD, "main:", `  - ${line}`]);

const DURATION = "expected a duration such as 5ms, 2us, 1.5s or forever (at most 1000000s)";
const SIGNAL = "expected a signal such as SIGINT, SIGRTMIN+2 or 34";
const RESULT = 'expected a result such as EINTR, 0, error, ">= 1" or "!= EAGAIN", or a list of them';

describe("a file that is not YAML", () => {
  it("is reported with line and column, all of it", () => {
    expect(errorOf([...HEAD, "main:", "\t- pause"])).toMatch(/^x\.yaml:4:1: not YAML: Tabs are not allowed/);
    expect(errorOf([...HEAD, "main: [pause"])).toMatch(/^x\.yaml:3:\d+: not YAML: /);
    expect(errorOf([...HEAD, "main: []", "main: []", "title: u"])).toBe(
      'x.yaml:4:1: "main" stands in this map already\nx.yaml:5:1: "title" stands in this map already',
    );
    expect(errorOf([...HEAD, "main: []", "---", "name: y"])).toBe(
      "x.yaml:4:1: not YAML: a second --- begins another document; expected one scenario in a file",
    );
  });

  it.each(["", "garbage (((", "- pause", "[1, 2]", "42", "null"])("is no scenario when it is no map: %s", (text) => {
    expect(errorOf([text])).toBe("x.yaml:1:1: expected a scenario, a map with name, title and main (eintr scenarios NAME prints one)");
  });

  it("may not eat memory or the call stack by its aliases", () => {
    const tenfold = (name: string, of: string): string => `${name}: &${name} [${Array.from({ length: 10 }, () => of).join(", ")}]`;
    expect(errorOf([tenfold("a", "x"), tenfold("b", "*a"), tenfold("c", "*b"), tenfold("d", "*c")])).toMatch(/^x\.yaml:1:1: .*alias/);
    expect(errorOf([...HEAD, "main: &again", "  - loop: { do: *again }"])).toMatch(
      /^x\.yaml:\d+:\d+: nested too deeply \(does an alias contain itself\?\)$/,
    );
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    expect(errorOf([...HEAD, `main: ${deep}`])).toMatch(/^x\.yaml/);
  });

  it("is too long for YAML above 4 MB, and says what to do", () => {
    expect(errorOf(["#".repeat(4_000_001)])).toMatch(/^x\.yaml: 4000001 characters.*write JSON/);
    expect(errorOf([`{"name": 3, ${" ".repeat(4_000_000)}`])).toMatch(/^x\.yaml: not JSON: /);
  });

  it("is told with line and column when it is JSON, too", () => {
    expect(errorOf(['{"name":"x","title":"t",', '"main":["raed"]}'])).toBe(
      'x.yaml:2:9: main[0]: unknown operation "raed"; did you mean "read"?',
    );
  });
});

describe("an operation", () => {
  it("is one name or a map with one name", () => {
    const expected = "expected one operation, such as `- pause` or `- read: {from: p}`";
    for (const item of ["{ pause: {}, getpid: {} }", "null", "[pause]", "{}", "5"])
      expect(said(item)).toBe(`x.yaml:4:5: main[0]: ${expected}`);
  });

  it.each([
    ["raed: { from: p }", '4:5: main[0]: unknown operation "raed"; did you mean "read"?'],
    ["loop: { do: [ { nanoslep: 1ms } ] }", '4:19: main[0].loop.do[0]: unknown operation "nanoslep"; did you mean "nanosleep"?'],
    ["read: { form: p }", '4:13: main[0].read: unknown field "form"; did you mean "from"?'],
    ["nanosleep: { for: 1ms, fur: 1ms }", '4:28: main[0].nanosleep: unknown field "fur"; did you mean "for"?'],
    ["sigsuspend: { maks: [] }", '4:19: main[0].sigsuspend: unknown field "maks"; did you mean "mask"?'],
    ["read: { zzz: 5 }", '4:13: main[0].read: unknown field "zzz"; known are: from, bytes, takes, result, expect, line, about'],
    ["read: 5", "4:11: main[0].read: expected a map with the fields from, bytes, takes, result, expect, line, about, found 5"],
    ["compute", `4:5: main[0].compute.for: missing; ${DURATION}`],
    ["compute: 5 minutes", `4:14: main[0].compute: ${DURATION}, found "5 minutes"`],
    ["compute: { for: 5 minutes }", `4:21: main[0].compute.for: ${DURATION}, found "5 minutes"`],
    ["sigaction: { signal: SIGFOO, handler: default }", `4:26: main[0].sigaction.signal: ${SIGNAL}, found "SIGFOO"`],
    ["sigaction: { signal: 65, handler: default }", `4:26: main[0].sigaction.signal: ${SIGNAL}, found 65`],
    ["sigaction: { signal: SIGINT }", "4:16: main[0].sigaction.handler: missing; expected the name of a handler, default, ignore or none"],
    ["sigsuspend: [SIGINT, SIGFOO]", `4:26: main[0].sigsuspend[1]: ${SIGNAL}, found "SIGFOO"`],
    ["kill: { signal: [] }", `4:21: main[0].kill.signal: expected 0, or ${SIGNAL.slice("expected ".length)}, found an empty list`],
    ["sigprocmask: { how: blok, signals: [] }", '4:25: main[0].sigprocmask.how: expected one of block, unblock, set, found "blok"'],
    ["read: { from: p, bytes: -1 }", "4:29: main[0].read.bytes: expected a whole number from 0 to 1000000000, found -1"],
    ["read: { from: p, bytes: 1.5 }", "4:29: main[0].read.bytes: expected a whole number from 0 to 1000000000, found 1.5"],
    ["read: { from: p, result: .nan }", "4:30: main[0].read.result: expected a whole number, or an error such as -EINTR, found NaN"],
    ["read: { from: p, result: ETWICE }", '4:30: main[0].read.result: expected a whole number, or an error such as -EINTR, found "ETWICE"'],
    ["read: { from: [p] }", "4:19: main[0].read.from: expected a name of at most 200 characters, found a list of 1"],
    ["poll: { on: [] }", "4:17: main[0].poll.on: expected a name or a list of names, found an empty list"],
    [
      "fault: divid",
      '4:12: main[0].fault: expected one of divide, float, memory, align, illegal, int3, cpuid, rdtsc, syscall, hlt, in, protection, noncanonical, stack, found "divid"',
    ],
    ["fault: { what: divide, at: internal }", "4:32: main[0].fault.at: expected only with what: memory"],
    ["wait4: { nohang: 1 }", "4:22: main[0].wait4.nohang: expected true or false, found 1"],
    ["loop: { times: many, do: [] }", '4:20: main[0].loop.times: expected a whole number from 0 to 1000000000, or forever, found "many"'],
    ["loop: { times: 3 }", "4:11: main[0].loop.do: missing; expected a list of operations"],
    ["loop: { do: pause }", '4:17: main[0].loop.do: expected a list of operations, found "pause"'],
    ["exit: 256", "4:11: main[0].exit: expected a whole number from 0 to 255, found 256"],
    ["retry: { while: EINTER, do: [] }", `4:21: main[0].retry.while: ${RESULT}, found "EINTER"`],
    ["retry: { while: [EINTR, '=> 1'], do: [] }", `4:21: main[0].retry.while: ${RESULT}, found a list of 2`],
    ["if: { do: [] }", "4:9: main[0].if: expected exactly one of result, flag"],
    ["if: { flag: f, result: 0, do: [] }", "4:9: main[0].if: expected exactly one of result, flag"],
    [
      "if: { flag: f, else: [ { if: { flag: f, do: [ pawse ] } } ] }",
      '4:51: main[0].if.else[0].if.do[0]: unknown operation "pawse"; did you mean "pause"?',
    ],
    ["set: [f]", "4:10: main[0].set: expected a name of at most 200 characters, found a list of 1"],
    ["compute: 10000000s", `4:14: main[0].compute: ${DURATION}, found "10000000s"`],
    ["compute: 1000000.1s", `4:14: main[0].compute: ${DURATION}, found "1000000.1s"`],
    ["compute: 1000000000000001", `4:14: main[0].compute: ${DURATION}, found 1000000000000001`],
    ["compute: -1", `4:14: main[0].compute: ${DURATION}, found -1`],
  ])("%s", (line, message) => {
    expect(said(line)).toBe(`x.yaml:${message}`);
  });

  it.each([
    "compute: 5",
    "compute: 1000000s",
    "compute: 1000000000000000",
    "compute: forever",
    "compute: { for: 2us }",
    "sigaction: { signal: 64, handler: default }",
    "sigaction: { signal: sigrtmin+2, handler: ignore }",
    "sigsuspend: [SIGINT]",
    "exit",
    "exit: 3",
    "kill: { signal: 0 }",
    "read: ~",
    "set: constructor",
    "retry: { while: [-EINTR, '> 0', 5, error], do: [] }",
  ])("%s is right", (line) => {
    expect(said(line)).toBe("");
  });

  it("with a list that is too long: how long it may be", () => {
    const mask = Array(1001).fill("1").join(", ");
    expect(said(`sigaction: { signal: 1, handler: ignore, mask: [${mask}] }`)).toBe(
      "x.yaml:4:52: main[0].sigaction.mask: expected at most 1000 entries, found a list of 1001",
    );
  });

  it("whose name no operation is near to: those that are known, not all of them", () => {
    // Names that every JavaScript object has are no operations either.
    for (const name of ["toString", "__proto__", "constructor"])
      expect(said(name)).toMatch(
        new RegExp(`^x\\.yaml:4:5: main\\[0\\]: unknown operation "${name}"; known are: read, write, .* and \\d+ more$`),
      );
  });
});

describe("all mistakes of a file", () => {
  it("are told at once, in the order of the file, names that lead nowhere too", () => {
    const text = [
      ...HEAD,
      "main:",
      "  - clone: worker",
      "  - loop: { do: [ { reed: {} }, { exit: 300 } ] }",
      "signls: []",
      "handlers:",
      "  h: [ { sigaction: { signal: SIGFOO, handler: g } } ]",
      "limit: 5",
    ];
    expect(errorOf(text).split("\n")).toEqual([
      'x.yaml:4:12: main[0].clone: no program "worker"; there is none',
      'x.yaml:5:19: main[1].loop.do[0]: unknown operation "reed"; did you mean "read"?',
      "x.yaml:5:41: main[1].loop.do[1].exit: expected a whole number from 0 to 255, found 300",
      'x.yaml:6:1: unknown field "signls"; did you mean "signals"?',
      `x.yaml:8:31: handlers.h[0].sigaction.signal: ${SIGNAL}, found "SIGFOO"`,
      'x.yaml:8:48: handlers.h[0].sigaction.handler: no handler "g"; known are: h, default, ignore, none',
      "x.yaml:9:8: limit: expected a map with the fields time, transitions, found 5",
    ]);
  });

  it("of many, twenty are shown and the rest is counted", () => {
    const lines = errorOf([...HEAD, "main:", ...Array.from({ length: 25 }, () => "  - raed")]).split("\n");
    expect(lines).toHaveLength(21);
    expect(lines[19]).toMatch(/^x\.yaml:23:5: main\[19\]/);
    expect(lines[20]).toBe("... and 5 more");
  });

  it("are some lines, however long the names, deep the lists and many the programs are", () => {
    const long = "k".repeat(10_000_000);
    const file = { name: "x", title: "t", main: [{ clone: long }, long], [long]: 3, programs: { [long]: [long] } };
    const message = errorOf([JSON.stringify(file)]);
    expect(message.split("\n")).toHaveLength(5);
    expect(message.length).toBeLessThan(2000);
    let deep = "raed";
    for (let i = 0; i < 40; i += 1) deep = `{ loop: { do: [ ${deep} ] } }`;
    expect(said(deep)).toMatch(
      /^x\.yaml:4:\d+: main\[0\]\.loop\.do.{50,90} \.\.\. .{80}: unknown operation "raed"; did you mean "read"\?$/,
    );
  });

  it("come at once when there are 20,000 programs", () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `program-${i}-${"x".repeat(100)}`);
    const started = performance.now();
    const message = errorOf([...HEAD, "main:", "  - clone: zzz", "programs:", ...names.map((name) => `  ${name}: []`)]);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(message).toMatch(/^x\.yaml:4:12: main\[0\]\.clone: no program "zzz"; known are: program-0-x+, program-1-x+ and 19998 more$/);
  });

  it("never come with a warning of the YAML library", () => {
    const warned = vi.spyOn(process, "emitWarning");
    expect(errorOf([...HEAD, "main: []", "? [a, b]", ": c", "x: !foo y"])).toBe(
      [
        'x.yaml:4:3: unknown field "[ a, b ]"; known are: name, title, source, about, seed, main, programs, handlers, sorts, signals, arrivals, objects, debug, options, mask, ignore, limit, interrupts',
        'x.yaml:6:1: unknown field "x"; known are: name, title, source, about, seed, main, programs, handlers, sorts, signals, arrivals, objects, debug, options, mask, ignore, limit, interrupts',
      ].join("\n"),
    );
    expect(warned).not.toHaveBeenCalled();
  });
});

describe("a name that leads nowhere", () => {
  const rest = ["programs:", "  receiver: []", "handlers:", "  on-sigint:", "    - sigsetjmp: { place: here, do: [] }"];
  it.each([
    ["clone: reciever", "12", ".clone", 'no program "reciever"; did you mean "receiver"?'],
    ["fork: { program: reciever }", "22", ".fork.program", 'no program "reciever"; did you mean "receiver"?'],
    ["wait4: { child: reciever }", "21", ".wait4.child", 'no program "reciever"; did you mean "receiver"?'],
    ["sigaction: { signal: SIGINT, handler: on-sigitn }", "43", ".sigaction.handler", 'no handler "on-sigitn"; did you mean "on-sigint"?'],
    ["siglongjmp: hare", "17", ".siglongjmp", 'no sigsetjmp place "hare"; did you mean "here"?'],
  ])("%s", (operation, column, field, message) => {
    expect(errorOf([...HEAD, "main:", `  - ${operation}`, ...rest])).toBe(`x.yaml:4:${column}: main[0]${field}: ${message}`);
    for (const list of ["loop: { do: [", "retry: { while: 0, do: [", "if: { flag: f, else: ["])
      expect(errorOf([...HEAD, "main:", `  - ${list} { ${operation} } ] }`, ...rest])).toContain(message);
  });

  it("says so when there is nothing to mean", () => {
    expect(said("clone: worker")).toBe('x.yaml:4:12: main[0].clone: no program "worker"; there is none');
  });

  it("knows the two handlers that need no declaration", () => {
    expect(said("sigaction: { signal: SIGINT, handler: default }")).toBe("");
    expect(said("sigaction: { signal: SIGINT, handler: ignore }")).toBe("");
    expect(said("sigaction: { signal: SIGINT, handler: ignor }")).toContain('did you mean "ignore"?');
  });
});

describe("a plan", () => {
  const plan = (when: string, more = ""): string =>
    errorOf([...HEAD, "main: [pause]", "signals:", "  - signal: SIGINT", `    when: ${when}`, ...(more === "" ? [] : [more])]);

  it("needs exactly one form of when", () => {
    expect(plan("{}")).toBe("x.yaml:6:11: signals[0].when: expected exactly one of at, every, rate, call, handler, site");
    expect(plan("{ at: 1ms, every: 2ms }")).toContain("expected exactly one of");
    expect(plan("{ call: pause }")).toBe("x.yaml:6:11: signals[0].when: expected a thread with call, handler and site");
    expect(plan("{ thread: main, call: pause }")).toBe("");
  });

  it.each([
    ["{ thread: main, call: raed }", "", '6:33: signals[0].when.call: no call "raed"; did you mean "read"?'],
    ["{ ath: 1ms, at: 1ms }", "", '6:13: signals[0].when: unknown field "ath"; did you mean "at"?'],
    ["{ at: 1ms }", "    stacks: [graphene]", `7:14: signals[0].stacks[0]: expected one of ${STACK_NAMES.join(", ")}, found "graphene"`],
    ["{ at: 1ms }", "    singal: SIGINT", '7:5: signals[0]: unknown field "singal"; did you mean "signal"?'],
    ["{ rate: 0 }", "", "6:19: signals[0].when.rate: expected a number from 0.000001 to 1000000, found 0"],
    ["{ thread: main, handler: SIGFOO }", "", `6:36: signals[0].when.handler: ${SIGNAL}, found "SIGFOO"`],
    ["{ thread: main, call: pause, nth: 0 }", "", "6:45: signals[0].when.nth: expected a whole number from 1 to 1000000000, found 0"],
    ["soon", "", /^x\.yaml:6:11: signals\[0\]\.when: expected a map with the fields at, every, .*, found "soon"$/],
    ["{ thread: mian, call: pause }", "", '6:21: signals[0].when.thread: no program "mian"; did you mean "main"?'],
    [
      "{ at: 1ms }",
      "    process: servr",
      '7:14: signals[0].process: no program "servr"; known are: main, async-helper, ipc-helper, async-worker, ipc-worker',
    ],
    ["{ at: 1ms }", "    thread: main#2", ""],
  ])("%s %s", (when, more, message) => {
    if (typeof message === "string") expect(plan(when, more)).toBe(message === "" ? "" : `x.yaml:${message}`);
    else expect(plan(when, more)).toMatch(message);
  });

  it("of arrivals is looked at as well", () => {
    const text = [...HEAD, "main: [pause]", "arrivals:", "  - { to: p, when: { thread: mian, call: raed } }"];
    expect(errorOf(text).split("\n")).toEqual([
      'x.yaml:5:30: arrivals[0].when.thread: no program "mian"; did you mean "main"?',
      'x.yaml:5:42: arrivals[0].when.call: no call "raed"; did you mean "read"?',
    ]);
  });

  it("names a place of the stack that runs, else the nearest one, with file and line", () => {
    const text = (site: string): string =>
      [...HEAD, "main: [pause]", "signals:", `  - { signal: SIGINT, when: { thread: main, site: "${site}" } }`].join("\n");
    const message = (site: string, stack: StackName): string =>
      messageOf(() => boot({ stack, scenario: parseScenario(text(site), "x.yaml") }));
    expect(message("DkStreamRead: INLINE_SYSCALL(read)", "graphene-linux")).toBe("");
    expect(message("DkStreamRead: INLINE_SYSCALL(read)", "graphene-sgx")).toBe(
      'x.yaml:5:51: signals[0].when.site: stack graphene-sgx has no place "DkStreamRead: INLINE_SYSCALL(read)"; did you mean ' +
        '"ocall_read: INLINE_SYSCALL(read)"? (list: eintr stack graphene-sgx)',
    );
    expect(message("zzz", "native-linux")).toBe(
      'x.yaml:5:51: signals[0].when.site: stack native-linux has no place "zzz" (list: eintr stack native-linux)',
    );
  });
});

describe("the scenario's own fields", () => {
  it.each([
    ["source: 2.18", "4:9: source: expected a text of 0 to 300 characters, found 2.18 (write it in quotes)"],
    ["signls: []", '4:1: unknown field "signls"; did you mean "signals"?'],
    ["limit: { tim: 5ms }", '4:10: limit: unknown field "tim"; did you mean "time"?'],
    ["limit: { time: -5 }", `4:16: limit.time: ${DURATION}, found -5`],
    ["limit: { transitions: -5 }", "4:23: limit.transitions: expected a whole number of at least 0, found -5"],
    ["limit: 5", "4:8: limit: expected a map with the fields time, transitions, found 5"],
    ["interrupts: 1e9", "4:13: interrupts: expected a number from 0 to 1000000, found 1000000000"],
    ["seed: -1", "4:7: seed: expected a whole number from 0 to 4294967295, found -1"],
    ["seed: 4294967296", "4:7: seed: expected a whole number from 0 to 4294967295, found 4294967296"],
    ["programs: []", "4:11: programs: expected a map from names to lists of operations, found an empty list"],
    ["programs: { p: ~ }", "4:16: programs.p: expected a list of operations, found nothing"],
    ['programs: { "": [] }', '4:17: programs."": expected a name of at most 200 characters before the colon'],
    [
      "signals: 5",
      "4:10: signals: expected a list, each entry a map with the fields signal, process, thread, when, stacks, lacked, found 5",
    ],
  ])("%s", (line, message) => {
    expect(errorOf([...HEAD, "main: []", line])).toBe(`x.yaml:${message}`);
  });

  it("name, title and main are needed; a name is no path", () => {
    const NAME = "expected a name of letters, digits, dots and dashes (at most 200 characters)";
    expect(errorOf(["seed: 1"])).toBe(
      [
        `x.yaml:1:1: name: missing; ${NAME}`,
        "x.yaml:1:1: title: missing; expected a text of 1 to 300 characters",
        "x.yaml:1:1: main: missing; expected a list of operations",
      ].join("\n"),
    );
    expect(errorOf(["name: ../x", "title: t", "main: []"])).toBe(`x.yaml:1:7: name: ${NAME}, found "../x"`);
  });
});

describe("the built-in scenarios", () => {
  it.each(BUILT_IN)("%s has its file's name, a title, a source, and uses what it declares", (name) => {
    const scenario = builtIn(name);
    expect(scenario.name).toBe(name);
    expect(scenario.title).not.toBe("");
    expect(scenario.source).not.toBe("");
    const text = JSON.stringify([scenario.main, scenario.programs, scenario.handlers]);
    for (const used of [...Object.keys(scenario.programs), ...Object.keys(scenario.handlers)]) expect(text).toContain(`"${used}"`);
  });

  /** A blocked signal that is pending: the way back from a system call asks for it again and again (pr347.md, c4). */
  const SPINS = ["spurious-yield graphene-pr347", "w7-burst-blocked graphene-pr347"];
  const cells = BUILT_IN.flatMap((name) => STACK_NAMES.map((stack): [string, StackName] => [name, stack]));
  it.each(cells)("%s runs to an end on %s", (name, stack) => {
    const bound = SPINS.includes(`${name} ${stack}`) ? 20_000 : name === "server" ? 10_000 : 200_000;
    const ran = runScenario({ ...builtIn(name), limit: { time: builtIn(name).limit.time, transitions: bound } }, stack);
    expect(ran.machine.ended !== null || ran.machine.seq === bound).toBe(true);
    const end = endOf(ran);
    // Only a scenario with a limit of its own may go on for ever, and what the source says goes on for ever.
    if (end === "endless") expect(bound === 20_000 || name === "server" || builtIn(name).limit.time < Number.MAX_SAFE_INTEGER).toBe(true);
    else expect(bound).not.toBe(20_000);
    if (stack === "native-linux") expect(name === "default-action" ? ["killed"] : ["exit", "endless"]).toContain(end);
    expect(ran.rows.filter((row) => row.what === "undefined")).toEqual([]);
  });
});

it.each(["-11", "-EAGAIN", "EAGAIN"])("a result is a number or an error's name: %s", (result) => {
  const { main } = parseScenario([...HEAD, "main:", `  - call: { name: futex, result: ${result} }`].join("\n"), "x.yaml");
  expect(main[0]).toMatchObject({ op: "call", result: -11 });
});
