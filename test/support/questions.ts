/** What people ask of a trace first, as the README lists it. The benchmark times each on a long trace, a test runs each on a short one. */

export interface Question {
  readonly asks: string;
  readonly sql: string;
}

export const QUESTIONS: readonly Question[] = [
  {
    asks: "What happened, and how often?",
    sql: "SELECT name, count FROM kind WHERE count > 0 ORDER BY count DESC",
  },
  {
    asks: "Which threads did most?",
    sql: "SELECT name, count FROM thread ORDER BY count DESC LIMIT 10",
  },
  {
    asks: "How did the run, its processes and its threads end, and how on Linux?",
    sql: "SELECT subject, name, text, other_text FROM outcome ORDER BY id LIMIT 20",
  },
  {
    asks: "What does the application see otherwise than on Linux?",
    sql: "SELECT seq, thread, what, here, there FROM difference ORDER BY id LIMIT 20",
  },
  {
    asks: "What became of the signals?",
    sql: "SELECT signal, outcome, count FROM signal_totals ORDER BY signal, outcome",
  },
  {
    asks: "How long does a signal take to its handler?",
    sql: "SELECT signal, delay_ns / delayed AS mean_ns, longest_ns FROM signal_totals WHERE delayed > 0",
  },
  {
    asks: "Which calls fail, and how often?",
    sql: "SELECT call, error, sum(count) AS calls FROM call_totals WHERE error < 0 GROUP BY call, error ORDER BY calls DESC",
  },
  {
    asks: "Which calls take longest, and where is the longest of each?",
    sql: "SELECT call, count, time_ns / count AS mean_ns, longest_ns, longest_seq FROM call_totals ORDER BY longest_ns DESC LIMIT 10",
  },
  {
    asks: "How often is the enclave entered and left?",
    sql: "SELECT name, count FROM kind WHERE name LIKE 'sgx.%'",
  },
  {
    asks: "Where does this happen?",
    sql: "SELECT seq, time_ns, thread, signal FROM transitions WHERE kind = 'app.handler.enter' LIMIT 20",
  },
];

/** As the README shows them: SQL with the question as a comment. */
export const questionText = (): string => QUESTIONS.map(({ asks, sql }) => `-- ${asks}\n${sql};\n`).join("");
