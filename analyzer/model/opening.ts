/** How scopes open and end. Frames are dropped without a return (siglongjmp, DkExceptionReturn), so the depth of a row decides if the trace has one. */

import { KIND } from "../../engine/index.ts";
import { OUTSIDE, TELLS_DEPTH } from "./kinds.ts";
import type { ThreadModel } from "./model.ts";
import { givePlace, HOW, type How, MANY_WATCHERS, NONE, SCOPE, SCOPE_TYPES, type ScopeType, takePlace } from "./scopes.ts";

/** Scopes that one thread may have open in a trace without depths, where an end that has no row is never seen. */
const MOST_OPEN = 1024;

const ABANDON = KIND["pal.call.abandon"];

/** The row opens a scope; its depth is that of the frame that runs in the scope. */
export function openScope(m: ThreadModel, type: ScopeType): void {
  const { scopes, threads, slot } = m;
  if (slot === NONE) return;
  // A signal frame lies below the handler that is entered with it.
  const depth = type === SCOPE.HOST_FRAME ? m.depth - 1 : m.depth;
  const at = slot * SCOPE_TYPES + type;
  if (m.tellsDepth) {
    leaveDeeper(m, depth, OUTSIDE[type] === 1);
    // Two of one type at one depth: the frame of the first is gone.
    const alike = threads.innermost[at] as number;
    if (alike !== NONE && scopes.depth[alike] === depth) closeDownTo(m, scopes.outer[alike] as number, HOW.DROPPED);
  } else if ((threads.open[slot] as number) >= MOST_OPEN) closeDownTo(m, NONE, HOW.DROPPED);
  const scope = takePlace(scopes);
  scopes.seq[scope] = m.seq;
  scopes.time[scope] = m.time;
  scopes.value[scope] = m.value;
  scopes.extra[scope] = m.extra;
  scopes.signal[scope] = m.signal;
  scopes.site[scope] = m.site;
  scopes.depth[scope] = depth;
  scopes.type[scope] = type;
  scopes.exitSeq[scope] = NONE;
  scopes.watched[scope] = 0;
  scopes.outer[scope] = threads.top[slot] as number;
  scopes.outerAlike[scope] = threads.innermost[at] as number;
  threads.top[slot] = scope;
  threads.innermost[at] = scope;
  threads.open[slot] = (threads.open[slot] as number) + 1;
}

/**
 * The row ends the innermost scope of this type. The row is made when the scope's frame is gone: that was one deeper. A scope that is
 * less deep belongs to another function; then the row that opened this one is before the trace.
 */
export function closeInnermost(m: ThreadModel, type: ScopeType): void {
  if (m.slot === NONE) return;
  const byDepth = m.tellsDepth && TELLS_DEPTH[m.kind] === 1;
  if (byDepth) leaveDeeper(m, m.depth + 1, false);
  const scope = m.open(type);
  const found = scope !== NONE && !(byDepth && (m.scopes.depth[scope] as number) <= m.depth);
  const how = m.kind === ABANDON ? HOW.ABANDONED : HOW.RETURNED;
  if (found) {
    closeDownTo(m, scope, HOW.DROPPED);
    closeTop(m, how);
  }
  if (byDepth) leaveDeeper(m, m.depth, false);
  m.closed = found ? scope : NONE;
  m.how = how;
}

/** The thread is at `depth`: what was opened deeper is over. `outside`: a row of the host, which leaves scopes of the host only. */
export function leaveDeeper(m: ThreadModel, depth: number, outside: boolean): void {
  const { scopes, threads, slot } = m;
  if (slot === NONE) return;
  for (;;) {
    const top = threads.top[slot] as number;
    if (top === NONE || !((scopes.depth[top] as number) > depth)) return;
    if (outside && OUTSIDE[scopes.type[top] as number] !== 1) return;
    closeTop(m, HOW.DROPPED);
  }
}

/** End all that is inside `scope`; NONE: all that is open. */
export function closeDownTo(m: ThreadModel, scope: number, how: How): void {
  while (m.threads.top[m.slot] !== scope) closeTop(m, how);
}

function closeTop(m: ThreadModel, how: How): void {
  const { scopes, threads, slot } = m;
  const scope = threads.top[slot] as number;
  const type = scopes.type[scope] as ScopeType;
  threads.top[slot] = scopes.outer[scope] as number;
  threads.innermost[slot * SCOPE_TYPES + type] = scopes.outerAlike[scope] as number;
  threads.open[slot] = (threads.open[slot] as number) - 1;
  m.closed = scope;
  m.how = how;
  const watched = scopes.watched[scope] as number;
  if (watched === MANY_WATCHERS) for (const watcher of m.watchers) watcher(scope);
  else if (watched > 0) m.watchers[watched - 1]?.(scope);
  m.ended(type);
  givePlace(scopes, scope);
}
