/** The replay of traces that are damaged, or of another build: it says what is wrong where it shows, and goes on. */

import { closeSync, cpSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../../../engine/index.ts";
import { ARROW_NAME, openTrace, type Trace } from "../../../recorder/index.ts";
import { paint } from "../../../tui/present/style.ts";
import { onKey } from "../../../tui/replay/input/input.ts";
import { machinesOf } from "../../../tui/replay/machine/machine-at.ts";
import { rowsOf } from "../../../tui/replay/navigate/rows.ts";
import { openSession, type ReplaySession } from "../../../tui/replay/session.ts";
import { playerOf, recordScenario, sessionOf } from "../../support/replay.ts";
import { tempPaths } from "../../support/temp-dir.ts";

const fresh = tempPaths();
const ROWS = 50_000;
const opened: Trace[] = [];
afterAll(() => {
  for (const trace of opened) trace.close();
});

/** Several batches, each with a keyframe. */
let whole: Trace;
beforeAll(async () => {
  whole = await recordScenario("server", fresh("whole.trace"), { rows: ROWS });
  opened.push(whole);
});

/** A copy of it, damaged before it is opened. */
async function damaged(damage: (write: (offset: number, bytes: Buffer) => void) => void): Promise<Trace> {
  const dir = fresh("damaged.trace");
  cpSync(whole.dir, dir, { recursive: true });
  const fd = openSync(path.join(dir, ARROW_NAME), "r+");
  damage((offset, bytes) => void writeSync(fd, bytes, 0, bytes.length, offset));
  closeSync(fd);
  const trace = await openTrace(dir);
  opened.push(trace);
  return trace;
}

const entry = (trace: Trace, batch: number) => {
  const found = trace.transitions.batches[batch];
  if (found === undefined) throw new Error(`no batch ${batch}`);
  return found;
};

const look = { paint: paint(false), ascii: false } as const;
const open = (trace: Trace): ReplaySession => ({ ...openSession(trace, look, null), stored: [] });

describe("a damaged batch", () => {
  let trace: Trace;
  beforeAll(async () => {
    trace = await damaged((write) => {
      const { metadataOffset, metadataLength, bodyLength } = entry(whole, 1);
      write(metadataOffset + metadataLength, Buffer.alloc(bodyLength, 0xff));
    });
  });

  test("is told by the step that leads into it; one stays where one was, and sees it", async () => {
    const edge = entry(trace, 1).seq0 - 1;
    const s = playerOf(open(trace), { seq: edge, thread: rowsOf(trace).at(edge)?.thread ?? 0 });
    await s.type("J");
    expect(s.state().seq).toBe(edge);
    expect(s.state().message).toMatch(/transitions\.arrow.*batch 1/);
    expect(s.screen()).toMatch(new RegExp(`► *${edge}`));
    await s.type("k");
    expect(s.state().seq).toBeLessThan(edge);
  });

  test("a jump over it works", async () => {
    const s = playerOf(open(trace));
    await s.type(`g${entry(trace, 2).seq0 + 5}\r`);
    expect(s.state().seq).toBe(entry(trace, 2).seq0 + 5);
    expect(s.screen()).toContain(`seq ${entry(trace, 2).seq0 + 5} of`);
  });

  test("stood in, each pane says so", async () => {
    const s = playerOf(open(trace), { seq: entry(trace, 1).seq0 + 1 });
    for (const key of ["1", "4", "5"]) {
      await s.type(key);
      expect(s.screen()).toContain("this cannot be shown: ");
    }
  });
});

describe("a keyframe", () => {
  /** The state's text replaced by another of the same length. */
  const withState = (change: (machine: Machine, text: string) => string): Promise<Trace> =>
    damaged((write) => {
      const { offset, length } = entry(whole, 0).keyframe ?? { offset: 0, length: 0 };
      const text = String(whole.transitions.keyframe(0));
      const changed = change(JSON.parse(text) as Machine, text);
      expect(changed.length).toBeLessThanOrEqual(length);
      write(offset, Buffer.from(changed.padEnd(length)));
    });

  const changed = (change: (machine: Machine) => void) =>
    withState((machine) => {
      change(machine);
      return JSON.stringify(machine);
    });

  /** What the state pane says behind the keyframe. */
  function said(trace: Trace, after = 10): string {
    const s = playerOf(open(trace), { seq: entry(trace, 1).seq0 + after, width: 100, height: 60 });
    return s.screen().replace(/\s+/g, " ");
  }

  test.each<[string, (machine: Machine, text: string) => string, string]>([
    ["garbage", (_, text) => "x".repeat(text.length), "not JSON"],
    ["a list", () => "[]", "machine.seq is not what a state has there"],
    ["null", () => "null", "machine is not what a state has there"],
    ["an empty machine", () => "{}", "machine.seq is not what a state has there"],
  ])("that is %s is no state", async (_, change, why) => {
    expect(said(await withState(change))).toContain(why);
  });

  test.each<[string, (machine: Machine) => void, string]>([
    ["a thread without registers", (m) => void Object.assign(m.threads[0] ?? {}, { rax: undefined }), "machine.threads[0].rax"],
    ["a thread without its enclave", (m) => void Object.assign(m.threads[0] ?? {}, { sgx: {} }), "machine.threads[0].sgx.mapped"],
    ["a frame of no flow", (m) => void Object.assign(m.threads[0]?.host[0] ?? {}, { flow: undefined }), "machine.threads[0].host[0]"],
    ["a process of numbers", (m) => void (m.processes = [7 as never]), "machine.processes[0]"],
    ["a live thread that is not there", (m) => void (m.live = [999]), "machine.live: thread 999"],
    [
      "texts that the trace does not have",
      (m) => void Object.assign(m, { lists: { threads: 1, texts: 999, decisions: 0 } }),
      "lists.texts",
    ],
    ["the state of another seq", (m) => void (m.seq -= 3), "it is the state after seq"],
  ])("with %s is no state", async (_, change, why) => {
    const text = said(await changed(change));
    expect(text).toContain(why);
    expect(text).toContain("recorded by eintr test, this is ");
  });

  test("that leads another way than the recording: no state from there on, and before it there is one", async () => {
    const trace = await changed((m) => {
      const next = m.threads[rowsOf(whole).at(entry(whole, 1).seq0)?.thread ?? -1];
      const top = (next?.stack === 1 ? next.enclave : next?.host)?.at(-1);
      if (top !== undefined) top.pc += top.pc > 0 ? -1 : 1;
    });
    const machines = machinesOf(trace, rowsOf(trace));
    const text = said(trace, 200);
    expect(text).toMatch(/no state from seq \d+ on: the run makes another (?:kind|site|thread|depth) than the recording/);
    const from = Number(/no state from seq (\d+)/.exec(text)?.[1]);
    expect(machines.at(from)).toHaveProperty("none");
    if (from > entry(trace, 1).seq0) expect(machines.at(from - 1)).toHaveProperty("machine");
    expect(machines.at(entry(trace, 1).seq0 - 2)).toHaveProperty("machine");
    expect(machines.at(entry(trace, 2).seq0 + 2)).toHaveProperty("machine");
  });
});

describe("a trace of another build", () => {
  const own = async (): Promise<Trace> => {
    const trace = await recordScenario("nested", fresh("nested.trace"));
    opened.push(trace);
    return trace;
  };

  test("with other steps has no state that could be trusted, and the pane says why", async () => {
    const trace = await own();
    const sites = trace.sites.map((site, i) => (i === 40 ? { ...site, label: "another step" } : site));
    const session = open({ ...trace, sites });
    const s = playerOf(session, { seq: 20, width: 100 });
    expect(s.screen().replace(/\s+/g, " ")).toMatch(/recorded by eintr test, this is .*: site 40 is "[^"]*another step" there/);
  });

  test("with a stack that is unknown here", async () => {
    const trace = await own();
    const session = open({ ...trace, info: { ...trace.info, stack: "graphene-tdx" } });
    expect(playerOf(session, { width: 100 }).screen()).toContain('the stack "graphene-tdx"');
  });
});

test("an error while a pane is drawn takes the pane, not the program", async () => {
  const session = await sessionOf("initialisation", fresh("initialisation.trace"));
  opened.push(session.trace);
  const machines = {
    title: "",
    at(): never {
      throw new TypeError("x is not a function");
    },
  };
  const s = playerOf({ ...session, machines }, { width: 100 });
  expect(s.screen()).toContain("this cannot be shown: this is a bug of eintr, please report it: TypeError: x is not a function");
  expect(s.screen()).toContain("Normal context");
});

test("an error in a command is said, and play stops", async () => {
  const session = await sessionOf("initialisation", fresh("again.trace"));
  opened.push(session.trace);
  const s = playerOf(session, { playing: 1 });
  const failing = {
    ...s.context,
    picture: (): string => {
      throw new Error("the disk is full");
    },
  };
  await onKey(failing, { what: "key", name: "s", text: "s" });
  expect(s.state()).toMatchObject({ message: "the disk is full", playing: 0 });
});
