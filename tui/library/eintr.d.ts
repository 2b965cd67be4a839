/**
 * eintr as a library: record how signals travel through a library OS, read traces, analyze and compare them.
 *
 * ```ts
 * import { analyze, openTrace, record } from "eintr";
 *
 * await record("lost-interrupted-error", { output: "a.trace", stack: "graphene-sgx" });
 * const trace = await openTrace("a.trace");
 * const { verdict, findings } = await analyze(trace);
 * console.log(verdict.lines.join("\n"), findings.map(({ title }) => title));
 * trace.close();
 * ```
 *
 * Errors that a user can cause (a name that does not exist, a broken file, a wrong scenario) have a message that says what was expected and
 * what to do: `isUserError` tells them from bugs. Nothing is written to the terminal.
 */

/** Numbers are whole and below 2^53. Times are ns since the run began: virtual time of emulated runs, real time of imported ones. */
export type Nanoseconds = number;

/** A text as a scenario or a log has it, in the place of a file. */
export interface ScenarioText {
  /** The text of a scenario: YAML or JSON. */
  readonly scenario: string;
  /** What it is called in errors. */
  readonly name?: string;
}

export interface RecordOptions {
  /** Trace folder to make. */
  readonly output: string;
  /** See `stacks`. Default: graphene-sgx. Without meaning for logs that hold what happened. */
  readonly stack?: string;
  /** Ids of fixes to switch on. */
  readonly fixes?: readonly string[];
  /** Options of the stack's manifest. */
  readonly options?: readonly string[];
  /** `scripted`: as the scenario says; `seeded`: random order of threads and signals, from the seed. Default: scripted. */
  readonly scheduler?: "scripted" | "seeded";
  /** Default: the scenario's. */
  readonly seed?: number;
  /** At most so many transitions. Default: the scenario's limit. */
  readonly rows?: number;
  /** Replace a trace that is there. */
  readonly force?: boolean;
  /** Ends the recording; what was recorded stays. */
  readonly signal?: AbortSignal;
  /** Called from time to time with the number of transitions so far. */
  readonly onProgress?: (rows: number) => void;
}

export interface Recording {
  /** The trace folder. */
  readonly path: string;
  /** Transitions. */
  readonly rows: number;
  readonly time: Nanoseconds;
  /** Equal for equal runs. */
  readonly digest: string;
  readonly reason: "finished" | "row-limit" | "time-limit" | "aborted";
}

/**
 * Runs a case and keeps every transition. `what`: a built-in scenario, a scenario file or a log by its path, or a text.
 * Rejects with a user error for a case or place that is none.
 */
export declare function record(what: string | ScenarioText, options: RecordOptions): Promise<Recording>;

