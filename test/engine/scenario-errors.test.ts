/** What people write wrong in a scenario, and what they are told: file, line, field, what was expected, the nearest name that exists. */

import { describe, expect, it } from "vitest";
import { boot, parseScenario, ScenarioError, STACK_NAMES, type StackName } from "../../engine/index.ts";
import { BUILT_IN, builtIn, endOf, runScenario, scenarioOf } from "../support/run-scenario.ts";

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

describe("a file that is not YAML", () => {
  it("is reported with line and column", () => {
    expect(errorOf([...HEAD, "main:", "\t- pause"])).toMatch(/^x\.yaml:4:1: not YAML: Tabs are not allowed/);
    expect(errorOf([...HEAD, "main: [pause"])).toMatch(/^x\.yaml:3:\d+: not YAML: /);
    expect(errorOf([...HEAD, "main: []", "main: []"])).toMatch(/^x\.yaml:4:1: not YAML: Map keys must be unique/);
  });

  it.each(["", "garbage (((", "- pause", "[1, 2]", "42", "null"])("is no scenario when it is no map: %s", (text) => {
    expect(errorOf([text])).toMatch(/^x\.yaml(:1:1)?: expected a scenario, a map with name, title and main/);
  });

  it("may not eat memory or the call stack by its aliases", () => {
    const tenfold = (name: string, of: string): string => `${name}: &${name} [${Array.from({ length: 10 }, () => of).join(", ")}]`;
    expect(errorOf([tenfold("a", "x"), tenfold("b", "*a"), tenfold("c", "*b"), tenfold("d", "*c")])).toMatch(/^x\.yaml: .*alias/);
    expect(errorOf([...HEAD, "main: &again", "  - loop: { do: *again }"])).toBe(
      "x.yaml: nested too deeply (does an alias contain itself?)",
    );
    const deep = `${"[".repeat(20_000)}${"]".repeat(20_000)}`;
    expect(errorOf([...HEAD, `main: ${deep}`])).toMatch(/^x\.yaml/);
  });

  it("is too long for YAML above 4 MB, and says what to do", () => {
    expect(errorOf(["#".repeat(4_000_001)])).toMatch(/^x\.yaml: 4000001 characters.*write JSON/);
  });

  it("is named without a line when it is JSON", () => {
    expect(errorOf(['{"name":"x","title":"t","main":["raed"]}'])).toBe('x.yaml: main[0]: unknown operation "raed"; did you mean "read"?');
  });
});

