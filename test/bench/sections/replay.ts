/** The replay's speed: redraw, key to frame on a long trace, start-up. Ink draws into a stream that measures. */

import { spawn, spawnSync } from "node:child_process";
import path from "node:path";
import { PassThrough, Writable } from "node:stream";
import { render } from "ink";
import { createElement } from "react";
import { openTrace, record } from "../../../recorder/index.ts";
import { paint } from "../../../tui/present/style.ts";
import { INK_OPTIONS, Replay } from "../../../tui/replay/app.tsx";
import { openSession } from "../../../tui/replay/session.ts";
import { type Bars, median, millions, type Setting } from "../bars.ts";
import { server, serverInfo } from "../server.ts";
import { inkTimes } from "./ink.ts";

type Report = Bars["report"];

const REDRAWS = 200;
/** Until the code is compiled, and the rules that run behind the first screen are done. */
const WARM_UP = 150;
const KEYS = 150;
/** Longer than Ink waits between two frames: each key is measured alone. */
const PAUSE_MS = 45;
const START_UPS = 9;
/** A first screen that takes longer never comes. */
const FIRST_SCREEN_MS = 15_000;

const p95 = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? Number.NaN;

/** A terminal of a size that tells when something was written to it. */
class Terminal extends Writable {
  readonly isTTY = true;
  written: (() => void) | null = null;

  constructor(
    readonly columns: number,
    readonly rows: number,
  ) {
    super();
  }

  override _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    done();
    const { written } = this;
    this.written = null;
    written?.();
  }
}

/** Keys typed by the benchmark. */
function keyboard(): PassThrough {
  return Object.assign(new PassThrough(), { isTTY: true, setRawMode() {}, ref() {}, unref() {} });
}

const ignored = { copy() {}, picture: () => "", suspend() {} };

async function mount(dir: string, columns: number, rows: number, debug: boolean) {
  const trace = await openTrace(dir);
  const session = openSession(trace, { paint: paint(true), ascii: false }, null);
  const stdout = new Terminal(columns, rows);
  const stdin = keyboard();
  const app = render(createElement(Replay, { session, ...ignored }), {
    stdout: stdout as unknown as NodeJS.WriteStream,
    stdin: stdin as unknown as NodeJS.ReadStream,
    debug,
    ...INK_OPTIONS,
  });
  /** Milliseconds from a key to the frame that answers it. */
  const press = (key: string): Promise<number> =>
    new Promise((resolve) => {
      const began = performance.now();
      stdout.written = () => resolve(performance.now() - began);
      stdin.write(key);
    });
  const close = (): void => {
    app.unmount();
    trace.close();
  };
  return { press, close, count: session.rows.count };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function redraw(dir: string, columns: number, rows: number, goal: number, report: Report): Promise<void> {
  const { press, close } = await mount(dir, columns, rows, true);
  const times: number[] = [];
  for (let i = 0; i < WARM_UP + REDRAWS; i += 1) times.push(await press(i % 2 === 0 ? "J" : "c"));
  close();
  const warm = p95(times.slice(WARM_UP));
  report(`full redraw at ${columns}x${rows}, p95`, `${warm.toFixed(1)} ms`, `<= ${goal} ms`, warm <= goal);
}

async function keyToFrame(dir: string, report: Report): Promise<void> {
  const { press, close, count } = await mount(dir, 80, 24, false);
  const times: number[] = [];
  for (let i = 0; i < KEYS; i += 1) {
    await pause(PAUSE_MS);
    if (i % 3 !== 0) {
      times.push(await press(i % 3 === 1 ? "k" : "K"));
      continue;
    }
    // A random place: typed whole, the last key is the one that jumps.
    await press("g");
    await pause(PAUSE_MS);
    await press(String(((i * 7_919_993) % count) + 1));
    await pause(PAUSE_MS);
    times.push(await press("\r"));
  }
  close();
  report(`key to frame on ${millions(count)} transitions, p95`, `${p95(times).toFixed(1)} ms`, "<= 25 ms", p95(times) <= 25);
}

interface Started {
  /** Milliseconds until the program has drawn its first frame on a terminal of its own. */
  readonly first: number;
  /** Until the machine's state was on it, too. */
  readonly whole: number;
}

function firstScreen(program: string, dir: string): Promise<Started> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(
      "script",
      ["-qfc", `stty cols 80 rows 24; "${process.execPath}" "${program}" replay "${dir}" --at 0`, "/dev/null"],
      {
        stdio: ["pipe", "pipe", "ignore"],
      },
    );
    let text = "";
    let first = Number.NaN;
    let whole = Number.NaN;
    child.stdout.on("data", (part: Buffer) => {
      text += part.toString();
      const now = performance.now() - began;
      // First line and last: the frame is complete.
      if (Number.isNaN(first) && text.includes("seq 0 of") && text.includes("? help")) first = now;
      if (!Number.isNaN(whole) || !text.includes("tid 1")) return;
      whole = now;
      child.stdin.write("q");
    });
    child.on("error", reject);
    setTimeout(() => child.kill("SIGKILL"), FIRST_SCREEN_MS).unref();
    child.on("close", () => (Number.isNaN(whole) ? reject(new Error(`no screen: ${text.slice(0, 500)}`)) : resolve({ first, whole })));
  });
}

async function startUp(program: string, small: string, large: string, report: Report): Promise<void> {
  // The traces were recorded just now; writing them to the disk takes a processor from those that start.
  spawnSync("sync");
  const bare: number[] = [];
  const shorts: Started[] = [];
  const longs: Started[] = [];
  for (let round = 0; round < START_UPS; round += 1) {
    const began = performance.now();
    spawnSync("script", ["-qfc", `stty cols 80 rows 24; "${process.execPath}" -e 0`, "/dev/null"]);
    bare.push(performance.now() - began);
    shorts.push(await firstScreen(program, small));
    longs.push(await firstScreen(program, large));
  }
  const first = median(shorts.map((one) => one.first));
  const over = first - median(bare);
  report(`start-up over bare node (${median(bare).toFixed(0)} ms)`, `${over.toFixed(0)} ms`, "<= 250 ms", over <= 250);
  const whole = median(shorts.map((one) => one.whole)) - median(bare);
  report("the same until the state is on the screen, too", `${whole.toFixed(0)} ms`, "<= 350 ms", whole <= 350);
  const longer = median(longs.map((one) => one.first)) - first;
  report("opening the long trace over opening a small one", `${longer.toFixed(0)} ms`, "<= 100 ms", longer <= 100);
}

export async function replay({ bars, folder, program, rows }: Setting): Promise<void> {
  const small = path.join(folder, "small.trace");
  const long = path.join(folder, "long.trace");
  await record(server("graphene-sgx"), small, serverInfo("graphene-sgx"), { rows: rows(50_000) });
  await record(server("graphene-sgx"), long, serverInfo("graphene-sgx"), { rows: rows(20_000_000) });
  await redraw(small, 80, 24, 6, bars.report);
  await redraw(small, 120, 40, 10, bars.report);
  await redraw(small, 200, 60, 20, bars.report);
  for (const [columns, height] of [
    [80, 24],
    [200, 60],
  ] as const) {
    const { laidOut, prebuilt } = await inkTimes(small, columns, height);
    const times = `${(laidOut / prebuilt).toFixed(1)} (${laidOut.toFixed(1)} ms over ${prebuilt.toFixed(1)} ms)`;
    bars.report(`a text per line laid out by Ink over prebuilt lines, ${columns}x${height}`, times, ">= 1", laidOut >= prebuilt);
  }
  await keyToFrame(long, bars.report);
  await startUp(program, small, long, bars.report);
}
