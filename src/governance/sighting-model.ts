import { SCALARS, value, valueType } from '../kernel/index.js';

const office = { tags: ['evidence', 'evidence.patients'], safeHarbor: 'R' } as const;
const plain = { tags: ['evidence', 'evidence.patients'], safeHarbor: 'none' } as const;
const consent = { tags: ['consent', 'evidence.patients'], safeHarbor: 'R' } as const;

@valueType('Sighting', 'An answer that a person stood behind.')
export class Sighting {
  @value({ ...office, type: () => SCALARS.ID, required: true, description: 'Lineage id of the answer.' })
  run!: string;
  @value({ ...office, type: () => SCALARS.DateTime, required: true, safeHarbor: 'C', description: 'When it was given.' })
  at!: string;
  @value({ ...plain, type: () => SCALARS.String, description: 'Subject of the token.' })
  principal!: string | null;
  @value({ ...plain, type: () => [SCALARS.String], required: true, description: 'Roles of the caller.' })
  roles!: readonly string[];
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Purpose of use.' })
  purpose!: string;
  @value({ ...plain, type: () => SCALARS.String, description: 'Organisation to which it went.' })
  recipient!: string | null;
  @value({ ...plain, type: () => SCALARS.ID, description: 'Digest of the plan.' })
  plan!: string | null;
  @value({ ...plain, type: () => SCALARS.String, description: 'SHA-256 of the document without its literals; null for a file.' })
  document!: string | null;
  @value({
    ...office,
    type: () => SCALARS.Boolean,
    required: true,
    description: 'Whether it stood on glass that was broken for this person.',
  })
  breakGlass!: boolean;
}

@valueType('Sightings', 'Who read a person, the earliest first.')
export class Sightings {
  @value({ ...office, type: () => [Sighting], required: true, description: 'Answers of this page.' })
  sightings!: readonly Sighting[];
  @value({ ...plain, type: () => SCALARS.String, description: 'Cursor of the next page; null where nothing follows.' })
  next!: string | null;
}

@valueType('ModelRun', 'A run of a model that a person stood behind.')
export class ModelRun {
  @value({ ...office, type: () => SCALARS.ID, required: true, description: 'Lineage id of the run.' })
  run!: string;
  @value({ ...office, type: () => SCALARS.DateTime, required: true, safeHarbor: 'C', description: 'When it ran.' })
  at!: string;
  @value({ ...plain, type: () => SCALARS.ID, required: true, description: 'id@version' })
  model!: string;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'TRAIN or RUN.' })
  act!: string;
  @value({ ...plain, type: () => SCALARS.String, description: 'Subject of the token.' })
  principal!: string | null;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Purpose of use.' })
  purpose!: string;
  @value({ ...plain, type: () => [SCALARS.String], required: true, description: 'Modalities that were read.' })
  modalities!: readonly string[];
}

@valueType('ConsentState', 'A consent as it stood at an instant.')
export class ConsentState {
  @value({ ...consent, type: () => SCALARS.ID, required: true, description: 'Identifier of the consent.' })
  consentId!: string;
  @value({ ...consent, type: () => SCALARS.String, required: true, description: 'Its state.' })
  status!: string;
  @value({ ...consent, type: () => SCALARS.String, description: 'What it is about.' })
  scope!: string | null;
  @value({ ...consent, type: () => SCALARS.DateTime, safeHarbor: 'C', description: 'When it was decided.' })
  decidedAt!: string | null;
  @value({
    ...consent,
    type: () => SCALARS.Boolean,
    required: true,
    description: 'Whether all of it could be understood; what is not permits nothing.',
  })
  understood!: boolean;
  @value({ ...consent, type: () => SCALARS.JSON, description: 'Its provisions.' })
  provisions!: unknown;
  @value({ ...consent, type: () => SCALARS.ID, required: true, description: 'Digest of the file that stated it.' })
  source!: string;
  @value({
    ...consent,
    type: () => SCALARS.DateTime,
    safeHarbor: 'C',
    description: 'Known here from then on; null: from before versions were kept.',
  })
  knownFrom!: string | null;
  @value({ ...consent, type: () => SCALARS.DateTime, safeHarbor: 'C', description: 'Replaced or revoked here then; null: still as it is.' })
  knownTo!: string | null;
}

@valueType('ConsentPermit', 'A use that consents permitted at an instant.')
export class ConsentPermit {
  @value({ ...consent, type: () => SCALARS.String, required: true, description: 'Purpose of use.' })
  purpose!: string;
  @value({ ...consent, type: () => [SCALARS.String], required: true, description: 'Kinds of data.' })
  modalities!: readonly string[];
  @value({ ...consent, type: () => SCALARS.Int, required: true, description: 'From this confidentiality on.' })
  sensitivityMin!: number;
  @value({ ...consent, type: () => SCALARS.Int, required: true, description: 'Up to this confidentiality.' })
  sensitivityMax!: number;
  @value({ ...consent, type: () => SCALARS.DateTime, safeHarbor: 'C', description: 'From when on; null: from ever.' })
  validFrom!: string | null;
  @value({ ...consent, type: () => SCALARS.DateTime, safeHarbor: 'C', description: 'Until when; null: for ever.' })
  validTo!: string | null;
}

@valueType('ConsentAt', 'Consents of a person as they stood at an instant.')
export class ConsentAt {
  @value({ ...consent, type: () => SCALARS.DateTime, required: true, safeHarbor: 'C', description: 'The instant.' })
  at!: string;
  @value({ ...consent, type: () => SCALARS.Int, description: 'Version of the consents.' })
  version!: number | null;
  @value({ ...consent, type: () => [ConsentState], required: true, description: 'Consents as they were known.' })
  consents!: readonly ConsentState[];
  @value({ ...consent, type: () => [ConsentPermit], required: true, description: 'What they permitted.' })
  permits!: readonly ConsentPermit[];
}

@valueType('LogFinding', 'Something in the log that somebody should ask about.')
export class LogFinding {
  @value({
    ...plain,
    type: () => SCALARS.String,
    required: true,
    description: 'OWN_RECORD, GROWTH, UNREVIEWED_BREAK_GLASS or AFTER_REVOCATION.',
  })
  kind!: string;
  @value({ ...plain, type: () => SCALARS.DateTime, required: true, description: 'When; of a growth, the UTC day.' })
  at!: string;
  @value({ ...plain, type: () => SCALARS.String, required: true, description: 'Caller.' })
  principal!: string;
  @value({
    ...plain,
    type: () => SCALARS.ID,
    required: true,
    description: 'Lineage id of the answer, the last of several, or broken glass.',
  })
  subject!: string;
  @value({ ...plain, type: () => SCALARS.Int, description: 'Answers.' })
  runs!: number | null;
  @value({ ...plain, type: () => SCALARS.Int, description: 'Persons behind them, once an answer.' })
  persons!: number | null;
  @value({ ...plain, type: () => SCALARS.Int, description: 'What is usual for the caller on a day of the 30 days before.' })
  usual!: number | null;
}

@valueType('LogExamination', 'What the log shows that somebody should ask about.')
export class LogExamination {
  @value({ ...plain, type: () => [LogFinding], required: true, description: 'By time.' })
  findings!: readonly LogFinding[];
  @value({
    ...plain,
    type: () => [SCALARS.String],
    required: true,
    description: 'Questions that evidence of this installation cannot answer, and why.',
  })
  unanswerable!: readonly string[];
}
