#!/usr/bin/env bash
# Long campaigns: what npm test tries on a few seeds, on thousands. Each failure names its seed and how to run it alone.
#   npm run torture              all of them, one after the other
#   npm run torture -- silent    one of them
set -u
cd "$(dirname "$0")/.." || exit 1

# name | what is tried | seeds, or "-" where the test counts by itself | test file
CAMPAIGNS=$(cat <<'TABLE'
verdict   | the verdict agrees with a slow, plain one, mirrors itself, and is empty against itself | 1-10000 | test/analyzer/verdict-random.test.ts
silent    | 10 million transitions of random scenarios on native-linux give no finding            | -       | test/analyzer/rules-silent.test.ts
schedules | findings of all built-in scenarios under other schedules agree with a plain reading   | -       | test/analyzer/scenarios.test.ts
evidence  | the evidence of all rules' examples, and of random scenarios, agrees with SQL          | 1-300   | test/analyzer/evidence-sql.test.ts
laws      | 10,000 random scenarios on every stack: laws, copies, repetition, every signal has an end | 1-10000 | test/engine/properties.test.ts
gramine   | the same on gramine-sgx with the options of its manifest, observed and taken back     | 1-2000  | test/engine/gramine-sgx-properties.test.ts
observed  | a state that is observed for the search does what a plain one does                     | -       | test/engine/observed.test.ts
stacks    | built-in cases and all logs on every stack: nothing throws, each endless run has its reason | - | test/analyzer/all-stacks.test.ts
logs      | random logs are imported or refused in words, and what is imported runs                | -       | test/recorder/strace-fuzz.test.ts
keys      | 20,000 random keys, mouse events and sizes of the replay: no crash, no screen of another size | - | test/tui/replay/random.test.ts
cost      | a row costs the same after a million others                                           | -       | test/engine/cost.test.ts
files     | a trace opens after a kill at any byte                                                | -       | test/recorder/always-opens.test.ts
TABLE
)

only=${1:-}
passed=0
failed=0
while IFS='|' read -r name what seeds file; do
  name=${name// /} seeds=${seeds// /} file=${file// /}
  [ -z "$only" ] || [ "$only" = "$name" ] || continue
  printf '\n== %s:%s\n' "$name" "$(sed 's/ *$//' <<<"$what")"
  settings=(EINTR_TORTURE=1)
  [ "$seeds" = "-" ] || settings+=(EINTR_SEED="${EINTR_SEED:-$seeds}")
  if env "${settings[@]}" npx vitest run "$file" --testTimeout=7200000 --reporter=verbose; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
  fi
done <<<"$CAMPAIGNS"

if [ $((passed + failed)) -eq 0 ]; then
  printf 'no campaign is called %s; there are: %s\n' "$only" "$(cut -d'|' -f1 <<<"$CAMPAIGNS" | tr -s ' \n' ' ')" >&2
  exit 2
fi
printf '\ncampaigns: %d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
