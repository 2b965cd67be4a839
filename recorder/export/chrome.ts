/**
 * The Trace Event Format, which ui.perfetto.dev and chrome://tracing open: calls and handlers as slices of their threads, upcalls and stays
 * in the enclave on tracks below, what becomes of a signal as marks, with an arrow from where it was made to the handler that runs for it.
 * Times are microseconds there. Source: "Trace Event Format" (Catapult project).
 */

import type { Trace } from "../trace/open.ts";
import type { Exporter } from "./exporter.ts";
import { createTimeline, TRACKS, type TrackName } from "./timeline.ts";

const microseconds = (ns: number): number => ns / 1000;

export const chrome: Exporter = {
  id: "chrome",
  extension: ".json",
  text: "calls, handlers, upcalls, enclave, signals in time, as JSON; for chrome://tracing and ui.perfetto.dev",
  binary: false,
  async write(trace, sink) {
    let text = "";
    const emit = (event: object): void => {
      text += `${JSON.stringify(event)},\n`;
    };
    const at = placesOf(trace);
    const timeline = createTimeline(trace, {
      begin() {},
      end({ thread, track, name, seq, time, signal }, end, how, result) {
        const args = { seq, ...(signal > 0 ? { signal } : {}), ...(result === null ? { left: how } : { result }) };
        emit({ ph: "X", cat: track, name, ...at(thread, track), ts: microseconds(time), dur: microseconds(end - time), args });
      },
      mark({ thread, name, seq, time, signal, what, place }) {
        const here = { ...at(thread, "calls"), ts: microseconds(time) };
        emit({ ph: "i", s: "t", name, ...here, args: { seq, signal } });
        if (place === "first") emit({ ph: "s", cat: "signal", name: what, id: signal, ...here });
        if (place === "handler") emit({ ph: "f", bp: "e", cat: "signal", name: what, id: signal, ...here });
      },
    });
    await sink('{"displayTimeUnit":"ns","traceEvents":[\n');
    for (const [thread, { name }] of trace.threads.entries()) {
      for (const [i, track] of TRACKS.entries()) {
        const place = at(thread, track);
        emit({ ph: "M", name: "thread_name", ...place, args: { name: i === 0 ? name : `${name}: ${track}` } });
        emit({ ph: "M", name: "thread_sort_index", ...place, args: { sort_index: thread * TRACKS.length + i } });
      }
    }
    for (const block of trace.rows()) {
      timeline.put(block);
      await sink(text);
      text = "";
    }
    timeline.finish();
    // The list's last entry has no comma after it.
    emit({ ph: "M", name: "process_labels", pid: trace.threads[0]?.pid ?? 0, args: { labels: trace.info.stack } });
    await sink(`${text.slice(0, -2)}\n]}\n`);
  },
};

/** Ids of threads come again when one has ended; numbers in the trace do not. Each track is a thread there. */
const placesOf =
  ({ threads }: Trace) =>
  (thread: number, track: TrackName) => ({
    pid: threads[thread]?.pid ?? 0,
    tid: thread + threads.length * TRACKS.indexOf(track),
  });