describe("an operation", () => {
  it("that does not exist: the nearest one", () => {
    expect(errorOf([...HEAD, "main:", "  - pause", "  - raed: { from: p }"])).toBe(
      'x.yaml:5:5: main[1]: unknown operation "raed"; did you mean "read"?',
    );
    expect(errorOf([...HEAD, "main:", "  - loop:", "      do:", "        - nanoslep: 1ms"])).toBe(
      'x.yaml:6:11: main[0].loop.do[0]: unknown operation "nanoslep"; did you mean "nanosleep"?',
    );
    // Names that every JavaScript object has are no operations either.
    expect(errorOf([...HEAD, "main: [toString]"])).toContain('unknown operation "toString"');
  });

  it("with a field that does not exist: the nearest one", () => {
    expect(errorOf([...HEAD, "main:", "  - read:", "      form: p"])).toBe(
      'x.yaml:5:13: main[0].read: unknown field "form"; did you mean "from"?',
    );
    expect(errorOf([...HEAD, "main:", "  - nanosleep: { fur: 1ms }"])).toContain('unknown field "fur"; did you mean "for"?');
    expect(errorOf([...HEAD, "main:", "  - sigsuspend: { maks: [] }"])).toContain('unknown field "maks"; did you mean "mask"?');
  });

  it("is one name or a map with one name", () => {
    const expected = "expected one operation, such as `- pause` or `- read: {from: p}`";
    expect(errorOf([...HEAD, "main:", "  - { pause: {}, getpid: {} }"])).toBe(`x.yaml:4:5: main[0]: ${expected}`);
    expect(errorOf([...HEAD, "main: [null]"])).toBe(`x.yaml:3:8: main[0]: ${expected}`);
    expect(errorOf([...HEAD, "main: [[pause]]"])).toBe(`x.yaml:3:8: main[0]: ${expected}`);
  });

  it.each([
    ["  - compute: 5 minutes", 'main[0].compute: expected a duration such as 5ms, 2us, 1.5s or forever, found "5 minutes"'],
    ["  - compute: 5", ""],
    ["  - sigaction: { signal: SIGFOO, handler: default }", "expected a signal such as SIGINT or 34, found"],
    ["  - sigaction: { signal: 65, handler: default }", 'main[0].sigaction.signal: expected a signal such as SIGINT or 34, found "65"'],
    ["  - sigaction: { signal: 64, handler: default }", ""],
    ["  - sigprocmask: { how: blok, signals: [] }", 'main[0].sigprocmask.how: Invalid option: expected one of "block"|"unblock"|"set"'],
    ["  - read: { from: p, bytes: -1 }", "main[0].read.bytes: Too small: expected number to be >=0"],
    ["  - read: { from: p, bytes: 1.5 }", "main[0].read.bytes: Invalid input: expected int"],
    ["  - fault: divid", 'expected one of "divide"|"memory"'],
    ["  - loop: { times: many, do: [] }", "main[0].loop.times"],
    ["  - loop: { times: 3 }", "main[0].loop.do"],
    ["  - exit: { status: 256 }", "main[0].exit.status: Too big: expected number to be <=255"],
    ["  - sigaction: { signal: SIGINT }", "main[0].sigaction.handler"],
  ])("%s -> %s", (line, message) => {
    const found = errorOf([...HEAD, "main:", line]);
    if (message === "") expect(found).toBe("");
    else expect(found).toMatch(/^x\.yaml:4:\d+: /);
    expect(found).toContain(message);
  });

  it("of many wrong ones: ten are shown, the rest is counted", () => {
    const lines = errorOf([...HEAD, "main:", ...Array.from({ length: 15 }, () => "  - raed")]).split("\n");
    expect(lines).toHaveLength(11);
    expect(lines[9]).toMatch(/^x\.yaml:13:5: main\[9\]/);
    expect(lines[10]).toBe("... and 5 more");
  });
});

describe("a name that leads nowhere", () => {
  it.each([
    ["clone: reciever", 'no program "reciever"; did you mean "receiver"?'],
    ["fork: reciever", 'no program "reciever"; did you mean "receiver"?'],
    ["sigaction: { signal: SIGINT, handler: on-sigitn }", 'no handler "on-sigitn"; did you mean "on-sigint"?'],
    ["siglongjmp: hare", 'no sigsetjmp place "hare"; did you mean "here"?'],
  ])("%s", (operation, message) => {
    const rest = ["programs:", "  receiver: []", "handlers:", "  on-sigint:", "    - sigsetjmp: { place: here, do: [] }"];
    expect(errorOf([...HEAD, "main:", `  - ${operation}`, ...rest])).toBe(`x.yaml:4:5: ${message}`);
    expect(
      errorOf([...HEAD, "main:", "  - loop:", `      do: [${operation.includes(":") ? `{ ${operation} }` : operation}]`, ...rest]),
    ).toContain(message);
  });

  it("says so when there is nothing to mean", () => {
    expect(errorOf([...HEAD, "main:", "  - clone: worker"])).toBe('x.yaml:4:5: no program "worker" (the scenario has none)');
  });

  it("knows the two handlers that need no declaration", () => {
    const line = (handler: string): string => `  - sigaction: { signal: SIGINT, handler: ${handler} }`;
    expect(errorOf([...HEAD, "main:", line("default"), line("ignore")])).toBe("");
    expect(errorOf([...HEAD, "main:", line("ignor")])).toContain('did you mean "ignore"?');
  });
});

