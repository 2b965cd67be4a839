/** The search: a regular expression over the rows' texts as they are seen, from here on, and then from the other end. */

import { setImmediate as turn } from "node:timers/promises";
import { type Block, KINDS, kindName, type Site, signalName } from "../../../engine/index.ts";
import { hasNote, notesOf } from "../../present/diagram.ts";
import { withUnits } from "../../present/units.ts";
import type { Context } from "../context.ts";
import type { Matches } from "../state.ts";
import { findRow, goTo } from "./navigation.ts";
import type { Direction, RowPredicate } from "./rows.ts";

const BEGUN_AGAIN: Readonly<Record<Direction, string>> = { 1: "begun again from the beginning", [-1]: "begun again from the end" };

/** The next match of what was searched last. */
export async function search(c: Context, direction: Direction): Promise<void> {
  const { search: text, seq } = c.state();
  if (text === "") return c.dispatch({ type: "say", message: "no search yet: / searches" });
  const { rows } = c.session;
  const { matches, note } = matcher(text, c.session);
  const noted = (message: string): string => [message, note].filter((part) => part !== "").join("; ");
  // The look from the other end is over where the first one began.
  const wantedOrHere: RowPredicate = (block, i) => block.seq0 + i === seq || matches(block, i);
  const otherEnd = direction === 1 ? -1 : rows.count;
  void countMatches(c, text, matches);
  return findRow(c, seq, direction, matches, (further) => {
    if (further !== null) return goTo(c, further, null, noted(placeAmong(c.state().matches, further)));
    return findRow(c, otherEnd, direction, wantedOrHere, (again) => {
      if (again !== null && again !== seq) {
        const place = placeAmong(c.state().matches, again);
        return goTo(c, again, null, noted([BEGUN_AGAIN[direction], place].filter((part) => part !== "").join(": ")));
      }
      const here = rows.block(seq);
      const only = here !== null && matches(here.block, here.row);
      c.dispatch({ type: "say", message: noted(`no ${only ? "other " : ""}match for "${text}"`) });
    });
  });
}

/** Matches that are kept with their places; more are only counted. */
const MAX_MATCHES = 20_000;
/** Blocks that are counted before a key is heard. */
const BLOCKS_AT_ONCE = 8;

/** Counts the matches of a search once, in the background; a new search ends it. */
async function countMatches(c: Context, text: string, matches: RowPredicate): Promise<void> {
  if (c.state().matches !== null) return;
  const { rows } = c.session;
  const seqs: number[] = [];
  let count = 0;
  let blocks = 0;
  try {
    for (let seq = 0; seq < rows.count; ) {
      const place = rows.block(seq);
      if (place === null) break;
      const { block } = place;
      for (let i = place.row; i < block.n; i += 1) {
        if (!matches(block, i)) continue;
        count += 1;
        if (seqs.length < MAX_MATCHES) seqs.push(block.seq0 + i);
      }
      seq = block.seq0 + block.n;
      blocks += 1;
      if (blocks % BLOCKS_AT_ONCE !== 0) continue;
      await turn();
      if (c.state().search !== text) return;
    }
  } catch {
    // Where the trace is damaged the search itself says so.
    return;
  }
  const found = { text, seqs, count };
  c.dispatch({ type: "matches", matches: found });
  // Who went to a match before they were counted hears it now, unless something else was said.
  const { message, seq, prompt } = c.state();
  if (message === "" && prompt === null) c.dispatch({ type: "say", message: placeAmong(found, seq) });
}

/** "match 3 of 17"; "" until they are counted, and where the place is not kept. */
function placeAmong(matches: Matches | null, seq: number): string {
  if (matches === null) return "";
  const at = matches.seqs.indexOf(seq);
  return at < 0 ? `${matches.count.toLocaleString("en")} matches` : `match ${at + 1} of ${matches.count.toLocaleString("en")}`;
}

/** Longest text of a search: longer ones only cost time. */
const MAX_PATTERN = 200;
const MAX_REPEATS = 3;
/** Longest text a pattern is tried on. */
const MAX_TRIED = 300;

