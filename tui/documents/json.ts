/** The answers as one JSON object. */

import type { Document } from "./document.ts";

export const json: Document = {
  id: "json",
  extension: ".json",
  text: "the same and signals, as one JSON object",
  ofOneFinding: false,
  async write({ data }) {
    const { run, verdict, outcomes, threads, findings, differences, notes, signals, quality, cuts } = data;
    const plain = {
      run,
      verdict,
      outcomes,
      threads,
      // Drawings are for people.
      findings: findings.map(({ diagram: _, ...finding }) => finding),
      differences: differences.map(({ diagram: _, ...difference }) => difference),
      notes,
      signals,
      quality,
      cuts,
    };
    return `${JSON.stringify(plain, null, 2)}\n`;
  },
};