describe("a plan", () => {
  const plan = (when: string, more = ""): string =>
    errorOf([...HEAD, "main: [pause]", "signals:", "  - signal: SIGINT", `    when: ${when}`, ...(more === "" ? [] : [more])]);

  it("needs exactly one form of when", () => {
    expect(plan("{}")).toBe("x.yaml:6:11: signals[0].when: expected exactly one of at, every, rate, call, handler, site");
    expect(plan("{ at: 1ms, every: 2ms }")).toContain("expected exactly one of");
    expect(plan("{ call: pause }")).toBe("x.yaml:6:11: signals[0].when: call, handler and site need a thread");
    expect(plan("{ thread: main, call: pause }")).toBe("");
  });

  it("names calls, fields and stacks that exist", () => {
    expect(plan("{ thread: main, call: raed }")).toBe('x.yaml:6:11: no call "raed"; did you mean "read"?');
    expect(plan("{ ath: 1ms }")).toContain('unknown field "ath"; did you mean "at"?');
    expect(plan("{ at: 1ms }", "    stacks: [graphene]")).toContain('expected one of "native-linux"|"graphene-linux"|"graphene-sgx"');
    expect(plan("{ at: 1ms }", "    singal: SIGINT")).toContain('unknown field "singal"; did you mean "signal"?');
  });

  const message = (plan: Record<string, unknown>, stack: StackName): string =>
    messageOf(() => boot({ stack, scenario: scenarioOf({ main: ["pause"], programs: { server: [] }, ...plan }) }));

  it.each(STACK_NAMES)("names threads and processes of the scenario, on %s", (stack) => {
    const when = { at: "1ms" };
    expect(message({ signals: [{ signal: "SIGINT", process: "servr", when }] }, stack)).toBe(
      'signals[0]: no program "servr"; nearest: "server"',
    );
    expect(message({ signals: [{ signal: "SIGINT", thread: "mian", when }] }, stack)).toBe(
      'signals[0]: no program "mian"; nearest: "main"',
    );
    expect(message({ signals: [{ signal: "SIGINT", when: { thread: "mian", call: "pause" } }] }, stack)).toContain(
      "signals[0].when.thread",
    );
    expect(message({ arrivals: [{ to: "p", when: { thread: "mian", call: "pause" } }] }, stack)).toContain("arrivals[0].when.thread");
    expect(message({ signals: [{ signal: "SIGINT", thread: "server#2", when }] }, stack)).toBe("");
  });

  it("names a place of the stack that runs, else the nearest one", () => {
    const at = (site: string): Record<string, unknown> => ({ signals: [{ signal: "SIGINT", when: { thread: "main", site } }] });
    expect(message(at("DkStreamRead: INLINE_SYSCALL(read)"), "graphene-linux")).toBe("");
    expect(message(at("DkStreamRead: INLINE_SYSCALL(read)"), "graphene-sgx")).toBe(
      'stack graphene-sgx has no place "DkStreamRead: INLINE_SYSCALL(read)"; nearest: "ocall_read: INLINE_SYSCALL(read)"' +
        " (list: eintr stack graphene-sgx)",
    );
  });
});

describe("the scenario's own fields", () => {
  it.each([
    ["signls: []", 'unknown field "signls"; did you mean "signals"?'],
    ["limit: { tim: 5ms }", 'limit: unknown field "tim"; did you mean "time"?'],
    ["limit: { time: -5 }", "limit.time: Too small"],
    ["interrupts: 1e9", "interrupts: Too big"],
    ["seed: -1", "seed: Too small"],
    ["seed: 4294967296", "seed: Too big"],
    ["programs: []", "programs: "],
  ])("%s -> %s", (line, message) => {
    expect(errorOf([...HEAD, "main: []", line])).toMatch(/^x\.yaml:4:\d+: /);
    expect(errorOf([...HEAD, "main: []", line])).toContain(message);
  });

  it("name, title and main are needed; a name is no path", () => {
    expect(errorOf(["title: t", "main: []"])).toMatch(/: name: /);
    expect(errorOf(["name: x", "main: []"])).toMatch(/: title: /);
    expect(errorOf(HEAD)).toMatch(/: main: /);
    expect(errorOf(["name: ../x", "title: t", "main: []"])).toBe("x.yaml:1:7: name: expected letters, digits, dots and dashes");
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

  const cells = BUILT_IN.flatMap((name) => STACK_NAMES.map((stack): [string, StackName] => [name, stack]));
  it.each(cells)("%s runs to an end on %s", (name, stack) => {
    const ran = runScenario({ ...builtIn(name), limit: { time: builtIn(name).limit.time, transitions: 80_000 } }, stack);
    expect(ran.machine.ended !== null || ran.machine.seq === 80_000).toBe(true);
    const end = endOf(ran);
    // Only a scenario with a limit of its own may go on for ever.
    if (end === "endless") expect(name === "server" || builtIn(name).limit.time < Number.MAX_SAFE_INTEGER).toBe(true);
    if (stack === "native-linux") expect(["exit", "endless"]).toContain(end);
    expect(ran.rows.filter((row) => row.what === "undefined")).toEqual([]);
  });
});
