/**
 * Records a source into a trace folder: rows go to `transitions.arrow` as they come, `trace.db` is made at the end.
 *
 * What a killed recording loses: at most one block of rows (16,384), and for slow sources at most what came in
 * the last second. "Killed" means the process; nothing is promised about power loss (the file is not fsynced).
 */

import path from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { BLOCK_ROWS, type Sink, type Source, shownBy } from "../../engine/index.ts";
import type { ArrowWriter } from "../arrow/write.ts";
import { nothingRecorded, TraceError } from "../format/errors.ts";
import { letGo } from "../format/let-go.ts";
import { ARROW_NAME, type QualityCounter, type RunEnd, type RunInfo } from "../format/metadata.ts";
import { type LiveSeal, startLiveSeal } from "../sqlite/live-seal.ts";
import { type Sealed, seal } from "../sqlite/seal.ts";
import { prepareFolder, type TraceFolder } from "./folder.ts";

/** An incomplete block is flushed when nothing was written for so long. */
const FLUSH_MS = 1000;
/** The source runs for about this long between looks at the clock and the abort signal. */
const SLICE_MS = 50;
const MIN_SLICE_ROWS = 64;
/** Who has pressed Ctrl-C waits for the database so long, and no longer: the next who opens the trace makes it as well. */
const SEAL_AFTER_ABORT_MS = 400;

/** A source whose next transitions may have to be waited for: a file that is read as it is needed. */
export interface StreamedSource extends Omit<Source, "run"> {
  run(rows: number, sink: Sink): boolean | Promise<boolean>;
}

export interface RecordOptions {
  /** Stop after this many rows. */
  readonly rows?: number | undefined;
  /** Stop when the file of the rows is at least so long: it ends with that block, as at the limit of rows. */
  readonly bytes?: number | undefined;
  /** Stop at the first look at the clock of the run at or after this time, ns. */
  readonly stopAtNs?: number | undefined;
  /** Stop early when it says so; asked after every slice of some 50 ms. */
  readonly stopWhen?: (() => boolean) | undefined;
  /** Replace a trace that is there. */
  readonly force?: boolean | undefined;
  /** Ends the recording cleanly. */
  readonly signal?: AbortSignal | undefined;
  /** Takes each block once it is written. */
  readonly also?: Sink | undefined;
  /** What the source counted, asked for once at the end. */
  readonly quality?: (() => readonly QualityCounter[]) | undefined;
  readonly onProgress?: ((progress: RecordProgress) => void) | undefined;
}

export interface RecordProgress {
  readonly phase: "record" | "seal";
  readonly rows: number;
  /** Rows in all, null when not known. */
  readonly total: number | null;
  /** Time of the run, ns; of the last row written. */
  readonly timeNs: number;
  readonly bytes: number;
}

export interface Recorded {
  readonly dir: string;
  readonly end: RunEnd;
  /** Null when Ctrl-C came before the database was made: the rows are all there, and who opens the trace makes it. */
  readonly sealed: Sealed | null;
}

/**
 * Run `source` to its end, limit or abort. Throws TraceError when the folder is taken or cannot be written; an
 * error of the source is passed on. In both cases what was recorded stays readable; without a single row the
 * folder is as it was before, with the trace that was to be replaced.
 */
