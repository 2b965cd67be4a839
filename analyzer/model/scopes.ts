/**
 * What threads have open: calls, handlers, frames. All scopes of all threads stand in one set of typed arrays; the place of a scope that
 * is over is used again, so memory goes with what is open at one time.
 */

/** Types of scopes. Ids are positions in SCOPE_NAMES. */
export const SCOPE = {
  CALL: 0,
  SYSCALL: 1,
  PAL_CALL: 2,
  OCALL: 3,
  HOST_CALL: 4,
  UPCALL: 5,
  HANDLER: 6,
  HOST_FRAME: 7,
  FETCHED_SIGNAL: 8,
} as const;
export type ScopeType = (typeof SCOPE)[keyof typeof SCOPE];

export const SCOPE_NAMES = [
  "call",
  "syscall",
  "pal-call",
  "ocall",
  "host-call",
  "upcall",
  "handler",
  "host-frame",
  "fetched-signal",
] as const;
export type ScopeName = (typeof SCOPE_NAMES)[number];
export const SCOPE_TYPES = SCOPE_NAMES.length;

/** No scope, no thread, no seq. */
export const NONE = -1;

/** How a scope ended. */
export const HOW = {
  /** A row says so: the call or handler returned. */
  RETURNED: 0,
  /** DkExceptionReturn left the PAL call. */
  ABANDONED: 1,
  /** Its frame is gone, and no row says so: siglongjmp, a frame that was cut, or what has no row for its end. */
  DROPPED: 2,
  /** Its thread ended. */
  THREAD_OVER: 3,
  /** The trace ended. */
  TRACE_OVER: 4,
} as const;
export type How = (typeof HOW)[keyof typeof HOW];

export interface Scopes {
  /** Columns of the row that opened the scope. `seq` also tells one use of a place from the next. */
  seq: Float64Array;
  time: Float64Array;
  value: Float64Array;
  extra: Int32Array;
  signal: Uint8Array;
  site: Uint32Array;
  /** NaN when the trace does not tell depths. */
  depth: Float64Array;
  type: Uint8Array;
  /** The scope around it, of any type; NONE for the outermost. In a free place: the next free one. */
  outer: Int32Array;
  /** The scope around it that has the same type. */
  outerAlike: Int32Array;
  /** Of a CALL: the seq at which the LibOS left the system call, NONE before, and the result then. */
  exitSeq: Float64Array;
  result: Float64Array;
  /** Which watcher has a note on it and wants to know its end, from 1; MANY_WATCHERS: ask them all; 0: none. */
  watched: Uint8Array;
  free: number;
}

export const MANY_WATCHERS = 255;

const FIRST_SIZE = 64;

export function createScopes(): Scopes {
  const n = FIRST_SIZE;
  const scopes: Scopes = {
    seq: new Float64Array(n),
    time: new Float64Array(n),
    value: new Float64Array(n),
    extra: new Int32Array(n),
    signal: new Uint8Array(n),
    site: new Uint32Array(n),
    depth: new Float64Array(n),
    type: new Uint8Array(n),
    outer: new Int32Array(n),
    outerAlike: new Int32Array(n),
    exitSeq: new Float64Array(n),
    result: new Float64Array(n),
    watched: new Uint8Array(n),
    free: NONE,
  };
  addFree(scopes, 0, n);
  return scopes;
}

/** A free place. */
export function takePlace(scopes: Scopes): number {
  if (scopes.free === NONE) grow(scopes);
  const place = scopes.free;
  scopes.free = scopes.outer[place] as number;
  return place;
}

export function givePlace(scopes: Scopes, place: number): void {
  scopes.outer[place] = scopes.free;
  scopes.free = place;
}

function addFree(scopes: Scopes, from: number, to: number): void {
  for (let place = to - 1; place >= from; place -= 1) {
    scopes.seq[place] = NONE;
    givePlace(scopes, place);
  }
}

function grow(scopes: Scopes): void {
  const n = scopes.seq.length;
  scopes.seq = doubled(scopes.seq);
  scopes.time = doubled(scopes.time);
  scopes.value = doubled(scopes.value);
  scopes.extra = doubled(scopes.extra);
  scopes.signal = doubled(scopes.signal);
  scopes.site = doubled(scopes.site);
  scopes.depth = doubled(scopes.depth);
  scopes.type = doubled(scopes.type);
  scopes.outer = doubled(scopes.outer);
  scopes.outerAlike = doubled(scopes.outerAlike);
  scopes.exitSeq = doubled(scopes.exitSeq);
  scopes.result = doubled(scopes.result);
  scopes.watched = doubled(scopes.watched);
  addFree(scopes, n, 2 * n);
}

type Column = Float64Array | Int32Array | Uint32Array | Uint8Array;

/** A copy of twice the length. */
export function doubled<C extends Column>(column: C): C {
  const larger = new (column.constructor as new (length: number) => C)(2 * column.length);
  larger.set(column);
  return larger;
}
