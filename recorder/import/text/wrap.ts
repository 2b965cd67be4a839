/** What a wrap is, and the ways in which most of them are known. */

/** Is this a line as the log's program writes it, with nothing around? */
export type Knows = (line: string) => boolean;

export interface Wrap {
  readonly name: string;
  /** How to take it off, or null when these lines do not carry it. */
  find(lines: readonly string[], knows: Knows): ((line: string) => string) | null;
}

/** Share of the lines that must carry a wrap which a single line may have by chance. */
export const MOST = 0.6;

/** Of the lines that are not empty. */
export function share(lines: readonly string[], has: (line: string) => boolean): number {
  const written = lines.filter((line) => line.trim() !== "");
  return written.length === 0 ? 0 : written.filter(has).length / written.length;
}

/** A prefix that nearly every line has. */
export const prefixed = (name: string, prefix: RegExp): Wrap => ({
  name,
  find: (lines) => (share(lines, (line) => prefix.test(line)) > MOST ? (line) => line.replace(prefix, "") : null),
});

/** A prefix that other logs' own lines may have: only where nothing is known with it, and something without. */
export const aroundKnown = (name: string, prefix: RegExp): Wrap => ({
  name,
  find: (lines, knows) => {
    const bare = (line: string): string => line.replace(prefix, "");
    const isAround = !lines.some(knows) && lines.some((line) => prefix.test(line) && knows(bare(line)));
    return isAround && share(lines, (line) => prefix.test(line)) > MOST ? bare : null;
  },
});
