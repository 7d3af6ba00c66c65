import type { ResearchProject } from '../../../src/governance/data-use/project.js';

/** The instant of every request. */
export const AT = Date.parse('2026-06-01T00:00:00Z');
const day = (text: string): number => Date.parse(`${text}T00:00:00Z`);

/** cancer > melanoma > uveal melanoma; cardiovascular disease apart. Ids of MONDO. */
export const PARENTS: ReadonlyMap<string, readonly string[]> = new Map([
  ['MONDO:0006486', ['MONDO:0005105']],
  ['MONDO:0005105', ['MONDO:0004992']],
  ['MONDO:0004992', []],
  ['MONDO:0004995', []],
]);

/** Uveal melanoma at a university that has and promises everything. */
export const ACADEMIC: ResearchProject = {
  id: 'p-academic',
  uses: ['biomedical'],
  diseases: ['MONDO:0006486'],
  organisation: 'not-for-profit',
  commercial: false,
  genetic: true,
  approvals: [{ id: 'irb-1', until: day('2026-12-01') }],
  country: 'FI',
  institution: 'uni-a',
  users: ['ann', 'bob'],
  studyTypes: ['cohort'],
  accepted: ['COL', 'PUB', 'RTN', 'MOR'],
  start: day('2026-01-01'),
  publication: day('2027-01-01'),
};

/** A company's product for the heart; nothing is promised. */
const COMPANY: ResearchProject = {
  id: 'p-company',
  uses: ['biomedical'],
  diseases: ['MONDO:0004995'],
  organisation: 'for-profit',
  commercial: true,
  genetic: false,
  approvals: [],
  country: 'US',
  institution: 'corp',
  users: ['eve'],
  studyTypes: ['case-control'],
  accepted: [],
  start: null,
  publication: null,
};

/** Ancestry alone; the approval and the time have run out and the results come out too early. */
const ANCESTRY: ResearchProject = {
  ...ACADEMIC,
  id: 'p-ancestry',
  uses: ['ancestry'],
  diseases: [],
  approvals: [{ id: 'irb-2', until: AT }],
  institution: 'uni-b',
  users: ['ann'],
  accepted: ['PUB'],
  start: day('2024-01-01'),
  publication: day('2026-07-01'),
};

/** Software for cancer (wider than melanoma), made by a company for no profit; much is not stated. */
const METHODS: ResearchProject = {
  id: 'p-methods',
  uses: ['biomedical', 'methods'],
  diseases: ['MONDO:0004992'],
  organisation: 'for-profit',
  commercial: false,
  genetic: null,
  approvals: [{ id: 'irb-3', until: day('2026-12-01') }],
  country: null,
  institution: null,
  users: [],
  studyTypes: [],
  accepted: ['COL', 'RTN', 'MOR'],
  start: day('2026-03-01'),
  publication: null,
};

/** Care of patients with melanoma; one user and one study type too many, not begun, publication on the very day. */
const CARE: ResearchProject = {
  ...ACADEMIC,
  id: 'p-care',
  uses: ['clinical-care'],
  diseases: ['MONDO:0005105'],
  approvals: [],
  country: 'SE',
  users: ['ann', 'mal'],
  studyTypes: ['cohort', 'survey'],
  start: day('2026-06-02'),
  publication: day('2026-12-31'),
};

/** Neither research nor care, for money; twelve months ended at this instant. */
const SALE: ResearchProject = {
  ...ACADEMIC,
  id: 'p-sale',
  uses: ['other'],
  diseases: [],
  commercial: true,
  approvals: [],
  users: ['bob'],
  accepted: [],
  start: day('2025-06-01'),
  publication: null,
};

/** The columns of the table below, in its order. */
export const PROJECTS: readonly ResearchProject[] = [ACADEMIC, COMPANY, ANCESTRY, METHODS, CARE, SALE];

interface Row {
  readonly id: string;
  readonly permission: boolean;
  readonly values: readonly string[];
  /** One letter a project: + the code fits or holds, - it does not, c it fits beside CC only. */
  readonly letters: string;
}

const permission = (id: string, letters: string, ...values: string[]): Row => ({ id, permission: true, values, letters });
const modifier = (id: string, letters: string, ...values: string[]): Row => ({ id, permission: false, values, letters });

/** Written by hand from the definitions in duo.csv, without the matcher: academic, company, ancestry, methods, care, sale. */
export const TABLE: Readonly<Record<string, Row>> = {
  NRES: permission('DUO:0000004', '++++++'),
  GRU: permission('DUO:0000042', '++++c-'),
  HMB: permission('DUO:0000006', '++-+c-'),
  DS: permission('DUO:0000007', '+---c-', 'MONDO:0005105'),
  POA: permission('DUO:0000011', '--+---'),
  RS: modifier('DUO:0000012', '+++--+', 'cohort', 'case-control'),
  NMDS: modifier('DUO:0000015', '+++-++'),
  GSO: modifier('DUO:0000016', '+-+-++'),
  NPUNCU: modifier('DUO:0000018', '+-+-+-'),
  PUB: modifier('DUO:0000019', '+-+-+-'),
  COL: modifier('DUO:0000020', '+--++-'),
  IRB: modifier('DUO:0000021', '+--+--'),
  GS: modifier('DUO:0000022', '+-+--+', 'FI', 'DE'),
  MOR: modifier('DUO:0000024', '+--++-', '2026-12-31'),
  TS: modifier('DUO:0000025', '+--+--', '12'),
  US: modifier('DUO:0000026', '+-+--+', 'ann', 'bob'),
  PS: modifier('DUO:0000027', '+---+-', 'p-academic', 'p-care'),
  IS: modifier('DUO:0000028', '+---++', 'uni-a'),
  RTN: modifier('DUO:0000029', '+--++-'),
  CC: modifier('DUO:0000043', '++++++'),
  NPOA: modifier('DUO:0000044', '++-+++'),
  NPU: modifier('DUO:0000045', '+-+-++'),
  NCU: modifier('DUO:0000046', '+-+++-'),
};

/** What the table expects of codes together, one + or - a project: some permission fits, and every modifier holds. */
export function expectedOf(...names: readonly string[]): string {
  const rows = names.map((name) => TABLE[name] as Row);
  return PROJECTS.map((_, at) => {
    const fits = rows.some((row) => row.permission && (row.letters[at] === '+' || (row.letters[at] === 'c' && names.includes('CC'))));
    const hold = rows.every((row) => row.permission || row.letters[at] === '+');
    return fits && hold ? '+' : '-';
  }).join('');
}
