/**
 * Stands in for is-in-ci, see esbuild.config.mjs. With `CI` in the environment Ink draws nothing before the end; `eintr replay` has looked
 * for a real terminal itself before Ink is loaded, and a person at one may well have `CI` set.
 */
export default false;
