/**
 * Names that are put together while a run goes on, such as those of locks. They are kept: a text that is made anew has to be hashed and
 * looked up before it can be a key.
 */

/** Names of each sort that are kept: those of the threads of a long run are without number. */
const KEPT = 1024;

/** Makes "`what` NAME". */
export function naming(what: string): (of: string | number) => string {
  const kept = new Map<string | number, string>();
  return (of) => {
    const known = kept.get(of);
    if (known !== undefined) return known;
    if (kept.size >= KEPT) kept.clear();
    const name = `${what} ${of}`;
    kept.set(of, name);
    return name;
  };
}
