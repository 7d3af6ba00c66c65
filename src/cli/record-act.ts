import { entryOf } from '../evidence/index.js';
import { newUuid } from '../kernel/index.js';
import { OPERATOR, type Running } from './wire.js';

/** What the operator does with the log is an event of it. */
export async function recordAct(
  { mesh }: Pick<Running, 'mesh'>,
  facts: Readonly<Record<string, unknown>>,
  patients: ReadonlySet<string> = new Set(),
): Promise<void> {
  const at = mesh.parts.clock();
  await mesh.audit.append(
    entryOf({
      runId: newUuid(at),
      kind: facts['log'] === 'exported' ? 'export' : 'admin',
      at,
      principal: OPERATOR.sub,
      roles: OPERATOR.roles,
      purpose: OPERATOR.purpose,
      policyVersion: mesh.policy.version,
      patients,
      facts,
    }),
  );
}
