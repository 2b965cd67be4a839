/** Parquet through another reader; Perfetto's form by the field numbers of its schema; what both and chrome draw of a trace. */

import { parquetMetadata, parquetReadObjects } from "hyparquet";
import { beforeAll, expect, test } from "vitest";
import { createProtoWriter } from "../../recorder/export/protobuf.ts";
import { EXPORTERS, openTrace, record, type Trace } from "../../recorder/index.ts";
import { type Fields, fieldsOf, message, messages, number, text } from "../support/protobuf.ts";
import { recordScenario } from "../support/replay.ts";
import { syntheticSource, testInfo } from "../support/synthetic-source.ts";
import { tempPaths } from "../support/temp-dir.ts";

const fresh = tempPaths();
const dirs: Record<string, string> = {};

beforeAll(async () => {
  dirs.synthetic = fresh("synthetic.trace");
  await record(syntheticSource({ rows: 3000, blockRows: 512 }), dirs.synthetic, testInfo());
  for (const [name, scenario, stack] of [
    ["native", "nested", "native-linux"],
    ["sgx", "lost-interrupted-error", "graphene-sgx"],
    ["jump", "w5-longjmp", "graphene-linux"],
  ] as const) {
    dirs[name] = fresh(`${name}.trace`);
    (await recordScenario(scenario, dirs[name], { stack })).close();
  }
});

const all = test.each([["synthetic"], ["native"], ["sgx"], ["jump"]]);

async function exported<T>(name: string, id: string, look: (bytes: Buffer, trace: Trace) => T | Promise<T>): Promise<T> {
  const trace = await openTrace(dirs[name] as string);
  try {
    const pieces: Buffer[] = [];
    await EXPORTERS.find((one) => one.id === id)?.write(trace, async (piece) => void pieces.push(Buffer.from(piece as Uint8Array)));
    return await look(Buffer.concat(pieces), trace);
  } finally {
    trace.close();
  }
}

all("parquet of the %s trace: another reader reads the rows of the view", (name) =>
  exported(name, "parquet", async (bytes, trace) => {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    const objects = await parquetReadObjects({ file });
    const rows = objects.map((object) => Object.values(object).map((cell) => (typeof cell === "bigint" ? Number(cell) : cell)));
    expect(rows).toEqual(trace.ask("SELECT * FROM transitions ORDER BY seq"));
    const { schema, created_by } = parquetMetadata(file);
    expect(schema.find((column) => column.name === "time_ns")).toMatchObject({ type: "INT64", repetition_type: "REQUIRED" });
    expect(created_by).toMatch(/^eintr /);
  }),
);

test("whole numbers of 64 bits are as they were, negative and large ones too", () =>
  exported("synthetic", "parquet", async (bytes, trace) => {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    const values = (await parquetReadObjects({ file, columns: ["value"] })).map(({ value }) => Number(value));
    expect(Math.max(...values)).toBeGreaterThan(2 ** 40);
    expect(Math.min(...values)).toBe(-4);
    expect(values).toEqual(trace.ask("SELECT value FROM transition ORDER BY seq").map(([value]) => value));
  }));

test("the writer of protocol buffers: each number comes back", () => {
  const numbers = [0, 1, 127, 128, 2 ** 31, 2 ** 32, 2 ** 40 + 5, Number.MAX_SAFE_INTEGER];
  const out = createProtoWriter();
  for (const value of numbers) {
    const place = out.open(7);
    out.number(1, value);
    out.signed(2, value);
    out.signed(3, -value - 1);
    out.fixed64(4, value);
    out.text(5, `é ${"x".repeat(value % 300)}`);
    out.close(place);
  }
  const read = messages(fieldsOf(Buffer.from(out.take())), 7);
  expect(read.map((fields) => [1, 2, 3, 4].map((field) => number(fields, field)))).toEqual(numbers.map((n) => [n, n, -n - 1, n]));
  expect(read.map((fields) => text(fields, 5))).toEqual(numbers.map((n) => `é ${"x".repeat(n % 300)}`));
  expect(out.take()).toHaveLength(0);
});

interface Slice {
  readonly track: number;
  readonly name: string;
  readonly begin: number;
  end: number;
  readonly seq: number;
  flows: number[];
}

