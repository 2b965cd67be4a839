/** How a generation takes signals, in words: what `eintr explain STACK` prints. */

/** Paragraphs of a sentence or a few, in plain words with the function names of the source; and where they come from. */
export interface Told {
  readonly text: readonly string[];
  /** Sections of the reference, or a document of the project itself. */
  readonly source: string;
}

export interface Mechanism {
  /** What the code looks at to decide what becomes of a signal, in the order in which it looks. */
  readonly state: Told;
  /** Where the application's handler runs: on which stack, in which context, when. */
  readonly handlers: Told;
  /** What becomes of a signal while a handler, or the code that takes one, runs. */
  readonly nesting: Told;
  /** What is known to go wrong, or is left to the application; an item for each paragraph. */
  readonly open: Told;
}
