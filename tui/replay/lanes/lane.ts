/** What a lane holds: one cell a column, and the calls and handlers that lie under them. */

import { LAYERS, type Layer } from "../../../engine/index.ts";

/**
 * A cell: nothing is known, the thread waits, it waits most of the time, it is in calls of which the layers are not known, or whose code ran
 * there most, in which context.
 */
export const NOTHING = 0;
export const WAITS = 1;
export const WAITS_MOST = 2;
export const CALLS = 3;
const FIRST_LAYER = 4;
export const CODES = FIRST_LAYER + 2 * LAYERS.length;

export const codeOf = (layer: Layer, inSignal: boolean): number => FIRST_LAYER + 2 * LAYERS.indexOf(layer) + (inSignal ? 1 : 0);

/** Null for cells without a layer. */
export const layerOf = (code: number): Layer | null => (code < FIRST_LAYER ? null : (LAYERS[(code - FIRST_LAYER) >> 1] ?? null));
export const isSignalCode = (code: number): boolean => code >= FIRST_LAYER && (code - FIRST_LAYER) % 2 === 1;

/** A call of the application, or a run of one of its handlers: from column to column, both included. */
export interface Slice {
  readonly what: "call" | "handler";
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export interface Lane {
  readonly cells: Uint8Array;
  /** 1 where the thread is inside the enclave. */
  readonly inside: Uint8Array;
  readonly slices: readonly Slice[];
}

export interface Lanes {
  /** By thread. */
  readonly lanes: ReadonlyMap<number, Lane>;
  /** Seqs at which the columns begin, and the end of the last one. */
  readonly edges: Float64Array;
  /** From every row; else from the tables of calls, handlers and enclave entries. Null: those are still being counted. */
  readonly exact: boolean | null;
}

/** Threads that are looked at: a trace may have any number of them. */
export const MAX_LANES = 64;
/** Slices of a lane; more could not be drawn. */
export const MAX_SLICES = 600;
