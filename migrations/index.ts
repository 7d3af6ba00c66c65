import { CreateMesh20261122100000 } from './20261122100000-create-mesh.js';
import { CreatePatients20261122100100 } from './20261122100100-create-patients.js';
import { CreateGenomics20261122100200 } from './20261122100200-create-genomics.js';
import { CreateImaging20261122100300 } from './20261122100300-create-imaging.js';
import { CreateNotes20261122100400 } from './20261122100400-create-notes.js';
import { CreateWearables20261122100500 } from './20261122100500-create-wearables.js';
import { CreateFusion20261122100600 } from './20261122100600-create-fusion.js';
import { ExtendConsent20261122160000 } from './20261122160000-extend-consent.js';
import { CreateIdentity20261122160100 } from './20261122160100-create-identity.js';
import { CreatePolicy20261122160200 } from './20261122160200-create-policy.js';
import { CreateDisclosure20261122160400 } from './20261122160400-create-disclosure.js';
import { WallSharedTables20261122160900 } from './20261122160900-wall-shared-tables.js';
import { MerkleLog20261122190000 } from './20261122190000-merkle-log.js';
import { VersionData20261122190100 } from './20261122190100-version-data.js';
import { DigestBlocks20261122190200 } from './20261122190200-digest-blocks.js';
import { CreateExportCursor20261122190300 } from './20261122190300-create-export-cursor.js';
import { CreateBulkMeter20261122190400 } from './20261122190400-create-bulk-meter.js';
import { RollUpEvidence20261122190500 } from './20261122190500-roll-up-evidence.js';
import { RollUpUsage20261122190600 } from './20261122190600-roll-up-usage.js';

/** Every migration in the order in which they run. */
export const MIGRATIONS = [
  CreateMesh20261122100000,
  CreatePatients20261122100100,
  CreateGenomics20261122100200,
  CreateImaging20261122100300,
  CreateNotes20261122100400,
  CreateWearables20261122100500,
  CreateFusion20261122100600,
  ExtendConsent20261122160000,
  CreateIdentity20261122160100,
  CreatePolicy20261122160200,
  CreateDisclosure20261122160400,
  WallSharedTables20261122160900,
  MerkleLog20261122190000,
  VersionData20261122190100,
  DigestBlocks20261122190200,
  CreateExportCursor20261122190300,
  CreateBulkMeter20261122190400,
  RollUpEvidence20261122190500,
  RollUpUsage20261122190600,
] as const;
