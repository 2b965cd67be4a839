/**
 * The Trace Event Format, which ui.perfetto.dev and chrome://tracing open: calls and handlers as slices of their threads, what becomes of
 * a signal as marks, with an arrow from where it was made to the handler that runs for it. Times are microseconds there.
 * Source: "Trace Event Format" (Catapult project).
 */

import { type Block, KIND, kindName, shownBy, signalIdReader, signalName } from "../../engine/index.ts";
import { type CallPlace, createCallWalk, HANDLER, WALKED } from "../derive/call-walk.ts";
import type { Trace } from "../trace/open.ts";
import type { Exporter } from "./exporter.ts";

interface Slice {
  readonly name: string;
  readonly thread: number;
  readonly seq: number;
  /** ns. */
  readonly time: number;
}

const microseconds = (ns: number): number => ns / 1000;

export const chrome: Exporter = {
  id: "chrome",
  extension: ".json",
  text: "calls, handlers and signals in time; for ui.perfetto.dev",
  binary: false,
  async write(trace, sink) {
    let text = "";
    const emit = (event: object): void => {
      text += `${JSON.stringify(event)},\n`;
    };
    const track = trackOf(trace);
    await sink('{"displayTimeUnit":"ns","traceEvents":[\n');
    for (const [thread, { name, pid }] of trace.threads.entries()) emit({ ph: "M", name: "thread_name", pid, tid: thread, args: { name } });

    let last = 0;
    const open = new Set<Slice>();
    const close = (slice: Slice, time: number, more: object): void => {
      const { name, thread, seq } = slice;
      emit({ ph: "X", name, ...track(thread), ts: microseconds(slice.time), dur: microseconds(time - slice.time), args: { seq, ...more } });
    };
    const walk = createCallWalk<Slice>({
      begin(block, i, place) {
        const slice = { name: nameOf(trace, place), thread: place.thread, seq: block.seq0 + i, time: block.time[i] as number };
        open.add(slice);
        return slice;
      },
      end(block, i, slice, how, handler) {
        open.delete(slice);
        close(slice, block.time[i] as number, how === "returned" && !handler ? { result: block.value[i] } : { left: how });
      },
      unpaired() {},
    });

    const signalId = signalIdReader(shownBy(trace.info.stack).events);
    const take = (block: Block, i: number): void => {
      const kind = block.kind[i] as number;
      last = block.time[i] as number;
      if (WALKED[kind] === 1) walk.take(block, i);
      else if (kind === KIND["thread.exit"]) walk.gone(block, i);
      const id = signalId(block, i);
      if (id <= 0) return;
      const at = { ...track(block.thread[i] as number), ts: microseconds(last) };
      const signal = signalName(block.signal[i] as number);
      emit({ ph: "i", s: "t", name: `${kindName(kind)} ${signal}`, ...at, args: { seq: block.seq0 + i, signal: id } });
      if (kind === KIND["host.signal.generate"]) emit({ ph: "s", cat: "signal", name: signal, id, ...at });
      if (kind === KIND["app.handler.enter"]) emit({ ph: "f", bp: "e", cat: "signal", name: signal, id, ...at });
    };

    for (const block of trace.rows()) {
      for (let i = 0; i < block.n; i += 1) take(block, i);
      await sink(text);
      text = "";
    }
    for (const slice of open) close(slice, last, { left: "open" });
    // The list's last entry has no comma after it.
    emit({ ph: "M", name: "process_labels", pid: trace.threads[0]?.pid ?? 0, args: { labels: trace.info.stack } });
    await sink(`${text.slice(0, -2)}\n]}\n`);
  },
};

const nameOf = ({ sites }: Trace, { index, signal, site }: CallPlace): string =>
  index === HANDLER ? `handler of ${signalName(signal)}` : (sites[site]?.label ?? "a call");

/** Ids of threads come again when one has ended; numbers in the trace do not. */
const trackOf =
  ({ threads }: Trace) =>
  (thread: number) => ({ pid: threads[thread]?.pid ?? 0, tid: thread });