export async function record(source: StreamedSource, dir: string, info: RunInfo, options: RecordOptions = {}): Promise<Recorded> {
  const { createArrowWriter } = await import("../arrow/write.ts");
  const folder = prepareFolder(dir, options.force === true);
  const live = startLiveSeal(dir, source, shownBy(info.stack).events);
  let writer: ArrowWriter | null = null;
  try {
    writer = createArrowWriter(path.join(dir, ARROW_NAME), source, info);
    const reason = await runAll(source, inTurn(writer, live, source, options.also), writer, folder, options);
    if (reason === "aborted" && writer.rows === 0) throw new TraceError(dir, "", "interrupted, nothing was recorded", "Begin again");
    const quality = [...(options.quality?.() ?? [])];
    const interrupted = reason === "aborted" && options.signal?.aborted === true;
    const end = writer.finish({ reason, interrupted, quality });
    folder.keep();
    letGo({ rows: writer.rows, text: info.scenarioText.length });
    const { rows, time, bytes } = writer;
    const onProgress = (done: number) => options.onProgress?.({ phase: "seal", rows: done, total: rows, timeNs: time, bytes });
    const signal = interrupted ? AbortSignal.timeout(SEAL_AFTER_ABORT_MS) : options.signal;
    const sealed = (await live.finish(onProgress, signal)) ?? (signal?.aborted === true ? null : await seal(dir, { onProgress, signal }));
    return { dir, end, sealed };
  } catch (error) {
    writer?.abandon();
    await live.abandon();
    if (writer === null || writer.rows === 0) throw nothingRecorded(error, folder.giveBack());
    folder.keep();
    throw error;
  } finally {
    folder.release();
  }
}

/** Rows go to the file first: it is the truth. */
const inTurn = (writer: ArrowWriter, live: LiveSeal, { threads }: StreamedSource, also?: Sink): Sink => ({
  put(block) {
    writer.put(block);
    live.put(block, threads.length);
    also?.put(block);
  },
});

async function runAll(
  source: StreamedSource,
  sink: Sink,
  writer: ArrowWriter,
  folder: TraceFolder,
  options: RecordOptions,
): Promise<RunEnd["reason"]> {
  const limit = options.rows ?? Number.POSITIVE_INFINITY;
  const mostBytes = options.bytes ?? Number.POSITIVE_INFINITY;
  // One block between two looks at the length.
  const mostSlice = Number.isFinite(mostBytes) ? BLOCK_ROWS : 16 * BLOCK_ROWS;
  let made = 0;
  let slice = 1024;
  for (;;) {
    if (options.signal?.aborted === true) return stop("aborted");
    if (options.stopWhen?.() === true) return stop("aborted");
    if (made >= limit) return stop("row-limit");
    const wanted = Math.min(slice, limit - made);
    const began = performance.now();
    const goesOn = await going(source.run(wanted, sink), options.signal);
    if (goesOn === null) return stop("aborted");
    const took = performance.now() - began;
    if (!goesOn) return stop(source.ending ?? "finished");
    made += wanted;
    slice = took > SLICE_MS ? Math.max(MIN_SLICE_ROWS, slice >> 1) : took < SLICE_MS / 4 ? Math.min(mostSlice, slice * 2) : slice;
    tick(source, sink, writer);
    // From here on there is a new trace, which may need the space of the older one.
    if (writer.rows > 0) folder.keep();
    if (writer.bytes >= mostBytes) return stop("row-limit");
    if (options.stopAtNs !== undefined && writer.time >= options.stopAtNs) return stop("time-limit");
    options.onProgress?.({ phase: "record", rows: made, total: limitOrNull(limit), timeNs: writer.time, bytes: writer.bytes });
    // Let signals and timers in: the source is synchronous.
    await turn();
  }

  function stop(reason: RunEnd["reason"]): RunEnd["reason"] {
    source.flush(sink);
    return reason;
  }
}

/** Whether the source goes on; null when waiting for it was ended by `signal`. */
async function going(answer: boolean | Promise<boolean>, signal: AbortSignal | undefined): Promise<boolean | null> {
  if (typeof answer === "boolean") return answer;
  try {
    return await answer;
  } catch (error) {
    if (signal?.aborted === true) return null;
    throw error;
  }
}

const limitOrNull = (limit: number): number | null => (Number.isFinite(limit) ? limit : null);

/** Flush an incomplete block of a slow source. */
function tick(source: StreamedSource, sink: Sink, writer: ArrowWriter): void {
  if (Date.now() - writer.writtenAt >= FLUSH_MS) source.flush(sink);
}
