/** A text file's lines as its program wrote them: its form is known by the first bytes, which are kept until there are enough. */

import { SNIFF_BYTES } from "../importer.ts";
import { createLineSplitter, type LineSplitter } from "../lines.ts";
import { formOf, type TextForm } from "./form.ts";
import type { Knows } from "./wraps.ts";

export interface TextReader {
  /** The lines that end in this chunk, and those of earlier ones that were kept. */
  add(chunk: Uint8Array): Generator<string, void>;
  /** After the last chunk: the lines that were kept, and what stands after the last end of a line ("" for nothing). */
  finish(): { lines: Iterable<string>; cut: string };
}

export function createTextReader(knows: Knows): TextReader {
  let kept: Uint8Array[] = [];
  let length = 0;
  let known: { readonly form: TextForm; readonly splitter: LineSplitter } | null = null;

  const decide = (whole: boolean) => {
    const start = Buffer.concat(kept);
    kept = [];
    const form = formOf(start.subarray(0, SNIFF_BYTES), whole, knows);
    known = { form, splitter: createLineSplitter(form.encoding, form.lineEnd) };
    return { start, known };
  };
  function* bareLines({ form, splitter }: NonNullable<typeof known>, chunk: Uint8Array): Generator<string, void> {
    if (form.wraps.length === 0) yield* splitter.add(chunk);
    else for (const line of splitter.add(chunk)) yield form.bare(line);
  }

  return {
    *add(chunk) {
      if (known !== null) return yield* bareLines(known, chunk);
      kept.push(chunk);
      length += chunk.length;
      if (length < SNIFF_BYTES) return;
      const decided = decide(false);
      yield* bareLines(decided.known, decided.start);
    },
    finish() {
      const decided = known === null ? decide(true) : { start: new Uint8Array(), known };
      const lines = [...bareLines(decided.known, decided.start)];
      return { lines, cut: decided.known.form.bare(decided.known.splitter.rest()) };
    },
  };
}
