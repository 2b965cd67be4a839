/** `eintr show`: the two-column form. */

import { describe, expect, test } from "vitest";
import { displayWidth } from "../../tui/present/safe.ts";
import { eintr } from "../support/command-line.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();

async function trace(scenario: string, stack: string): Promise<string> {
  const dir = fresh(`${scenario}.trace`);
  await eintr(["record", scenario, "--stack", stack, "-o", dir]);
  return dir;
}

/** Lines that name these texts, in this order. */
function inOrder(text: string, wanted: readonly string[]): void {
  let from = 0;
  for (const one of wanted) {
    const at = text.indexOf(one, from);
    expect(at, `"${one}" after position ${from} of\n${text}`).toBeGreaterThanOrEqual(0);
    from = at + one.length;
  }
}

describe("two columns", () => {
  test("an asynchronous exit, on the page's road", async () => {
    const { out } = await eintr(["show", await trace("async-in-enclave", "graphene-sgx"), "--from", "66", "--width", "100"]);
    inOrder(out, [
      "Normal context",
      "Signal context",
      "AEX",
      "SIGINT",
      "_DkTerminateSighandler",
      "sgx_raise(event)",
      "EENTER(RBX, RCX)  [CSSA 1]",
      "EEXIT",
      "back",
      "ERESUME  [CSSA 0]",
      "_DkExceptionHandler",
      "_DkGenericSignalHandle",
    ]);
    // What happens in signal context stands in the right column only.
    const raise = out.split("\n").find((line) => line.includes("sgx_raise(event)"));
    expect(raise?.indexOf("sgx_raise")).toBeGreaterThan(45);
  });

  test.each([60, 80, 132, 200])("no line is wider than %i cells", async (width) => {
    const dir = await trace("lost-interrupted-error", "graphene-sgx");
    await eintr(["analyze", dir]);
    const { out } = await eintr(["show", dir, "--finding", "1", "--width", String(width)]);
    const widths = out.split("\n").map(displayWidth);
    expect(Math.max(...widths.slice(1))).toBeLessThanOrEqual(width);
    expect(widths.length).toBeGreaterThan(50);
  });

  test("evidence is marked and told", async () => {
    const dir = await trace("lost-interrupted-error", "graphene-sgx");
    await eintr(["analyze", dir]);
    const { out } = await eintr(["show", dir, "--finding", "1", "--ascii", "--width", "120"]);
    expect(out.split("\n").filter((line) => line.startsWith("      ^ "))).toHaveLength(9);
    expect(out).toMatch(/^[\n\x20-\x7e]*$/);
  });

  test("--all leaves nothing out; without it what is left out is said", async () => {
    const dir = await trace("nested", "graphene-linux");
    const seqs = (text: string): number[] => [...text.matchAll(/^ *(\d+) {2}[a-z]/gm)].map((match) => Number(match[1]));
    const all = await eintr(["show", dir, "--from", "0", "--to", "60", "--all"]);
    const own = await seqsBeside(dir, 0, 0, 60);
    expect(seqs(all.out)).toEqual(own);
    const folded = await eintr(["show", dir, "--from", "0", "--to", "60"]);
    expect(folded.talk).toMatch(/\(\d+ of \d+ transitions are folded or left out/);
    expect(seqs(folded.out).length).toBeLessThan(own.length);
  });

  test("one thread at a time; the others are counted", async () => {
    const dir = await trace("sigsuspend-lock", "graphene-linux");
    const { out } = await eintr(["show", dir, "--thread", "sender", "--rows", "300"]);
    expect(out).toContain("thread sender");
    expect(out).toMatch(/\d+ of other threads/);
  });

  test("--around and JSON", async () => {
    const dir = await trace("nested", "graphene-linux");
    const { out } = await eintr(["show", dir, "--around", "40", "--format", "json"]);
    const rows = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { seq: number; kind: string; flow: string });
    expect(rows.length).toBeGreaterThan(0);
    const own = await seqsBeside(dir, 40, 0, 1e6);
    const at = own.indexOf(40);
    expect(rows.map((row) => row.seq)).toEqual(own.slice(Math.max(0, at - 40), at + 41));
    expect(rows[0]).toMatchObject({ kind: expect.any(String), flow: expect.any(String) });
  });
});

/** The transitions in an interval of the thread that made the one at `at`, from the database. */
async function seqsBeside(dir: string, at: number, from: number, to: number): Promise<number[]> {
  const sql = `SELECT seq FROM transition WHERE thread = (SELECT thread FROM transition WHERE seq = ${at}) AND seq BETWEEN ${from} AND ${to} ORDER BY seq`;
  const { out } = await eintr(["query", dir, sql, "--format", "json"]);
  return (JSON.parse(out) as { seq: number }[]).map(({ seq }) => seq);
}

test("what a stack does not have is null in json", async () => {
  const { out } = await eintr(["show", await trace("nested", "native-linux"), "--from", "0", "--to", "0", "--format", "json"]);
  expect(JSON.parse(out)).toMatchObject({ seq: 0, cssa: null, preempt: null, pending: null, depth: expect.any(Number) });
});

describe("wrong use names the place", () => {
  test.each([
    [["--from", "9999999"], "seq 9999999 is after the last transition"],
    [["--from", "5", "--to", "3"], "--to 3 is before --from 5"],
    [["--thread", "nobody"], 'no thread "nobody"; there are: main'],
    [["--finding", "3"], "no finding 3; run eintr analyze"],
    [["--rows", "x"], "--rows: expected a whole number"],
    [["--width", "10"], "--width: expected a whole number of at least 60"],
  ])("%j", async (args, message) => {
    const { code, talk, out } = await eintr(["show", await trace("nested", "native-linux"), ...args]);
    expect([code, out]).toEqual([2, ""]);
    expect(talk).toContain(message);
  });
});
