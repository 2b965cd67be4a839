/** Stands in for react-devtools-core, see esbuild.config.mjs. */
export default { initialize(): void {}, connectToDevTools(): void {} };
