/** Text -> Scenario. Errors name line, field and what was expected, all of a file at once. */

import { ScenarioError } from "../errors.ts";
import { type Mistake, mistakesOf, pathText } from "./mistakes.ts";
import { isMap, type Scenario, scenarioSchema } from "./schema.ts";
import { takeSorts } from "./sorts.ts";
import { MOST_SHOWN, type Path, type PlaceOf, readSource } from "./source.ts";
import { shortened } from "./words.ts";

/** Longer lines of an error are cut. */
const MOST_CHARACTERS = 600;

/** What was read, for errors that come up when the scenario is run. By its main program, which copies of it share. */
const TEXTS = new WeakMap<Scenario["main"], { readonly text: string; readonly where: string }>();

/**
 * Parse and check a scenario. `where` names the file in errors.
 * @throws ScenarioError with one line for each mistake, at most twenty.
 */
export function parseScenario(text: string, where: string): Scenario {
  const { value, placeOf } = readSource(text, where);
  if (!isMap(value))
    throw new ScenarioError(`${placeOf([])}: expected a scenario, a map with name, title and main (eintr scenarios NAME prints one)`);
  const result = scenarioSchema.safeParse(value);
  const mistakes = mistakesOf(value, result.success ? [] : result.error.issues);
  if (result.success) mistakes.push(...takeSorts(result.data));
  if (!result.success || mistakes.length > 0) throw refused(mistakes, placeOf);
  TEXTS.set(result.data.main, { text, where });
  return result.data;
}

function refused(mistakes: readonly Mistake[], placeOf: PlaceOf): ScenarioError {
  const lines = mistakes.slice(0, MOST_SHOWN).map((mistake) => lineOf(mistake, placeOf));
  if (mistakes.length > lines.length) lines.push(`... and ${mistakes.length - lines.length} more`);
  return new ScenarioError(lines.join("\n"));
}

function lineOf({ path, text, key = false }: Mistake, placeOf: PlaceOf): string {
  // The unknown name stands in the text.
  const field = pathText(key ? path.slice(0, -1) : path);
  return shortened(`${placeOf(path, key)}: ${field === "" ? "" : `${field}: `}${text()}`, MOST_CHARACTERS);
}

/** A mistake that only the run of a scenario shows, such as a place that its stack does not have. */
export function mistakeIn(scenario: Scenario, path: Path, text: string): ScenarioError {
  const known = TEXTS.get(scenario.main);
  const placeOf = known === undefined ? undefined : readSource(known.text, known.where).placeOf;
  return new ScenarioError(placeOf === undefined ? `${pathText(path)}: ${text}` : lineOf({ path, text: () => text }, placeOf));
}
