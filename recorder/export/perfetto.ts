/**
 * Perfetto's own format, a message TracePacket for each event: threads with their calls and handlers, tracks of upcalls and of the enclave
 * below them, and a flow for each signal, from where it was made through its hops to its handler.
 * Source: perfetto's protos/perfetto/trace/trace_packet.proto, track_event/track_event.proto, track_event/track_descriptor.proto,
 * track_event/debug_annotation.proto and interned_data/interned_data.proto; the numbers of their fields are below.
 */

import type { Trace } from "../trace/open.ts";
import type { Exporter } from "./exporter.ts";
import { createProtoWriter, type ProtoWriter } from "./protobuf.ts";
import { createTimeline, TRACKS, type TrackName } from "./timeline.ts";

const TRACE = { packet: 1 } as const;
const PACKET = {
  timestamp: 8,
  trustedPacketSequenceId: 10,
  trackEvent: 11,
  internedData: 12,
  sequenceFlags: 13,
  trackDescriptor: 60,
} as const;
const FLAGS = { incrementalStateCleared: 1, needsIncrementalState: 2 } as const;
const DESCRIPTOR = { uuid: 1, name: 2, process: 3, thread: 4, parentUuid: 5 } as const;
const PROCESS = { pid: 1, processName: 6 } as const;
const THREAD = { pid: 1, tid: 2, threadName: 5 } as const;
const EVENT = { debugAnnotations: 4, type: 9, nameIid: 10, trackUuid: 11, categories: 22, flowIds: 47, terminatingFlowIds: 48 } as const;
const TYPE = { sliceBegin: 1, sliceEnd: 2, instant: 3 } as const;
const ANNOTATION = { intValue: 4, stringValue: 6, name: 10 } as const;
const INTERNED = { eventNames: 2 } as const;
const EVENT_NAME = { iid: 1, name: 2 } as const;

/** All packets are of one writer. */
const SEQUENCE = 1;
/** Names are known to the reader by numbers, from the packet on that tells them; so many are kept. */
const MOST_NAMES = 100_000;

export const perfetto: Exporter = {
  id: "perfetto",
  extension: ".perfetto-trace",
  text: "the same in Perfetto's own form, smaller; for ui.perfetto.dev and trace_processor",
  binary: true,
  async write(trace, sink) {
    const out = createProtoWriter();
    const names = createNames(out);

    /** A packet with an event in it, with what `more` writes. */
    const event = (time: number, type: number, track: number, name: string | null, more: () => void): void => {
      const packet = openPacket(out);
      out.number(PACKET.timestamp, time);
      out.number(PACKET.sequenceFlags, FLAGS.needsIncrementalState);
      const iid = name === null ? 0 : names.numberOf(name);
      const body = out.open(PACKET.trackEvent);
      out.number(EVENT.type, type);
      out.number(EVENT.trackUuid, track);
      if (iid > 0) out.number(EVENT.nameIid, iid);
      more();
      out.close(body);
      out.close(packet);
    };

    const timeline = createTimeline(trace, {
      begin({ thread, track, name, seq, time, signal }) {
        event(time, TYPE.sliceBegin, uuidOf(trace, thread, track), name, () => {
          out.text(EVENT.categories, track);
          if (signal > 0) out.fixed64(EVENT.terminatingFlowIds, signal);
          annotate(out, "seq", seq);
        });
      },
      end({ thread, track }, time, how, result) {
        event(time, TYPE.sliceEnd, uuidOf(trace, thread, track), null, () =>
          result === null ? annotate(out, "left", how) : annotate(out, "result", result),
        );
      },
      mark({ thread, name, seq, time, signal, place }) {
        // The flow ends at the handler: its slice says so.
        if (place === "handler") return;
        event(time, TYPE.instant, uuidOf(trace, thread, "calls"), name, () => {
          out.text(EVENT.categories, "signal");
          out.fixed64(EVENT.flowIds, signal);
          annotate(out, "seq", seq);
        });
      },
    });

    names.startAnew();
    writeDescriptors(out, trace);
    for (const block of trace.rows()) {
      timeline.put(block);
      await sink(out.take());
      if (names.count() > MOST_NAMES) names.startAnew();
    }
    timeline.finish();
    await sink(out.take());
  },
};

function openPacket(out: ProtoWriter): number {
  const packet = out.open(TRACE.packet);
  out.number(PACKET.trustedPacketSequenceId, SEQUENCE);
  return packet;
}

function annotate(out: ProtoWriter, name: string, value: number | string): void {
  const annotation = out.open(EVENT.debugAnnotations);
  out.text(ANNOTATION.name, name);
  if (typeof value === "number") out.signed(ANNOTATION.intValue, value);
  else out.text(ANNOTATION.stringValue, value);
  out.close(annotation);
}

interface Names {
  /** Number of the name; a new one is told in the packet that is open. */
  numberOf(name: string): number;
  /** How many the reader has to know at present. */
  count(): number;
  /** The reader forgets all names. */
  startAnew(): void;
}

function createNames(out: ProtoWriter): Names {
  const numbers = new Map<string, number>();
  // A number is never used again, also not after the reader has forgotten it.
  let last = 0;
  return {
    numberOf(name) {
      const known = numbers.get(name);
      if (known !== undefined) return known;
      last += 1;
      numbers.set(name, last);
      const data = out.open(PACKET.internedData);
      const entry = out.open(INTERNED.eventNames);
      out.number(EVENT_NAME.iid, last);
      out.text(EVENT_NAME.name, name);
      out.close(entry);
      out.close(data);
      return last;
    },
    count: () => numbers.size,
    startAnew() {
      numbers.clear();
      const packet = openPacket(out);
      out.number(PACKET.sequenceFlags, FLAGS.incrementalStateCleared);
      out.close(packet);
    },
  };
}

/** Processes come after the tracks of all threads; 0 is none. */
const uuidOf = ({ threads }: Trace, thread: number, track: TrackName): number => 1 + thread + threads.length * TRACKS.indexOf(track);

function writeDescriptors(out: ProtoWriter, trace: Trace): void {
  const { threads, info } = trace;
  /** A packet with a descriptor in it. */
  const describe = (uuid: number, more: () => void): void => {
    const packet = openPacket(out);
    const body = out.open(PACKET.trackDescriptor);
    out.number(DESCRIPTOR.uuid, uuid);
    more();
    out.close(body);
    out.close(packet);
  };
  // Of the threads of a process the first gives it its name.
  const processes = new Map([...threads].reverse().map(({ pid, name }) => [pid, name]));
  let uuid = 1 + threads.length * TRACKS.length;
  for (const [pid, name] of processes) {
    describe(uuid, () => {
      const process = out.open(DESCRIPTOR.process);
      out.number(PROCESS.pid, pid);
      out.text(PROCESS.processName, `${info.stack}: ${name}`);
      out.close(process);
    });
    uuid += 1;
  }
  for (const [thread, { name, pid }] of threads.entries()) {
    describe(uuidOf(trace, thread, "calls"), () => {
      const described = out.open(DESCRIPTOR.thread);
      out.number(THREAD.pid, pid);
      // Its number in the trace, since ids of threads come again when one has ended.
      out.number(THREAD.tid, thread + 1);
      out.text(THREAD.threadName, name);
      out.close(described);
    });
    for (const track of TRACKS.slice(1)) {
      describe(uuidOf(trace, thread, track), () => {
        out.number(DESCRIPTOR.parentUuid, uuidOf(trace, thread, "calls"));
        out.text(DESCRIPTOR.name, track);
      });
    }
  }
}