export interface OpenOptions {
  /** Ends the opening: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Opens a trace folder or a packed trace. Its database is made when it is missing or of another version; `analyze` finds verdict and findings.
 * Rejects with a user error for what is no trace. Close it when you are done.
 */
export declare function openTrace(path: string, options?: OpenOptions): Promise<Trace>;

/** What happened, where, and what state it left. What the trace does not know is null. */
export interface Transition {
  readonly seq: number;
  readonly time: Nanoseconds;
  readonly thread: string;
  /** Sort of transition: "sgx.aex", "app.call", ... (`eintr schema --kinds`). */
  readonly kind: string;
  /** Name of the signal. */
  readonly signal: string | null;
  /** The kind's arguments. */
  readonly value: number;
  readonly extra: number;
  /** Function, and step in it. */
  readonly flow: string;
  readonly label: string;
  readonly layer: "app" | "libos" | "pal" | "untrusted-pal" | "host";
  readonly context: "normal" | "signal";
  readonly depth: number | null;
  readonly cssa: number | null;
  readonly preempt: number | null;
  readonly pending: number | null;
  readonly detail: string;
}

export interface RunFacts {
  /** Version that recorded it. */
  readonly eintr: string;
  /** The stack, or where it was imported from. */
  readonly stack: string;
  readonly fixes: readonly string[];
  readonly options: readonly string[];
  /** Name and text of the scenario; the text is empty for an imported trace. */
  readonly scenario: string;
  readonly scenarioText: string;
  readonly seed: number;
  readonly origin: "emulated" | "imported";
}

export interface ThreadFacts {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** A helper of the library OS that the application does not know. */
  readonly internal: boolean;
}

export type Cell = number | bigint | string | Uint8Array | null;

export interface Rows {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
}

export interface QueryOptions {
  /** Values for `?` in the SQL. */
  readonly params?: readonly Cell[];
  /** At most so many rows. */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface Trace {
  /** As it was given to `openTrace`. */
  readonly path: string;
  readonly run: RunFacts;
  readonly threads: readonly ThreadFacts[];
  /** Number of transitions. */
  readonly length: number;
  /** False when the recording was killed: what had been written is here. */
  readonly complete: boolean;
  /** Path of its database, an ordinary SQLite file (`eintr schema` lists tables and columns). */
  readonly database: string;
  /** Transitions with `from` <= seq < `to`, read as they are asked for. Throws a user error where the file is damaged. */
  transitions(from?: number, to?: number): Generator<Transition, void>;
  /** SQL, read-only, in a process of its own. Rejects with a user error for SQL that is wrong or writes. */
  query(sql: string, options?: QueryOptions): Promise<Rows>;
  close(): void;
}

export interface AnalyzeOptions {
  /** Ids of rules (`rules`). Default: all. */
  readonly rules?: readonly string[];
  readonly signal?: AbortSignal;
}

export interface Evidence {
  readonly seq: number;
  /** Why it matters. */
  readonly caption: string;
  /** Here it went wrong; of at most one piece of a finding's evidence. */
  readonly isTurn: boolean;
}

export interface Finding {
  /** Id of the rule. */
  readonly rule: string;
  readonly severity: "info" | "low" | "medium" | "high" | "critical";
  readonly title: string;
  /** Name of the thread; null when it is of none. */
  readonly thread: string | null;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** What it wasted. */
  readonly cost: Nanoseconds;
  /** The same for the same thing in other runs. */
  readonly fingerprint: string;
  readonly evidence: readonly Evidence[];
}

export interface Analysis {
  /** Beside Linux alone. */
  readonly verdict: Verdict;
  /** In order of their first transition. Of very many alike the first are here; `counts` is of all. */
  readonly findings: readonly Finding[];
  /** How many each rule found. */
  readonly counts: Readonly<Record<string, number>>;
}

/**
 * Tells how the application fared, and looks for known ways of going wrong; both are kept in the trace's database.
 * Rejects with the reason of `signal` when that is aborted, with a user error for a rule that does not exist.
 */
export declare function analyze(trace: Trace, options?: AnalyzeOptions): Promise<Analysis>;

/** One run's side of a difference. */
export interface Side {
  /** Null when it does not happen there. */
  readonly seq: number | null;
  readonly text: string;
  /** A call's result; null where there is none. */
  readonly result: number | null;
}

export interface Difference {
  /** "result", "never-returns", "handler", ... (`eintr diff --help` lists them). */
  readonly kind: string;
  /** `timing`: the same came at another moment, with its cause; `cut`: one run ended too early to say. */
  readonly weight: "differs" | "timing" | "cut";
  readonly thread: string;
  /** The call or handler: "read(pipe, 64)". */
  readonly what: string;
  /** Line of the log that the call comes from; null where there is none. */
  readonly line: number | null;
  readonly here: Side;
  readonly there: Side;
}

export interface Outcome {
  readonly subject: "run" | "process" | "thread";
  readonly name: string;
  readonly text: string;
  /** The same in the other run; null when it is not there. */
  readonly other: string | null;
}

export interface Verdict {
  /** The application sees the same in both runs; true as well where there is nothing to compare with: see `other`. */
  readonly same: boolean;
  /** What the run was compared with; null: with nothing. */
  readonly other: string | null;
  /** The verdict in words, as the commands tell it. */
  readonly lines: readonly string[];
  /** The first difference in the order of causes; null when there is none. */
  readonly first: Difference | null;
  readonly differences: readonly Difference[];
  readonly outcomes: readonly Outcome[];
}

export interface DiffOptions {
  /** What to leave out. */
  readonly ignore?: {
    readonly calls?: readonly string[];
    readonly threads?: readonly string[];
    readonly kinds?: readonly string[];
  };
  readonly signal?: AbortSignal;
}

/**
 * What the application sees otherwise in `other`, or, without it, on Linux alone. Nothing is kept.
 * Rejects with the reason of `signal` when that is aborted.
 */
export declare function diff(trace: Trace, other?: Trace | null, options?: DiffOptions): Promise<Verdict>;

/** Names of the stacks. */
export declare const stacks: readonly string[];

/** The rules: their ids and what they are about. */
export declare const rules: readonly { readonly id: string; readonly title: string; readonly severity: Finding["severity"] }[];

/** Whether an error is the user's to mend, and its message all there is to tell; else it is a bug of eintr, or of the caller. */
export declare function isUserError(error: unknown): error is Error;

/** Version of eintr. */
export declare const version: string;
