/**
 * Stands in for @alcalzone/ansi-tokenize, see esbuild.config.mjs. Ink takes each line apart into styled characters, lays them on a
 * grid of cells and joins them again, so that texts may lie on top of each other: most of a frame's time. Lines of eintr never do:
 * each is prebuilt and goes through whole.
 */

interface Piece {
  readonly type: "char";
  readonly value: string;
  readonly fullWidth: false;
  readonly styles: readonly never[];
}

export const tokenize = (line: string): string[] => [line];

export const styledCharsFromTokens = (lines: readonly string[]): Piece[] =>
  lines.map((value) => ({ type: "char", value, fullWidth: false, styles: [] }));

export const styledCharsToString = (pieces: readonly Piece[]): string => pieces.map((piece) => piece.value).join("");
