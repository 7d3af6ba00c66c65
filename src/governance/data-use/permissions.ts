import type { DiseaseHierarchy } from './disease.js';
import type { Permission } from './duo-codes.js';
import type { ResearchProject, UseKind } from './project.js';
import type { DenialReason } from './verdict.js';

export interface PermissionContext {
  readonly diseases: DiseaseHierarchy;
  /** True where a modifier says that use for clinical care is allowed too (CC). */
  readonly careAllowed: boolean;
}

const RESEARCH: readonly UseKind[] = ['biomedical', 'biology', 'social', 'ancestry', 'methods'];

/** True where the project does nothing but this; methods development counts as part of what it is developed for. */
const only = (uses: readonly UseKind[], ...kinds: readonly UseKind[]): boolean =>
  uses.some((use) => kinds.includes(use)) && uses.every((use) => use === 'methods' || kinds.includes(use));

/**
 * Why the permission does not fit the project, or null where it does. Definitions of DUO: NRES any use; GRU any research purpose,
 * methods and ancestry included; HMB without ancestry; DS research on a disease, descendants included; POA ancestry alone. Use for
 * clinical care is no research: it needs NRES, or the modifier CC beside a permission that covers health.
 */
export function misfit(
  permission: Permission,
  values: readonly string[],
  project: ResearchProject,
  { diseases, careAllowed }: PermissionContext,
): DenialReason | null {
  const { uses } = project;
  const care: readonly UseKind[] = careAllowed ? ['clinical-care'] : [];
  const unless = (fits: boolean): DenialReason | null => (fits ? null : 'use-not-permitted');
  switch (permission) {
    case 'NRES':
      return null;
    case 'GRU':
      return unless(uses.every((use) => RESEARCH.includes(use) || care.includes(use)));
    case 'HMB':
      return unless(only(uses, 'biomedical', ...care));
    case 'POA':
      return unless(only(uses, 'ancestry'));
    case 'DS':
      if (!only(uses, 'biomedical', ...care)) return 'use-not-permitted';
      return diseaseMisfit(values, project.diseases, diseases);
  }
}

/** A wider disease than the consent names does not fit, nor one of several that lies outside. */
function diseaseMisfit(allowed: readonly string[], studied: readonly string[], diseases: DiseaseHierarchy): DenialReason | null {
  if (studied.length === 0) return 'disease-not-stated';
  if (studied.some((code) => !diseases.known(code))) return 'disease-unknown';
  const within = studied.every((code) => allowed.some((ancestor) => diseases.isA(code, ancestor)));
  return within ? null : 'disease-not-permitted';
}