interface Matcher {
  readonly matches: RowPredicate;
  /** Why the text is no regular expression here; "" when it is one. */
  readonly note: string;
}

/** Values whose notes are remembered, of each kind: a trace may have any number of results. */
const MAX_VALUES = 10_000;

/**
 * A regular expression over function, label, kind, signal, thread and what stands behind the row, such as its result; the text as it stands
 * is looked for as well. Sites, kinds, signals, threads and values are tried once each, not every row.
 */
function matcher(text: string, { trace, shown }: Context["session"]): Matcher {
  const { pattern, note } = patternOf(text);
  const plain = text.toLowerCase();
  const hits = (one: string): boolean => pattern?.test(one.slice(0, MAX_TRIED)) === true || one.toLowerCase().includes(plain);
  const hasWords = ({ flow, label }: Site): boolean => hits(`${flow}: ${label}`) || hits(`${flow}: ${withUnits(label)}`);
  const sites = Uint8Array.from(trace.sites, (site) => (hasWords(site) ? 1 : 0));
  const kindHits = Uint8Array.from(KINDS, (_, id) => (hits(kindName(id)) ? 1 : 0));
  const signals = Uint8Array.from({ length: 65 }, (_, signal) => (signal > 0 && hits(signalName(signal)) ? 1 : 0));
  const threads = Uint8Array.from(trace.threads, (thread) => (hits(thread.name) ? 1 : 0));
  const noted = Uint8Array.from(KINDS, (_, kind) => (hasNote(kind) ? 1 : 0));
  const known = KINDS.map(() => new Map<number, boolean>());
  const words = { eventName: shown.events.name, absent: trace.absent };
  const hasNotedHit = (block: Block, i: number): boolean => {
    const [kind, value, cssa] = [block.kind[i] as number, block.value[i] as number, block.cssa[i] as number];
    const values = known[kind] as Map<number, boolean>;
    // Only the enclave's rows tell of CSSA, and they have no value.
    const key = kindName(kind).startsWith("sgx.") ? cssa : value;
    let hit = values.get(key);
    if (hit !== undefined) return hit;
    hit = notesOf({ kind, value, cssa, signal: 0 }, words).some(hits);
    if (values.size >= MAX_VALUES) values.clear();
    values.set(key, hit);
    return hit;
  };
  const matches: RowPredicate = (block, i) =>
    sites[block.site[i] as number] === 1 ||
    kindHits[block.kind[i] as number] === 1 ||
    signals[block.signal[i] as number] === 1 ||
    threads[block.thread[i] as number] === 1 ||
    (noted[block.kind[i] as number] === 1 && hasNotedHit(block, i));
  return { matches, note };
}

/** Places where a match may go several ways: repeats, what may be missing, alternatives within groups. */
function choicesIn(pattern: string): number {
  const bare = pattern.replace(/\\./g, "").replace(/\(\?/g, "(");
  const alternatives = bare.includes("(") ? (bare.match(/\|/g) ?? []) : [];
  return (bare.match(/[*+?}]/g) ?? []).length + alternatives.length;
}

/** No pattern where the text cannot be one: it is looked for as it stands. */
function patternOf(text: string): { readonly pattern: RegExp | null; readonly note: string } {
  const bounded = text.slice(0, MAX_PATTERN);
  const none = (why: string) => ({ pattern: null, note: `searched as plain text: ${why}` });
  // They can take for ever to fail, and nobody hears Esc meanwhile.
  if (/[*+}]\)*[*+{]|\)[*+{]/.test(bounded)) return none("repeats of groups and of repeats are not tried");
  if (choicesIn(bounded) > MAX_REPEATS) return none(`more than ${MAX_REPEATS} repeats, and choices in groups, are not tried`);
  try {
    return { pattern: new RegExp(bounded, "i"), note: "" };
  } catch (error) {
    return none(error instanceof Error ? error.message : String(error));
  }
}
