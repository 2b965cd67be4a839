/**
 * An importer of the tests' own: lines of `SECONDS THREAD call NAME`, `... return RESULT` and `... signal NUMBER`, as a tracer of real
 * programs may write them. It knows no state of any thread, and finds its sites and threads as it goes.
 */

import type { Site, ThreadInfo } from "../../engine/index.ts";
import {
  addImporter,
  createLineSplitter,
  ImportError,
  type ImportedRow,
  type Importer,
  sourceOfRows,
} from "../../recorder/import/index.ts";

const FIRST_LINE = "# toy trace";
const LINE = /^(\d+\.\d{6}) (\w+) (call|return|signal) (\S+)$/;

export const toyImporter: Importer = {
  id: "toy",
  text: "a toy trace",
  clock: "monotonic",
  mostBytes: Number.POSITIVE_INFINITY,
  sniff: (start) => Buffer.from(start).toString("utf8").startsWith(`${FIRST_LINE}\n`),
  read: async (chunks, name) => {
    const sites: Site[] = [];
    const threads: ThreadInfo[] = [];
    const places = new Map<string, number>();
    const numbers = new Map<string, number>();
    let odd = 0;
    let start: number | null = null;
    let signals = 0;

    const siteOf = (label: string): number => {
      const known = places.get(label);
      if (known !== undefined) return known;
      places.set(label, sites.length);
      return sites.push({ flow: "program", step: 0, label, layer: "app", context: "normal", source: "" }) - 1;
    };
    const threadOf = (thread: string): number => {
      const known = numbers.get(thread);
      if (known !== undefined) return known;
      numbers.set(thread, threads.length);
      return threads.push({ name: thread, pid: 1, tid: threads.length + 1, internal: false }) - 1;
    };
    const rowOf = (line: string, number: number): ImportedRow | null => {
      if (line.startsWith("#") || line === "") return null;
      const [, seconds = "", thread = "", what = "", argument = ""] = LINE.exec(line) ?? [];
      if (what === "") {
        odd += 1;
        return null;
      }
      const at = Math.round(Number(seconds) * 1e9);
      start ??= at;
      if (at < start) throw new ImportError(`${name}:${number}: time goes back; expected lines in order of time`);
      const row = { time: at - start, thread: threadOf(thread), site: siteOf(what === "call" ? argument : what) };
      if (what === "call") return { ...row, kind: "app.call", value: number };
      if (what === "return") return { ...row, kind: "app.return", value: Number(argument) };
      signals += 1;
      return { ...row, kind: "host.signal.generate", signal: Number(argument), value: row.thread, extra: signals };
    };
    async function* batches(): AsyncGenerator<ImportedRow[], void> {
      const splitter = createLineSplitter();
      let number = 0;
      const read = (line: string): ImportedRow[] => {
        number += 1;
        const row = rowOf(line, number);
        return row === null ? [] : [row];
      };
      for await (const chunk of chunks) yield [...splitter.add(chunk)].flatMap(read);
      yield read(splitter.rest());
    }
    return {
      is: "transitions",
      source: sourceOfRows({ sites, threads, texts: [""] }, [], batches()),
      counters: () => (odd === 0 ? [] : [{ name: "toy.foreign", count: odd, severity: "notice", advice: "lines that are none" }]),
    };
  },
};

/** The one line that makes it known. */
addImporter(toyImporter);
