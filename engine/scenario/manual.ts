/** The manual of scenarios: pages made from the schemas, for `eintr explain` and `eintr schema --scenario`. */

import type * as z from "zod";
import { NEVER } from "../time.ts";
import type { Manual } from "./operation.ts";
import { OPERATION_NAMES, OPERATIONS, scenarioSchema } from "./schema.ts";
import { arrival, signalPlan, when } from "./when.ts";
import { absent, expectation, fieldOf, fieldsOf } from "./words.ts";

/** A field of a map of the scenario. */
export interface Field {
  readonly name: string;
  /** "a whole number from 0 to 255" */
  readonly expects: string;
  /** What stands for it when it is left out; null when it must be given. */
  readonly absent: string | null;
  readonly meaning: string;
}

/** A map of the scenario and its fields. */
export type FormMap = readonly [title: string, fields: readonly Field[]];

/** Paragraphs under a title. */
export type Section = readonly [title: string, ...paragraphs: string[]];

/** A page: an operation, or what several of them share. */
export interface Page {
  readonly name: string;
  /** One line. */
  readonly does: string;
  /** Lines of a scenario. */
  readonly examples: readonly string[];
  readonly maps: readonly FormMap[];
  readonly sections: readonly Section[];
}

export const fieldsIn = (schema: z.core.$ZodType): Field[] =>
  fieldsOf(schema).map(([name, field]) => ({
    name,
    expects: expectation(field),
    absent: absentText(field),
    meaning: meaningOf(field),
  }));

/** The text given with `.describe()`; "" when a field has none. */
const meaningOf = (schema: z.core.$ZodType): string => (schema as { description?: string }).description ?? "";

function absentText(schema: z.core.$ZodType): string | null {
  const stand = absent(schema);
  if (stand === null) return null;
  const { value } = stand;
  if (value === undefined) return "";
  if (value === NEVER) return "forever";
  if (Array.isArray(value)) return "none";
  return typeof value === "object" ? "" : String(value === "" ? "" : value);
}

function operationPage(name: (typeof OPERATION_NAMES)[number]): Page {
  const { manual, args } = OPERATIONS[name];
  const { short } = manual;
  return {
    name,
    does: manual.does,
    examples: [`- ${manual.example}`],
    maps: Object.keys(args.shape).length === 0 ? [] : [["Fields", fieldsIn(args)]],
    sections: [
      ...(short === undefined ? [] : [["In short", `\`- ${name}: VALUE\` stands for \`- ${name}: { ${short}: VALUE }\`.`] as const]),
      ...stacks(manual),
    ],
  };
}

const stacks = ({ linux, graphene }: Manual): Section[] =>
  linux === graphene
    ? [["On every stack", linux]]
    : [
        ["On Linux", linux],
        ["On Graphene", graphene],
      ];

const plans = (): FormMap[] => [
  ["An entry of signals", fieldsIn(signalPlan)],
  ["An entry of arrivals", fieldsIn(arrival)],
];

const whenPage = (): Page => ({
  name: "when",
  does: "when a signal or data from outside comes: exactly one of at, every, rate, call, handler, site",
  examples: [
    "signals:",
    "  - { signal: SIGINT, when: { at: 5ms } }",
    "  - { signal: SIGUSR1, when: { every: 1ms, from: 2ms, times: 10 } }",
    "  - { signal: SIGALRM, when: { rate: 100 } }",
    "  - { signal: SIGINT, when: { thread: main, call: read, nth: 2 } }",
    "  - { signal: SIGTERM, when: { thread: main, handler: SIGINT } }",
    '  - { signal: SIGINT, stacks: [graphene-linux], when: { thread: main, site: "DkStreamRead: INLINE_SYSCALL(read)" } }',
    "arrivals:",
    "  - { to: pipe, bytes: 64, when: { at: 10ms } }",
  ],
  maps: [["Fields", fieldsIn(when)], ...plans()],
  sections: [],
});

const resultsPage = (): Page => ({
  name: "results",
  does: "results of calls, as `if` and `retry` look at them",
  examples: [
    "- retry: { while: EINTR, do: [ { read: { from: pipe } } ] }",
    '- if: { result: ">= 1", do: [ { write: { to: log } } ], else: [ exit ] }',
    "- if: { result: [EAGAIN, EINTR], do: [ yield ] }",
    "- loop: { until: stop, do: [ pause ] }",
  ],
  maps: [],
  sections: [
    [
      "Forms",
      "EINTR or -EINTR: that error. error: any error. 8 or 0: that number.",
      '"> 0", ">= 1", "< 0", "<= 0", "!= EAGAIN": compared, in quotes because YAML gives > a meaning.',
      "A list: any of them.",
    ],
    [
      "Which call",
      "The call that came back last in the same program or handler; 0 before the first. A handler that runs between a call and the look " +
        "at its result changes nothing, as the registers come back with it.",
    ],
    [
      "Flags",
      "`set: stop` sets a flag of the process, `set: { flag: stop, to: false }` clears it; `loop` (until) and `if` (flag) look at it. A look " +
        "is a step of its own: between it and the next operation a signal may come.",
    ],
  ],
});

/** Pages that are no operation. */
const TOPICS: Readonly<Record<string, () => Page>> = { when: whenPage, results: resultsPage };

/** All pages: the operations, then the rest. */
export const operationPages = (): Page[] => OPERATION_NAMES.map(operationPage);
export const pages = (): Page[] => [...operationPages(), ...Object.values(TOPICS).map((make) => make())];

export const PAGE_NAMES: readonly string[] = [...OPERATION_NAMES, ...Object.keys(TOPICS)];

/** The maps that a scenario is made of, operations aside, by what they are. */
export const scenarioMaps = (): FormMap[] => [
  ["A scenario", fieldsIn(scenarioSchema)],
  ["limit", fieldsIn(fieldOf(scenarioSchema, "limit") ?? scenarioSchema)],
  ...plans(),
  ["when", fieldsIn(when)],
];
