/** More than so many persons within twelve months are bulk (28 CFR 202.205, in force since 2025-04-08). */
export const BULK_RULE = {
  citation: '28 CFR 202.205',
  version: '2025-04-08',
  windowMonths: 12,
  thresholds: {
    'human-genomic': 100,
    'other-omic': 1_000,
    biometric: 1_000,
    'precise-geolocation': 1_000,
    'personal-health': 10_000,
    'personal-financial': 10_000,
    'covered-identifiers': 100_000,
  },
} as const;
export type BulkCategory = keyof typeof BULK_RULE.thresholds;
export const BULK_CATEGORIES = Object.keys(BULK_RULE.thresholds) as readonly BulkCategory[];
