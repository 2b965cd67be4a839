/** Events of sgx-perf as transitions. An ecall enters the enclave, an ocall leaves it until its return. */

import { SIGNAL_COUNT } from "../../../engine/index.ts";
import { Happened, SignalIds } from "../happened.ts";

/** A row of its table `events`. What a column means depends on the type. */
export interface PerfEvent {
  readonly id: number;
  readonly type: number;
  /** ns of CLOCK_MONOTONIC_RAW. */
  readonly time: number;
  readonly involved_thread: number;
  readonly other_thread: number | null;
  readonly arg: number | null;
  readonly return_value: number | null;
  readonly eid: number | null;
  readonly call_id: number | null;
  readonly call_event: number | null;
}

/** Source: enum __event_type of logger/src/events.h. */
const TYPE = {
  signal: 1,
  threadCreation: 3,
  threadDestruction: 5,
  enclaveCreation: 8,
  enclaveDestruction: 9,
  pageOut: 11,
  pageIn: 12,
  ecall: 14,
  ecallReturn: 15,
  ocall: 16,
  ocallReturn: 17,
  syncWait: 18,
  syncSet: 19,
  aex: 20,
} as const;

interface Open {
  readonly id: number;
  readonly label: string;
}

interface ThreadState {
  readonly number: number;
  readonly open: Open[];
  depth: number;
  /** It has left the enclave by an AEX: ERESUME, which the tool does not see, comes before whatever it does next. */
  isOut: boolean;
}

export interface EventTeller {
  readonly happened: Happened;
  take(event: PerfEvent): void;
  /** Events that became no row. */
  readonly odd: number;
}

export function createEventTeller(
  ecalls: ReadonlyMap<string, string>,
  ocalls: ReadonlyMap<string, string>,
  names: ReadonlyMap<number, string>,
): EventTeller {
  const happened = new Happened();
  const ids = new SignalIds();
  const threads = new Map<number, ThreadState>();
  let begun: number | null = null;
  let odd = 0;

  const threadOf = (id: number): ThreadState => {
    const known = threads.get(id);
    if (known) return known;
    const name = threads.size === 0 ? "main" : `${names.get(id) ?? "thread"}-${id}`;
    const thread = {
      number: happened.addThread(String(id), { name, pid: 1, tid: exact(id) + 1, internal: false }),
      open: [],
      depth: 1,
      isOut: false,
    };
    threads.set(id, thread);
    return thread;
  };

  const begin = (thread: ThreadState, id: number, label: string): void => {
    thread.open.push({ id, label });
    thread.depth += 1;
  };
  /** The call that ends; calls inside it that have no end are over, too. */
  const end = (thread: ThreadState, id: number | null): Open | null => {
    const at = thread.open.findLastIndex((open) => open.id === id);
    const call = thread.open[at];
    if (call === undefined) return null;
    thread.depth -= thread.open.length - at;
    thread.open.length = at;
    return call;
  };

  return {
    happened,
    get odd() {
      return odd;
    },
    take(event) {
      begun ??= event.time;
      happened.now = Math.max(happened.now, exact(event.time - begun));
      const thread = threadOf(event.involved_thread);
      const { number } = thread;
      if (thread.isOut && event.type !== TYPE.signal) {
        thread.isOut = false;
        happened.put(number, "sgx.eresume", "untrusted-pal", "ERESUME", { depth: thread.depth });
      }
      const key = `${event.eid ?? 0} ${event.call_id ?? 0}`;
      switch (event.type) {
        case TYPE.signal: {
          const signal = Number(event.arg ?? 0);
          if (signal < 1 || signal > SIGNAL_COUNT) return void (odd += 1);
          return happened.put(number, "host.signal.deliver", "host", "a signal reaches the logger's handler", {
            signal,
            value: 1,
            extra: ids.take([], signal),
            depth: thread.depth,
          });
        }
        case TYPE.threadCreation:
          return happened.put(number, "thread.start", "host", "the thread begins", {
            value: threadOf(event.other_thread ?? event.involved_thread).number,
          });
        case TYPE.threadDestruction:
          return happened.put(number, "thread.exit", "host", "the thread ends");
        case TYPE.enclaveCreation:
          return happened.put(number, "step", "untrusted-pal", "the enclave is created", {
            value: exact(event.return_value ?? 0),
            depth: thread.depth,
          });
        case TYPE.enclaveDestruction:
          return happened.put(number, "step", "untrusted-pal", "the enclave is destroyed", {
            value: exact(event.return_value ?? 0),
            depth: thread.depth,
          });
        case TYPE.pageOut:
        case TYPE.pageIn:
          return happened.put(
            number,
            "step",
            "host",
            event.type === TYPE.pageIn ? "a page of the enclave is loaded" : "a page of the enclave is evicted",
            { depth: thread.depth },
          );
        case TYPE.ecall: {
          const label = `ecall ${ecalls.get(key) ?? event.call_id ?? ""}()`;
          begin(thread, event.id, label);
          happened.put(number, "app.call", "app", label, { value: exact(event.id), depth: thread.depth });
          return happened.put(number, "sgx.eenter", "untrusted-pal", "EENTER", { depth: thread.depth });
        }
        case TYPE.ocall: {
          const label = `ocall ${ocalls.get(key) ?? event.call_id ?? ""}()`;
          begin(thread, event.id, label);
          happened.put(number, "sgx.eexit", "pal", "EEXIT", { depth: thread.depth });
          return happened.put(number, "ocall.enter", "untrusted-pal", label, { depth: thread.depth });
        }
        case TYPE.ecallReturn:
        case TYPE.ocallReturn: {
          const call = end(thread, event.call_event);
          if (call === null) return void (odd += 1);
          const value = exact(event.return_value ?? 0);
          if (event.type === TYPE.ocallReturn) {
            happened.put(number, "sgx.eenter", "untrusted-pal", "EENTER", { depth: thread.depth });
            return happened.put(number, "ocall.return", "pal", call.label, { value, depth: thread.depth });
          }
          happened.put(number, "sgx.eexit", "pal", "EEXIT", { depth: thread.depth });
          return happened.put(number, "app.return", "app", call.label, { value, depth: thread.depth });
        }
        case TYPE.syncWait:
          return happened.put(number, "thread.block", "host", "an enclave thread waits outside", {
            value: 1,
            extra: -1,
            depth: thread.depth,
          });
        case TYPE.syncSet:
          return happened.put(number, "step", "host", "a waiting enclave thread is woken", { depth: thread.depth });
        case TYPE.aex:
          thread.isOut = true;
          return happened.put(number, "sgx.aex", "host", "AEX", { value: -1, depth: thread.depth });
        default:
          odd += 1;
      }
    },
  };
}

/** A stranger's column may hold anything. */
const exact = (value: unknown): number => (Number.isSafeInteger(value) ? (value as number) : 0);
