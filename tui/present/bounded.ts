/** Messages of a length that somebody reads: what they quote may be megabytes long. */

const MOST_LINES = 40;
const MOST_CHARACTERS = 1000;
/** So much of a long line's end stays: what to do stands there. */
const END_CHARACTERS = 300;

export function bounded(text: string): string {
  const lines = text.split("\n", MOST_LINES + 1);
  const shown = lines.slice(0, MOST_LINES).map(boundedLine).join("\n");
  return lines.length <= MOST_LINES ? shown : `${shown}\n(and more)`;
}

function boundedLine(line: string): string {
  if (line.length <= MOST_CHARACTERS) return line;
  const begin = line.slice(0, MOST_CHARACTERS - END_CHARACTERS);
  return `${begin} … (${line.length} characters) … ${line.slice(-END_CHARACTERS)}`;
}
