/** Diseases by id (MONDO:nnnnnnn) and what is a kind of what. No ontology is bundled: the steward gives one, or none is known. */
export interface DiseaseHierarchy {
  known(code: string): boolean;
  /** True where the code is the ancestor or a descendant of it. False for codes that are not known. */
  isA(code: string, ancestor: string): boolean;
}

/** The hierarchy of a list of parents for each disease. A parent that has no entry of its own is known too. Circles do no harm. */
export function diseaseHierarchy(parentsOf: ReadonlyMap<string, readonly string[]>): DiseaseHierarchy {
  const known = new Set([...parentsOf].flatMap(([code, parents]) => [code, ...parents]));
  return {
    known: (code) => known.has(code),
    isA(code, ancestor) {
      if (!known.has(code) || !known.has(ancestor)) return false;
      const seen = new Set([code]);
      for (const each of seen) for (const parent of parentsOf.get(each) ?? []) seen.add(parent);
      return seen.has(ancestor);
    },
  };
}

export const NO_DISEASES: DiseaseHierarchy = diseaseHierarchy(new Map());
