/** Questions about where data came from, where they went, and what was in force; the gateway provides the answers to hand-written operations. */
export interface LineageDesk {
  /**
   * Lineage from some nodes on, in one answer. Throws BAD_INPUT for what is no name of a node, NOT_FOUND in the same words for a node that is unknown
   * or not for the caller to see, and LIMIT_EXCEEDED.
   */
  graph(question: GraphQuestion): Promise<LineageGraphFacts>;
  /** What a column reached, by UTC days from `from` on and before `to`. Throws BAD_INPUT and NOT_FOUND as above. */
  impact(question: { readonly column: string; readonly from: string; readonly to: string }): Promise<ImpactFacts>;
  /** Who read a person, the earliest first. Throws BAD_INPUT, CURSOR_INVALID, and NOT_FOUND for a person unknown or of elsewhere. */
  whoSaw(question: SightingsQuestion): Promise<SightingsFacts>;
  /** Runs of a model that a person stood behind, in the order of time. */
  modelRuns(question: { readonly model: string; readonly patientId: string }): Promise<readonly ModelRunFacts[]>;
  /** Everything that a model was trained on; the newest version where none is named. NOT_FOUND where there is none for the caller. */
  trainedOn(model: string): Promise<TrainedOnFacts>;
  policyAt(time: number): Promise<PolicyAtFacts>;
  consentAt(question: { readonly patientId: string; readonly time: number }): Promise<ConsentAtFacts>;
  /** Grants of a role in the policy in force, with what of them nobody used for 90 days. Throws BAD_INPUT for an unknown role. */
  leastPrivilege(role: string): Promise<readonly GrantUseFacts[]>;
  /** What somebody should look at, and what evidence cannot answer. Instants are milliseconds since 1970. */
  examine(range: { readonly from: number; readonly to: number }): Promise<ExaminationFacts>;
}

export const LINEAGE_DIRECTIONS = ['UPSTREAM', 'DOWNSTREAM', 'BOTH'] as const;
export type LineageDirection = (typeof LINEAGE_DIRECTIONS)[number];

export interface GraphQuestion {
  readonly roots: readonly string[];
  readonly depth: number;
  readonly direction: LineageDirection;
}

export type LineageNodeKind = 'FILE' | 'DATASET' | 'COLUMN' | 'FIELD' | 'PLAN' | 'RUN' | 'PRINCIPAL' | 'MODEL' | 'HIDDEN';

export interface LineageNodeFacts {
  /** Stable: file:<digest>, dataset:<table>, column:<table.column>, field:<plan>#<coordinate>, plan:<digest>, run:<uuid>, principal:<subject>, model:<id>@<version>. */
  readonly id: string;
  readonly kind: LineageNodeKind;
  readonly name: string | null;
  readonly hidden: boolean;
}

/** From what came first to what came of it. Of an edge to what is hidden nothing more is told. */
export interface LineageLinkFacts {
  readonly from: string;
  readonly to: string;
  readonly type: 'DIRECT' | 'INDIRECT' | null;
  readonly masking: boolean | null;
  /** How many runs the edge stands for. */
  readonly runs: number | null;
  /** Version of the dataset. */
  readonly version: number | null;
}

export interface LineageGraphFacts {
  readonly nodes: readonly LineageNodeFacts[];
  readonly edges: readonly LineageLinkFacts[];
}

