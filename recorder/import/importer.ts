/** What an importer is: the door through which recordings of other programs come. */

import type { ScenarioInput } from "../../engine/index.ts";
import type { Clock, QualityCounter } from "../format/metadata.ts";
import type { StreamedSource } from "../trace/record.ts";

/** Bytes of a file that an importer sees to say whether it is one of its own; fewer are the whole file. */
export const SNIFF_BYTES = 64 * 1024;

/** The file tells what a program asked for: it is emulated, on any stack. */
export interface ImportedScenario {
  readonly is: "scenario";
  readonly scenario: ScenarioInput;
  /** What of the file was not understood, or not kept. */
  readonly counters: readonly QualityCounter[];
}

/** The file tells what happened: it is kept as it is, with nothing emulated. */
export interface ImportedTransitions {
  readonly is: "transitions";
  readonly source: StreamedSource;
  /** The same, asked for when the source is over. */
  counters(): readonly QualityCounter[];
}

export type Imported = ImportedScenario | ImportedTransitions;

export interface Importer {
  /** A short name, e.g. "strace"; it is the `stack` of a trace that was imported as transitions. */
  readonly id: string;
  /** What a user calls such a file, with its article: "a strace log". */
  readonly text: string;
  /** Which clock the file's times are of. A trace begins at 0 all the same. */
  readonly clock: Clock;
  /** Most bytes of a file: what is read must fit into memory. Infinity where memory does not grow with the file. */
  readonly mostBytes: number;
  /** Decided by the first bytes of the file, at most SNIFF_BYTES of them. */
  sniff(start: Uint8Array): boolean;
  /** Is this a line of such a file, with nothing around? It tells what a file that nobody reads is nearest to. */
  readonly knows?: (line: string) => boolean;
  /** Chunks of any length, from the file's beginning; a source may leave the later ones for when it needs them. `name` names the file in errors. Throws ImportError. */
  read(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Imported>;
}

/** A file that cannot be imported: its message names the place, what was expected, and what to do. */
export class ImportError extends Error {
  override readonly name: string = "ImportError";
}
