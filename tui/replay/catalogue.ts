/** The rules, once they are loaded: a third of the program's text, for which the first screen does not wait. */

type Catalogue = typeof import("../../analyzer/catalogue.ts");

let loaded: Catalogue | null = null;

export async function loadCatalogue(): Promise<Catalogue> {
  loaded ??= await import("../../analyzer/catalogue.ts");
  return loaded;
}

/** Null in the first moments of a replay. */
export const catalogueIfLoaded = (): Catalogue | null => loaded;