/** Instants are ISO texts. */
export interface UseFacts {
  readonly runs: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

export interface ImpactFacts {
  readonly column: string;
  readonly runs: number;
  readonly firstAt: string | null;
  readonly lastAt: string | null;
  readonly plans: readonly (UseFacts & { readonly plan: string; readonly fields: readonly ImpactFieldFacts[] })[];
  readonly purposes: readonly (UseFacts & { readonly purpose: string })[];
  /** Null where the caller sees no runs but its own. */
  readonly principals: readonly (UseFacts & { readonly principal: string })[] | null;
  /** Models that learned from it, id@version. */
  readonly models: readonly string[];
}

export interface ImpactFieldFacts {
  readonly coordinate: string;
  readonly type: 'DIRECT' | 'INDIRECT';
  readonly masking: boolean;
}

export interface SightingsQuestion {
  readonly patientId: string;
  /** Milliseconds since 1970: from `from` on and before `to`. */
  readonly from: number;
  readonly to: number;
  readonly first: number;
  readonly after: string | null;
}

export interface SightingsFacts {
  readonly sightings: readonly SightingFacts[];
  /** Null where nothing follows. */
  readonly next: string | null;
}

/** One answer that a person stood behind. */
export interface SightingFacts {
  readonly run: string;
  readonly at: string;
  readonly principal: string | null;
  readonly roles: readonly string[];
  readonly purpose: string;
  readonly recipient: string | null;
  readonly plan: string | null;
  /** SHA-256 of the document without its literals; null for a file. */
  readonly document: string | null;
  /** True where it stood on glass that was broken for this person. */
  readonly breakGlass: boolean;
}

export interface ModelRunFacts {
  readonly run: string;
  readonly at: string;
  readonly model: string;
  readonly act: 'TRAIN' | 'RUN';
  readonly principal: string | null;
  readonly purpose: string;
  /** Modalities that were read. */
  readonly modalities: readonly string[];
}

export interface TrainedOnFacts {
  readonly model: string;
  readonly hash: string;
  readonly state: string;
  readonly label: string;
  readonly persons: number;
  readonly events: number;
  readonly trainedAt: string;
  /** Null where it is not for the caller to know. */
  readonly run: string | null;
  readonly trainedBy: string | null;
  readonly policyVersion: string | null;
  /** Digest of rows and labels. */
  readonly trainingData: string | null;
  /** Version of what consents permitted, as it was read. */
  readonly consentVersion: number | null;
  /** Version of the features by modality. */
  readonly features: readonly { readonly modality: string; readonly version: string }[];
  readonly datasets: readonly { readonly name: string; readonly version: number | null }[];
  readonly columns: readonly { readonly name: string; readonly type: 'DIRECT' | 'INDIRECT' }[];
  /** True where datasets or columns are left out because they are not for the caller to see. */
  readonly hidden: boolean;
  /** Null where files are not for the caller to see. */
  readonly files: readonly { readonly digest: string; readonly dataset: string; readonly version: number }[] | null;
}

export interface PolicyAtFacts {
  readonly at: string;
  /** Null before the first version: what the products declare was in force alone. */
  readonly version: number | null;
  readonly digest: string | null;
  readonly document: unknown;
  readonly proposedBy: string | null;
  readonly decidedBy: string | null;
  readonly inForceFrom: string | null;
  readonly inForceTo: string | null;
  /** Versions of the whole policy that answers of that UTC day were decided by. */
  readonly recorded: readonly string[];
}

export interface ConsentAtFacts {
  readonly at: string;
  /** Version of the consents that was in force. */
  readonly version: number | null;
  readonly consents: readonly ConsentFacts[];
  readonly permits: readonly PermitFacts[];
}

export interface ConsentFacts {
  readonly consentId: string;
  readonly status: string;
  readonly scope: string | null;
  readonly decidedAt: string | null;
  readonly understood: boolean;
  readonly provisions: unknown;
  /** Digest of the file that stated it. */
  readonly source: string;
  /** Null: from before versions were kept. */
  readonly knownFrom: string | null;
  /** Null: still. */
  readonly knownTo: string | null;
}

export interface PermitFacts {
  readonly purpose: string;
  readonly modalities: readonly string[];
  readonly sensitivityMin: number;
  readonly sensitivityMax: number;
  readonly validFrom: string | null;
  readonly validTo: string | null;
}

export interface GrantUseFacts {
  readonly grant: string;
  readonly reason: string;
  readonly purposes: readonly string[];
  /** Runs of callers of the role for its purposes; some may have stood on another grant. */
  readonly runs: number;
  readonly lastAt: string | null;
  readonly columns: number;
  readonly unusedColumns: readonly string[];
  readonly unusedActions: readonly string[];
}

export interface ExaminationFacts {
  readonly findings: readonly FindingFacts[];
  /** What evidence of this installation cannot answer, and why. */
  readonly unanswerable: readonly string[];
}

export interface FindingFacts {
  readonly kind: 'OWN_RECORD' | 'GROWTH' | 'UNREVIEWED_BREAK_GLASS' | 'AFTER_REVOCATION';
  readonly at: string;
  readonly principal: string;
  /** Run or broken glass. */
  readonly subject: string;
  readonly runs: number | null;
  /** Persons behind the answers, once an answer. */
  readonly persons: number | null;
  /** What is usual for the caller. */
  readonly usual: number | null;
}