/** As trace_processor reads it: an end ends the newest of its track. Field numbers of protos/perfetto/trace/. */
function perfettoOf(bytes: Buffer) {
  const packets = messages(fieldsOf(bytes), 1);
  const names = new Map<number, string>();
  const tracks = new Map<number, Fields>();
  const open = new Map<number, Slice[]>();
  const slices: Slice[] = [];
  const marks: { name: string; flow: number; seq: number; track: number }[] = [];
  for (const packet of packets) {
    expect(number(packet, 10), "trusted_packet_sequence_id").toBe(1);
    if (((number(packet, 13) ?? 0) & 1) === 1) names.clear();
    for (const entry of messages(message(packet, 12) ?? new Map(), 2)) names.set(number(entry, 1) ?? 0, text(entry, 2) ?? "");
    const track = message(packet, 60);
    if (track !== undefined) tracks.set(number(track, 1) ?? 0, track);
    const event = message(packet, 11);
    if (event === undefined) continue;
    expect((number(packet, 13) ?? 0) & 2, "needs_incremental_state").toBe(2);
    const time = number(packet, 8) ?? Number.NaN;
    const uuid = number(event, 11) ?? 0;
    expect(tracks.has(uuid)).toBe(true);
    const name = names.get(number(event, 10) ?? 0) ?? "";
    const seqs = messages(event, 4).filter((annotation) => text(annotation, 10) === "seq");
    const seq = number(seqs[0], 4) ?? -1;
    const stack = open.get(uuid) ?? [];
    open.set(uuid, stack);
    if (number(event, 9) === 1) {
      const flows = (event.get(48) ?? []).map((flow) => Number((flow as Buffer).readBigUInt64LE()));
      const slice = { track: uuid, name, begin: time, end: Number.NaN, seq, flows };
      slices.push(slice);
      stack.push(slice);
    } else if (number(event, 9) === 2) {
      const slice = stack.pop();
      if (slice === undefined) throw new Error("an end without a begin");
      slice.end = time;
    } else marks.push({ name, flow: number(event, 47) ?? 0, seq, track: uuid });
  }
  expect([...open.values()].flat()).toEqual([]);
  return { slices, marks, tracks };
}

const LISTS = [
  ["syscall", 0, "seq, exit_seq"],
  ["upcall", 1, "seq, return_seq"],
  ["entry", 2, "seq, left_seq"],
] as const;

all("perfetto of the %s trace: calls, handlers, upcalls, stays in the enclave on tracks of their threads", (name) =>
  exported(name, "perfetto", (bytes, trace) => {
    const { slices, tracks } = perfettoOf(bytes);
    const threads = trace.threads.length;
    const time = (seq: unknown): number => Number(trace.ask("SELECT time FROM transition WHERE seq = ?", Number(seq))[0]?.[0]);
    for (const [table, track, columns] of LISTS) {
      const expected = trace.ask(`SELECT ${columns}, thread, time FROM ${table} ORDER BY seq`);
      const found = slices
        .filter(({ track: uuid, name: what }) => Math.floor((uuid - 1) / threads) === track && !what.startsWith("handler of"))
        .sort((a, b) => a.seq - b.seq);
      expect(found.map(({ seq, begin, track: uuid }) => [seq, (uuid - 1) % threads, begin])).toEqual(
        expected.map(([seq, , thread, at]) => [seq, thread, at]),
      );
      found.forEach(({ end }, i) => {
        const left = expected[i]?.[1];
        if (left !== null) expect(end).toBe(time(left));
      });
    }
    expect(slices.filter(({ name: what }) => what.startsWith("handler of")).map(({ seq }) => seq)).toEqual(
      trace.ask("SELECT seq FROM handler ORDER BY seq").map(([seq]) => seq),
    );
    trace.threads.forEach((thread, i) => {
      const described = message(tracks.get(1 + i) ?? new Map(), 4);
      expect([number(described, 1), text(described, 5)]).toEqual([thread.pid, thread.name]);
      expect(number(tracks.get(1 + i + threads), 5), "the parent of its upcalls").toBe(1 + i);
    });
  }),
);

all("perfetto of the %s trace: a flow for each signal, through its hops, to the handler that runs for it", (name) =>
  exported(name, "perfetto", (bytes, trace) => {
    const { slices, marks } = perfettoOf(bytes);
    const handled = trace.ask("SELECT id, handled FROM signal WHERE handled IS NOT NULL ORDER BY handled");
    expect(slices.filter(({ flows }) => flows.length > 0).map(({ flows, seq }) => [flows[0], seq])).toEqual(handled);
    const made = trace.ask("SELECT id, generated FROM signal WHERE generated IS NOT NULL ORDER BY generated");
    for (const [id, seq] of made) expect(marks).toContainEqual(expect.objectContaining({ flow: id, seq }));
  }),
);

all("chrome of the %s trace draws the same stretches as perfetto", (name) =>
  exported(name, "perfetto", (bytes) =>
    exported(name, "chrome", (json, trace) => {
      const { traceEvents } = JSON.parse(json.toString()) as { traceEvents: Record<string, number | string | { seq: number }>[] };
      const drawn = traceEvents.flatMap(({ ph, name: what, tid, ts, dur, args }) =>
        ph === "X"
          ? [
              [
                (args as { seq: number }).seq,
                1 + Number(tid),
                what,
                Math.round(Number(ts) * 1000),
                Math.round((Number(ts) + Number(dur)) * 1000),
              ],
            ]
          : [],
      );
      const slices = perfettoOf(bytes).slices.map(({ seq, track, name: what, begin, end }) => [seq, track, what, begin, end]);
      const bySeq = (a: unknown[], b: unknown[]): number => Number(a[0]) - Number(b[0]) || Number(a[1]) - Number(b[1]);
      expect(drawn.sort(bySeq)).toEqual(slices.sort(bySeq));
      expect(trace.transitions.rows).toBeGreaterThan(0);
    }),
  ),
);
